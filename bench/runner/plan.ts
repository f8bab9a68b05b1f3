import { type Contestant, enters } from '../contestants/catalog.js';
import type { AnyCell } from '../workloads/cell.js';

/** One cell with those who run it. */
export interface PlannedCell {
  readonly cell: AnyCell;
  readonly contestants: readonly Contestant[];
}

export interface Selection {
  readonly quick: boolean;
  /** Workloads (`echo`) or cells (`scheduling/light`); empty: all of the mode. */
  readonly only: readonly string[];
  /** Families (`tokio`) or contestants (`tokio-multi`); empty: all of the mode. */
  readonly runtimes: readonly string[];
}

/** What is named runs even where the quick mode would leave it out. */
export function planCells(
  cells: readonly AnyCell[],
  contestants: readonly Contestant[],
  selection: Selection,
): PlannedCell[] {
  const planned: PlannedCell[] = [];
  for (const cell of cells) {
    if (!isWanted(cell, cells, selection)) continue;
    const entered = contestants.filter((contestant) => {
      if (!enters(contestant, cell)) return false;
      if (selection.runtimes.includes(contestant.id)) return true;
      const byFamily = selection.runtimes.length === 0 || selection.runtimes.includes(contestant.family);
      return byFamily && (!selection.quick || contestant.quick);
    });
    if (entered.length > 0) planned.push({ cell, contestants: entered });
  }
  return planned;
}

function isWanted(cell: AnyCell, cells: readonly AnyCell[], { only, quick }: Selection): boolean {
  if (only.includes(cell.id)) return true;
  if (only.length > 0 && !only.includes(cell.workload)) return false;
  // A workload that is asked for by name runs even if the quick mode has none of its loads.
  return !quick || cell.quick || (only.length > 0 && !hasQuickCell(cells, cell.workload));
}

function hasQuickCell(cells: readonly AnyCell[], workload: string): boolean {
  return cells.some((cell) => cell.workload === workload && cell.quick);
}

/** Whoever is first in one round is later in the next, so that no runtime always runs after the same neighbour. */
export function rotate<T>(items: readonly T[], by: number): T[] {
  if (items.length === 0) return [];
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
