import { TOKIO_IDS } from '../contestants/catalog.js';
import type { CellReport, ContestantResult } from '../model.js';

/** How many times better `a` is than `b` in this cell; NaN when one of them has no figure. */
export function ratioOf(cell: CellReport, a: ContestantResult | undefined, b: ContestantResult | undefined): number {
  const x = a?.value?.median ?? Number.NaN;
  const y = b?.value?.median ?? Number.NaN;
  return cell.better === 'higher' ? x / y : y / x;
}

export function resultFor(cell: CellReport, contestant: string): ContestantResult | undefined {
  return cell.results.find((result) => result.contestant === contestant);
}

/** The best of those named, or of all; undefined when none has a figure. */
export function bestOf(cell: CellReport, among?: readonly string[]): ContestantResult | undefined {
  let best: ContestantResult | undefined;
  for (const result of cell.results) {
    if (result.value === null || (among !== undefined && !among.includes(result.contestant))) continue;
    if (best === undefined || ratioOf(cell, result, best) > 1) best = result;
  }
  return best;
}

/** The better of Tokio's two runtimes in this cell. */
export function betterTokio(cell: CellReport): ContestantResult | undefined {
  return bestOf(cell, TOKIO_IDS);
}

export function ratioToTokio(cell: CellReport, result: ContestantResult): number {
  return ratioOf(cell, result, betterTokio(cell));
}

/** The cells of each workload, in the order in which they ran. */
export function byWorkload(cells: readonly CellReport[]): Map<string, CellReport[]> {
  const groups = new Map<string, CellReport[]>();
  for (const cell of cells) {
    const group = groups.get(cell.workload);
    if (group === undefined) groups.set(cell.workload, [cell]);
    else group.push(cell);
  }
  return groups;
}
