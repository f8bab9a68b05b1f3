import { betterTokio, isRace, ratioOf, ratioToRival, resultFor, rivalNameOf } from '../analysis/ratios.js';
import type { CellReport, ContestantResult, RunReport } from '../model.js';

export interface Hero {
  readonly title: string;
  readonly detail: string;
  /** Geometric mean over the group's cells of Millrace to `rival`. */
  readonly ratio: number;
  readonly rival: string;
}

const GROUPS = [
  { workload: 'scheduling', title: 'Scheduling', contestant: 'millrace-fibers', style: 'fibers' },
  { workload: 'io', title: 'I/O', contestant: 'millrace-fibers', style: 'fibers' },
  { workload: 'allocation', title: 'Allocation', contestant: 'millrace-fibers', style: 'fibers' },
  { workload: 'echo', title: 'TCP echo', contestant: 'millrace-handlers', style: 'handlers' },
  { workload: 'udp', title: 'UDP echo', contestant: 'millrace-handlers', style: 'handlers' },
  { workload: 'churn', title: 'Accept and close', contestant: 'millrace-handlers', style: 'handlers' },
  { workload: 'http-plaintext', title: 'HTTP plaintext', contestant: 'millrace-http', style: 'a handler' },
  { workload: 'http-json', title: 'HTTP JSON', contestant: 'millrace-http', style: 'a handler' },
] as const;

/** The few numbers at the top: Millrace's fast path against its rival. Groups that were not run are left out. */
export function heroes(report: RunReport): Hero[] {
  return GROUPS.flatMap(({ workload, title, contestant, style }) => {
    const cells = report.cells.filter((cell) => cell.workload === workload);
    const ratios = cells
      .map((cell) => ratioToRival(cell, resultFor(cell, contestant)))
      .filter((ratio) => Number.isFinite(ratio));
    const [first] = cells;
    if (first === undefined || ratios.length === 0) return [];
    const rival = rivalNameOf(first);
    const detail = `${style}, ${ratios.length === 1 ? 'one cell' : `mean of ${ratios.length} cells`}`;
    return [{ title, detail, ratio: geometricMean(ratios), rival }];
  });
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

const MAIN_STYLES = ['millrace-fibers', 'millrace-handlers'];

/** A sentence or two that say how the race went. */
export function headline(report: RunReport): string {
  const races = [
    sentence('the better Tokio', 'cells', raceOf(report.cells, MAIN_STYLES, betterTokio)),
    sentence('node:http', 'HTTP cells', raceOf(report.cells.filter(isHttp), ['millrace-http'], nodeIn)),
  ];
  const text = races.filter((part) => part !== '').join(' ');
  return text === '' ? 'Millrace and its rivals did not both run: there is no race to report, only what ran.' : text;
}

interface Raced {
  readonly cell: CellReport;
  readonly ratio: number;
}

function isHttp({ kind }: CellReport): boolean {
  return kind === 'http' || kind === 'http-latency' || kind === 'http-rounds';
}

const nodeIn = (cell: CellReport) => resultFor(cell, 'node');

/** Each cell in which both ran, with how many times as fast Millrace is. */
function raceOf(
  cells: readonly CellReport[],
  styles: readonly string[],
  rival: (cell: CellReport) => ContestantResult | undefined,
): Raced[] {
  return cells.filter(isRace).flatMap((cell) => {
    const ours = styles.map((id) => resultFor(cell, id)).find((result) => result?.value != null);
    const ratio = ratioOf(cell, ours, rival(cell));
    return Number.isFinite(ratio) ? [{ cell, ratio }] : [];
  });
}

function sentence(rival: string, cells: string, raced: readonly Raced[]): string {
  if (raced.length === 0) return '';
  const ahead = raced.filter(({ ratio }) => ratio >= 1);
  const sorted = [...raced].sort((a, b) => b.ratio - a.ratio);
  const best = sorted[0];
  const worst = sorted.at(-1);
  const text = `Millrace is ahead of ${rival} in ${ahead.length} of ${raced.length} ${cells}.`;
  if (best === undefined || worst === undefined || best === worst) return text;
  return `${text} Best: ${nameOf(best.cell)}, ${best.ratio.toFixed(2)}x. Worst: ${nameOf(worst.cell)}, ${worst.ratio.toFixed(2)}x.`;
}

function nameOf(cell: CellReport): string {
  const title = cell.title.startsWith('I/O')
    ? cell.title
    : cell.title.toLowerCase().replace(/tcp|udp|http|json/g, (name) => name.toUpperCase());
  return `${title} ${cell.load}`;
}
