import type { AnyCell, ImportCell } from './cell.js';
import { COMPUTE_CELLS } from './compute.js';
import { NETWORK_CELLS } from './network.js';

const importCell: ImportCell = {
  id: 'import/millrace',
  workload: 'import',
  load: 'millrace',
  kind: 'import',
  title: "import 'millrace'",
  n: 1,
  unit: 'ms',
  better: 'lower',
  quick: true,
  samplesMax: Number.POSITIVE_INFINITY,
};

export const CELLS: readonly AnyCell[] = [...COMPUTE_CELLS, ...NETWORK_CELLS, importCell];

/** The parts of the benchmark that can be run alone: `millrace bench net`. */
export const PARTS = ['compute', 'net'] as const;
export type Part = (typeof PARTS)[number];

/** The cells of a part; of all when it is null. */
export function cellsOf(part: Part | null): readonly AnyCell[] {
  if (part === null) return CELLS;
  const network: readonly AnyCell[] = NETWORK_CELLS;
  return CELLS.filter((cell) => network.includes(cell) === (part === 'net'));
}

export function workloadsOf(cells: readonly AnyCell[]): string[] {
  return [...new Set(cells.map((cell) => cell.workload))];
}
