// The rows of the tables that the terminal, Markdown and HTML share.
import { bestOf, isRace, ratioToRival, rivalNameOf } from '../analysis/ratios.js';
import type { Trend } from '../analysis/trend.js';
import { formatBytes, formatCount, formatNs, formatPercent, formatRatio, formatValue } from '../format.js';
import type { CellKind, CellReport, ContestantResult, RunReport } from '../model.js';
import { relativeNoise } from '../stats/summary.js';

export interface ResultRow {
  readonly runtime: string;
  /** What stands in the columns after the runtime. */
  readonly figures: readonly string[];
  readonly isBest: boolean;
  readonly failure: string;
}

export interface ResultTable {
  readonly head: readonly string[];
  readonly rows: readonly ResultRow[];
}

interface Column {
  readonly head: string;
  readonly show: (cell: CellReport, result: ContestantResult) => string;
}

/** A table with a row for each contestant, the best first. */
export function resultTable(report: RunReport, cell: CellReport): ResultTable {
  const best = isRace(cell) ? bestOf(cell) : undefined;
  const sign = cell.better === 'higher' ? -1 : 1;
  const sorted = [...cell.results].sort(
    (a, b) => sign * ((a.value?.median ?? -sign * Infinity) - (b.value?.median ?? -sign * Infinity)),
  );
  const columns = columnsOf(cell);
  return {
    head: ['runtime', ...columns.map(({ head }) => head)],
    rows: sorted.map((result) => ({
      runtime: labelOf(report, result.contestant),
      figures: columns.map(({ show }) => (result.value === null && show !== VALUE.show ? '' : show(cell, result))),
      isBest: result === best,
      failure: result.failures[0] ?? '',
    })),
  };
}

const VALUE: Column = {
  head: 'warm',
  show: (cell, { value }) => (value === null ? 'failed' : formatValue(value.median, cell.unit)),
};
const SPREAD: Column = { head: '±', show: (_, { value }) => (value === null ? '' : spreadOf(relativeNoise(value))) };
const RANGE: Column = {
  head: 'min..max',
  show: (cell, { value }) =>
    value === null || value.count === 1
      ? ''
      : `${formatValue(value.min, cell.unit)} .. ${formatValue(value.max, cell.unit)}`,
};
const FIRST: Column = {
  head: 'first run',
  show: (cell, { first }) => (first === null ? '' : formatValue(first.median, cell.unit)),
};
/** A scenario's first round meets a server that has never answered. */
const FIRST_ROUND: Column = { ...FIRST, head: 'first round' };
const CPU: Column = {
  head: 'CPU/op',
  show: (_, { cpuNsPerOperation }) => (cpuNsPerOperation === null ? '' : formatNs(cpuNsPerOperation.median)),
};
const MEMORY: Column = {
  head: 'peak memory',
  show: (_, { peakMemoryBytes }) => (peakMemoryBytes === null ? '' : formatBytes(peakMemoryBytes.median)),
};

function spreadOf(noise: number): string {
  return Number.isNaN(noise) ? '' : formatPercent(noise);
}

/** A further measure by its name. */
function extra(head: string, name: string, format: (value: number) => string): Column {
  return {
    head,
    show: (_, { extras }) => {
      const value = extras[name]?.median;
      return value === undefined ? '' : format(value);
    },
  };
}

const us = (value: number) => formatNs(value * 1_000);
const LATENCY = [extra('median', 'p50Us', us), extra('p99', 'p99Us', us)];

const HTTP = [extra('requests/s', 'messagesPerSecond', formatCount), ...LATENCY];
const IDLE = [extra('after a collection', 'collectedBytes', (bytes) => formatValue(bytes, 'bytes of memory each'))];

function openLoop(messages: string): Column[] {
  return [
    extra(`at ${messages}/s`, 'ratePerSecond', formatCount),
    extra('median', 'p50Us', us),
    extra('p90', 'p90Us', us),
    extra('p999', 'p999Us', us),
    extra('max', 'maxUs', us),
    extra('generator late, p99', 'generatorLateP99Us', us),
  ];
}

/** What is worth knowing of a kind of cell, beside the figure itself. */
const EXTRAS: Readonly<Partial<Record<CellKind, readonly Column[]>>> = {
  echo: [extra('messages/s', 'messagesPerSecond', formatCount), ...LATENCY],
  udp: [
    extra('datagrams/s', 'messagesPerSecond', formatCount),
    ...LATENCY,
    extra('lost', 'lostShare', (share) => (share === 0 ? '0' : formatPercent(share))),
  ],
  http: HTTP,
  'http-app': HTTP,
  churn: [extra('connections/s', 'messagesPerSecond', formatCount), ...LATENCY],
  idle: IDLE,
  'http-idle': IDLE,
  busy: [extra('alone, messages/s', 'alonePerSecond', formatCount), extra('beside', 'messagesPerSecond', formatCount)],
  latency: openLoop('messages'),
  'http-latency': openLoop('requests'),
  'http-rounds': [FIRST_ROUND, ...LATENCY],
  'http-steady': [
    extra('requests', 'requests', String),
    extra('failures', 'failures', String),
    extra('p99', 'p99Us', us),
    extra('max', 'maxUs', us),
  ],
  client: [extra('requests/s', 'messagesPerSecond', formatCount)],
};

function columnsOf(cell: CellReport): Column[] {
  const extras = EXTRAS[cell.kind] ?? [];
  const value = { ...VALUE, head: HEADS[cell.kind] ?? VALUE.head, show: VALUE.show };
  const ratio: Column = {
    head: `to ${rivalNameOf(cell).replace('better ', '')}`,
    show: (_, result) => formatRatio(ratioToRival(cell, result)),
  };
  return [
    value,
    ...(isRace(cell) ? [ratio] : []),
    SPREAD,
    RANGE,
    ...(EXTRAS[cell.kind] === undefined ? [FIRST] : []),
    ...(cell.results.some(({ cpuNsPerOperation }) => cpuNsPerOperation !== null) ? [CPU] : []),
    MEMORY,
    ...extras,
  ];
}

const HEADS: Readonly<Partial<Record<CellKind, string>>> = {
  ...{ idle: 'each', busy: 'share', latency: 'p99' },
  ...{ 'http-idle': 'each', 'http-latency': 'p99', 'http-steady': 'median' },
};

export function labelOf(report: RunReport, contestant: string): string {
  return report.contestants.find(({ id }) => id === contestant)?.label ?? contestant;
}

export function cellHeading(cell: CellReport): string {
  const size = cell.kind === 'compute' ? ` (${cell.n.toLocaleString('en-US')})` : '';
  const { generator } = cell;
  const by = generator === undefined ? '' : generator === 'own' ? ' (our own load generator)' : ` (${generator})`;
  return `${cell.title}, ${cell.load}${size}: ${cell.unit}${by}`;
}

export function trendText(trend: Trend): string {
  const change = trend.perDecade - 1;
  const flat = Math.abs(change) < 0.03;
  const slope = flat ? 'flat' : `${change > 0 ? '+' : '−'}${formatPercent(Math.abs(change))} per tenfold load`;
  const { slowsDown } = trend;
  if (slowsDown === null) return slope;
  return `${slope}; slows from ${slowsDown.from} to ${slowsDown.to} (${formatRatio(slowsDown.ratio)})`;
}
