import type { CellReport, ContestantResult } from '../model.js';
import { relativeNoise } from '../stats/summary.js';
import { resultFor } from './ratios.js';

export interface SlowPoint {
  readonly from: string;
  readonly to: string;
  /** Speed at `to` as a share of the speed at `from`: below 1. */
  readonly ratio: number;
}

/** How one runtime's speed goes with the load, in one workload. */
export interface Trend {
  readonly workload: string;
  readonly contestant: string;
  readonly points: readonly { readonly load: string; readonly n: number; readonly value: number }[];
  /** The factor by which speed changes for ten times the load (fitted over all loads): 1 is flat. */
  readonly perDecade: number;
  /** Speed at the greatest load as a share of the speed at the smallest. */
  readonly endToEnd: number;
  /** The step at which it loses most, if that is more than noise. */
  readonly slowsDown: SlowPoint | null;
}

// A step down counts from this share on, and only if the samples' own spread does not explain it.
const SMALLEST_STEP = 0.1;

/** The trends of a workload's cells, which must differ in their load only; empty for fewer than two loads. */
export function trendsOf(cells: readonly CellReport[]): Trend[] {
  const ordered = [...cells].sort((a, b) => a.n - b.n);
  const contestants = new Set(ordered.flatMap((cell) => cell.results.map((result) => result.contestant)));
  const trends: Trend[] = [];
  for (const contestant of contestants) {
    const trend = trendOf(ordered, contestant);
    if (trend !== null) trends.push(trend);
  }
  return trends;
}

function trendOf(ordered: readonly CellReport[], contestant: string): Trend | null {
  const measured: { cell: CellReport; result: ContestantResult; value: number }[] = [];
  for (const cell of ordered) {
    const result = resultFor(cell, contestant);
    if (result?.value != null && result.value.median > 0) measured.push({ cell, result, value: result.value.median });
  }
  const first = measured[0];
  const last = measured.at(-1);
  if (first === undefined || last === undefined || first === last) return null;
  return {
    workload: first.cell.workload,
    contestant,
    points: measured.map(({ cell, value }) => ({ load: cell.load, n: cell.n, value })),
    perDecade: 10 ** slope(measured.map(({ cell, value }) => [Math.log10(cell.n), Math.log10(value)])),
    endToEnd: last.value / first.value,
    slowsDown: greatestStepDown(measured),
  };
}

function greatestStepDown(
  measured: readonly { cell: CellReport; result: ContestantResult; value: number }[],
): SlowPoint | null {
  let greatest: SlowPoint | null = null;
  for (let k = 1; k < measured.length; k++) {
    const before = measured[k - 1];
    const after = measured[k];
    if (before === undefined || after === undefined) continue;
    const ratio = after.value / before.value;
    const explained = noiseOf(before.result) + noiseOf(after.result);
    if (1 - ratio <= Math.max(SMALLEST_STEP, explained)) continue;
    if (greatest === null || ratio < greatest.ratio) {
      greatest = { from: before.cell.load, to: after.cell.load, ratio };
    }
  }
  return greatest;
}

function noiseOf(result: ContestantResult): number {
  const noise = result.value === null ? Number.NaN : relativeNoise(result.value);
  return Number.isNaN(noise) ? 0 : noise;
}

/** Least squares through [x, y] pairs. */
export function slope(points: readonly (readonly [number, number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  let above = 0;
  let below = 0;
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return below === 0 ? 0 : above / below;
}
