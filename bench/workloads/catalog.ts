import { type AnyCell, type ImportCell, isHttpCell, isServerCell } from './cell.js';
import { COMPUTE_CELLS } from './compute.js';
import { HTTP_CELLS } from './http.js';
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

export const CELLS: readonly AnyCell[] = [...COMPUTE_CELLS, ...NETWORK_CELLS, ...HTTP_CELLS, importCell];

/** The parts of the benchmark that can be run alone: `millrace bench net`. */
export const PARTS = ['compute', 'net', 'http'] as const;
export type Part = (typeof PARTS)[number];

/** The cells of a part; of all when it is null. */
export function cellsOf(part: Part | null): readonly AnyCell[] {
  if (part === null) return CELLS;
  return CELLS.filter((cell) => partOf(cell) === part);
}

function partOf(cell: AnyCell): Part {
  if (isHttpCell(cell)) return 'http';
  return isServerCell(cell) || cell.kind === 'client' ? 'net' : 'compute';
}

export function workloadsOf(cells: readonly AnyCell[]): string[] {
  return [...new Set(cells.map((cell) => cell.workload))];
}
