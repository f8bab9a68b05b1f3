// How a target is stated. The numbers are in compute-targets.ts, network-targets.ts and http-targets.ts.
import type { CellReport, ContestantResult } from '../model.js';
import { ratioOf, resultFor } from './ratios.js';

export type Backend = 'auto' | 'uv';
export type TargetUnit = 'x' | 'M/s' | 'k/s' | 'ms' | 'MB' | 'KiB' | 'calls' | 'failures';

export interface Definition {
  readonly what: string;
  readonly unit: TargetUnit;
  readonly direction?: 'at least' | 'at most';
  /** null: there is only an aim. */
  readonly must: number | null;
  /** On uv, where it is another. */
  readonly mustOnUv?: number;
  readonly aim: number | null;
  readonly cells: readonly string[];
  readonly measure: (backend: Backend) => (cell: CellReport) => number | null;
  readonly backends?: readonly Backend[];
}

const UV_SHARE = 0.9;

/** A target on both backends, a tenth lower on uv. */
export function onBoth(definition: Omit<Definition, 'backends' | 'mustOnUv'>): Definition {
  const { must, direction } = definition;
  if (must === null) return definition;
  return { ...definition, mustOnUv: direction === 'at most' ? must / UV_SHARE : must * UV_SHARE };
}

/** Millrace's result in a style and backend against a rival's, as a ratio: above 1 is better. */
export function against(
  style: string,
  rival: (cell: CellReport) => ContestantResult | undefined,
): Definition['measure'] {
  return (backend) => (cell) => {
    const ratio = ratioOf(cell, millrace(cell, style, backend), rival(cell));
    return Number.isFinite(ratio) ? ratio : null;
  };
}

export const one = (contestant: string) => (cell: CellReport) => resultFor(cell, contestant);

/** A figure of Millrace's own result. */
export function figure(
  style: string,
  pick: (result: ContestantResult) => number | undefined,
  divisor: number,
): Definition['measure'] {
  return (backend) => (cell) => {
    const result = millrace(cell, style, backend);
    const value = result === undefined ? undefined : pick(result);
    return value === undefined ? null : value / divisor;
  };
}

export function millrace(cell: CellReport, style: string, backend: Backend): ContestantResult | undefined {
  return resultFor(cell, `millrace-${style}${backend === 'uv' ? '-uv' : ''}`);
}
