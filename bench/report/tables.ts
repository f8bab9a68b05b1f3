// The rows of the tables that the terminal, Markdown and HTML share.
import { bestOf, ratioToTokio } from '../analysis/ratios.js';
import type { Trend } from '../analysis/trend.js';
import { formatBytes, formatNs, formatPercent, formatRatio, formatValue } from '../format.js';
import type { CellReport, RunReport } from '../model.js';
import { relativeNoise } from '../stats/summary.js';

export interface ResultRow {
  readonly runtime: string;
  readonly value: string;
  readonly ratio: string;
  readonly spread: string;
  readonly range: string;
  readonly first: string;
  readonly cpu: string;
  readonly memory: string;
  readonly isBest: boolean;
  readonly failure: string;
}

export const RESULT_HEADINGS = ['runtime', 'warm', 'to Tokio', '±', 'min..max', 'first run', 'CPU/op', 'peak memory'];

/** One row for each contestant, the best first. */
export function resultRows(report: RunReport, cell: CellReport): ResultRow[] {
  const best = bestOf(cell);
  const sign = cell.better === 'higher' ? -1 : 1;
  const sorted = [...cell.results].sort(
    (a, b) => sign * ((a.value?.median ?? -sign * Infinity) - (b.value?.median ?? -sign * Infinity)),
  );
  return sorted.map((result) => {
    const { value, first } = result;
    return {
      runtime: labelOf(report, result.contestant),
      value: value === null ? 'failed' : formatValue(value.median, cell.unit),
      ratio: cell.kind === 'import' ? '' : formatRatio(ratioToTokio(cell, result)),
      spread: value === null ? '' : formatPercent(relativeNoise(value)),
      range: value === null ? '' : `${formatValue(value.min, cell.unit)} .. ${formatValue(value.max, cell.unit)}`,
      first: first === null ? '' : formatValue(first.median, cell.unit),
      cpu: result.cpuNsPerOperation === null ? '' : formatNs(result.cpuNsPerOperation.median),
      memory: result.peakMemoryBytes === null ? '' : formatBytes(result.peakMemoryBytes.median),
      isBest: result === best,
      failure: result.failures[0] ?? '',
    };
  });
}

export function labelOf(report: RunReport, contestant: string): string {
  return report.contestants.find(({ id }) => id === contestant)?.label ?? contestant;
}

export function cellHeading(cell: CellReport): string {
  const size = cell.kind === 'compute' ? ` (${cell.n.toLocaleString('en-US')})` : '';
  return `${cell.title}, ${cell.load}${size}: ${cell.unit}`;
}

export function trendText(trend: Trend): string {
  const change = trend.perDecade - 1;
  const flat = Math.abs(change) < 0.03;
  const slope = flat ? 'flat' : `${change > 0 ? '+' : '−'}${formatPercent(Math.abs(change))} per tenfold load`;
  const { slowsDown } = trend;
  if (slowsDown === null) return slope;
  return `${slope}; slows from ${slowsDown.from} to ${slowsDown.to} (${formatRatio(slowsDown.ratio)})`;
}
