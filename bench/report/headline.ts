import { betterTokio, isRace, ratioOf, resultFor } from '../analysis/ratios.js';
import type { CellReport, RunReport } from '../model.js';

export interface Hero {
  readonly title: string;
  readonly detail: string;
  /** Geometric mean over the group's cells of Millrace to the better Tokio. */
  readonly ratio: number;
}

const GROUPS = [
  { workload: 'scheduling', title: 'Scheduling', contestant: 'millrace-fibers', style: 'fibers' },
  { workload: 'io', title: 'I/O', contestant: 'millrace-fibers', style: 'fibers' },
  { workload: 'allocation', title: 'Allocation', contestant: 'millrace-fibers', style: 'fibers' },
  { workload: 'echo', title: 'TCP echo', contestant: 'millrace-handlers', style: 'handlers' },
  { workload: 'udp', title: 'UDP echo', contestant: 'millrace-handlers', style: 'handlers' },
  { workload: 'churn', title: 'Accept and close', contestant: 'millrace-handlers', style: 'handlers' },
] as const;

/** The few numbers at the top: Millrace's fast path against the better Tokio. Groups that were not run are left out. */
export function heroes(report: RunReport): Hero[] {
  return GROUPS.flatMap(({ workload, title, contestant, style }) => {
    const ratios = report.cells
      .filter((cell) => cell.workload === workload)
      .map((cell) => ratioOf(cell, resultFor(cell, contestant), betterTokio(cell)))
      .filter((ratio) => Number.isFinite(ratio));
    if (ratios.length === 0) return [];
    const detail = `${style}, ${ratios.length === 1 ? 'one cell' : `mean of ${ratios.length} cells`}`;
    return [{ title, detail, ratio: geometricMean(ratios) }];
  });
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

const MAIN_STYLES = ['millrace-fibers', 'millrace-handlers'];

/** One sentence that says how the race went. */
export function headline(report: RunReport): string {
  const raced = report.cells.filter(isRace).flatMap((cell) => {
    const ours = MAIN_STYLES.map((id) => resultFor(cell, id)).find((result) => result?.value != null);
    const ratio = ratioOf(cell, ours, betterTokio(cell));
    return Number.isFinite(ratio) ? [{ cell, ratio }] : [];
  });
  if (raced.length === 0) return 'Millrace and Tokio did not both run: there is no race to report, only what ran.';
  const ahead = raced.filter(({ ratio }) => ratio >= 1);
  const sorted = [...raced].sort((a, b) => b.ratio - a.ratio);
  const best = sorted[0];
  const worst = sorted.at(-1);
  const parts = [`Millrace is ahead of the better Tokio in ${ahead.length} of ${raced.length} cells.`];
  if (best !== undefined && worst !== undefined && best !== worst) {
    parts.push(
      `Best: ${nameOf(best.cell)}, ${best.ratio.toFixed(2)}x. Worst: ${nameOf(worst.cell)}, ${worst.ratio.toFixed(2)}x.`,
    );
  }
  return parts.join(' ');
}

function nameOf(cell: CellReport): string {
  return `${cell.title.startsWith('I/O') ? cell.title : cell.title.toLowerCase().replace(/tcp|udp/, (name) => name.toUpperCase())} ${cell.load}`;
}
