/** A median with its spread. All in the unit of the values. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median of the absolute distances from the median. */
  readonly mad: number;
  readonly q1: number;
  readonly q3: number;
}

/** The value below which `share` (0..1) of the sorted values lie, linear between neighbours. */
export function quantile(sorted: readonly number[], share: number): number {
  const last = sorted.length - 1;
  if (last < 0) throw new RangeError('quantile of no values');
  const place = share * last;
  const low = Math.floor(place);
  const high = Math.min(low + 1, last);
  const lowValue = sorted[low] ?? Number.NaN;
  const highValue = sorted[high] ?? Number.NaN;
  return lowValue + (highValue - lowValue) * (place - low);
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** @throws RangeError when there are no values, or one of them is not finite. */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('a summary needs at least one value');
  for (const value of values) {
    if (!Number.isFinite(value)) throw new RangeError(`a summary needs finite values, got ${value}`);
  }
  const sorted = ascending(values);
  const median = quantile(sorted, 0.5);
  const mad = quantile(ascending(sorted.map((value) => Math.abs(value - median))), 0.5);
  return {
    count: sorted.length,
    median,
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
    mad,
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
  };
}

/** `summarize`, or null when there are no values. */
export function summarizeOrNull(values: readonly number[]): Summary | null {
  return values.length === 0 ? null : summarize(values);
}

// Scales a MAD to the standard deviation of normally distributed values.
const MAD_TO_DEVIATION = 1.4826;
// Below this many samples the MAD is itself mostly chance, and half the range is the safer measure.
const SAMPLES_FOR_MAD = 5;

/** The spread as a share of the median: 0.05 means about ±5 %. One sample says nothing about noise: NaN. */
export function relativeNoise(summary: Summary): number {
  if (summary.count < 2 || summary.median === 0) return Number.NaN;
  const deviation = MAD_TO_DEVIATION * summary.mad;
  const spread = summary.count < SAMPLES_FOR_MAD ? Math.max(deviation, (summary.max - summary.min) / 2) : deviation;
  return spread / Math.abs(summary.median);
}
