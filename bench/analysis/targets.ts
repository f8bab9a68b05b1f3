// The numbers that Millrace has to reach, each held against this run.
import type { RunReport } from '../model.js';
import { COMPUTE_TARGETS } from './compute-targets.js';
import { HTTP_TARGETS } from './http-targets.js';
import { NETWORK_TARGETS } from './network-targets.js';
import type { Backend, Definition, TargetUnit } from './target-definition.js';

/** `aim missed`, `aim reached`: of a target without a must. */
export type Reached = 'yes' | 'no' | 'aim missed' | 'aim reached' | 'not run';

export interface TargetPart {
  readonly cell: string;
  /** null: not run. */
  readonly measured: number | null;
}

export interface TargetRow {
  readonly what: string;
  readonly backend: Backend;
  readonly unit: TargetUnit;
  readonly direction: 'at least' | 'at most';
  readonly must: number | null;
  readonly aim: number | null;
  readonly parts: readonly TargetPart[];
  /** The worst of its parts; null when none was run. */
  readonly measured: number | null;
  /** `yes` says that every part that was run reached it; see `complete`. */
  readonly reached: Reached;
  readonly aimReached: boolean;
  readonly complete: boolean;
}

/** Every target, on the automatic backend and on uv. */
export function evaluateTargets(report: RunReport): TargetRow[] {
  const rows: TargetRow[] = [];
  for (const backend of ['auto', 'uv'] as const) {
    for (const definition of [...COMPUTE_TARGETS, ...NETWORK_TARGETS, ...HTTP_TARGETS]) {
      if ((definition.backends ?? ['auto', 'uv']).includes(backend)) rows.push(evaluate(definition, backend, report));
    }
  }
  return rows;
}

function evaluate(definition: Definition, backend: Backend, report: RunReport): TargetRow {
  const measure = definition.measure(backend);
  const parts = definition.cells.map((id) => {
    const cell = report.cells.find((candidate) => candidate.id === id);
    return { cell: id, measured: cell === undefined ? null : measure(cell) };
  });
  const direction = definition.direction ?? 'at least';
  const values = parts.map((part) => part.measured).filter((value) => value !== null);
  const meets = (limit: number) =>
    values.every((value) => (direction === 'at least' ? value >= limit : value <= limit));
  const { what, unit, aim } = definition;
  const must = backend === 'uv' ? (definition.mustOnUv ?? definition.must) : definition.must;
  const aimReached = values.length > 0 && aim !== null && meets(aim);
  return {
    what,
    backend,
    unit,
    direction,
    must,
    aim,
    parts,
    measured: values.length === 0 ? null : direction === 'at least' ? Math.min(...values) : Math.max(...values),
    reached: values.length === 0 ? 'not run' : reachedOf(must === null ? null : meets(must), aimReached),
    aimReached,
    complete: values.length === parts.length,
  };
}

function reachedOf(mustReached: boolean | null, aimReached: boolean): Reached {
  if (mustReached === null) return aimReached ? 'aim reached' : 'aim missed';
  return mustReached ? 'yes' : 'no';
}

/** What a report says of a target, in a word or two. */
export function verdictOn({ reached, aimReached }: TargetRow): string {
  return reached === 'yes' && aimReached ? 'yes, aim too' : reached;
}

/** `≥ 0.90x`; empty where there is no such limit. */
export function formatLimit(value: number | null, { unit, direction }: TargetRow, signs = ['≥', '≤']): string {
  if (value === null) return '';
  return `${direction === 'at least' ? signs[0] : signs[1]} ${formatTarget(value, unit)}`;
}

export function formatTarget(value: number | null, unit: TargetUnit): string {
  if (value === null) return '-';
  if (unit === 'x') return `${value.toFixed(2)}x`;
  return `${value.toFixed(DECIMALS[unit] ?? 1)} ${unit}`;
}

const DECIMALS: Readonly<Partial<Record<TargetUnit, number>>> = { calls: 2, failures: 0 };
