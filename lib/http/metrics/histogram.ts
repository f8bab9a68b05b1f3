// How values are distributed, in fixed memory: each power of two is divided into 128 buckets of the same width, as
// HdrHistogram does it. A bucket is found without a logarithm: it is what the exponent and the first seven bits of the
// mantissa of the number say (IEEE 754), so a record is a store, a load, a shift and an addition.

const MANTISSA_BITS = 7;
/** In the upper half of a double the mantissa has 20 bits. */
const SHIFT = 20 - MANTISSA_BITS;
const EXPONENT_BIAS = 1023;
/** From 2^-13 to 2^23: of milliseconds 0.12 microseconds to 2.3 hours. */
const EXPONENT_MIN = -13;
const EXPONENT_MAX = 22;
const FIRST = (EXPONENT_BIAS + EXPONENT_MIN) << MANTISSA_BITS;
const BUCKETS = (EXPONENT_MAX - EXPONENT_MIN + 1) << MANTISSA_BITS;

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
double[0] = 1;
/** Which half has the exponent: the machine's byte order says. */
const UPPER = halves[1] === 0 ? 0 : 1;

/** What a histogram has seen. Quantiles are off by less than 0.4 %; count, sum, min and max are exact. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  /** How many were at most `bound`, for each bound that was asked for: off by those within 0.4 % of it. */
  readonly cumulative: readonly { readonly bound: number; readonly count: number }[];
}

/**
 * A histogram of positive numbers, as milliseconds. 36 KiB, whatever is recorded. Below 2^-13 values count as that, above 2^23 as
 * that; their sum, min and max are exact all the same.
 *
 * @example
 * ```ts
 * const histogram = new Histogram();
 * for (let ms = 1; ms <= 1000; ms++) histogram.record(ms);
 * console.log(Math.round(histogram.distribution().p99 / 10)); // 99
 * ```
 */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** How many values there are. */
  get count(): number {
    return this.#count;
  }

  /** @param value 0 or more; what is less, or NaN, counts as 0. @param times how often. */
  record(value: number, times: number = 1): void {
    const positive = value > 0 ? value : 0;
    double[0] = positive;
    const found = ((halves[UPPER] as number) >>> SHIFT) - FIRST;
    const bucket = found < 0 ? 0 : found >= BUCKETS ? BUCKETS - 1 : found;
    const counts = this.#counts;
    counts[bucket] = (counts[bucket] as number) + times;
    this.#count += times;
    this.#sum += positive * times;
    if (positive > this.#max) this.#max = positive;
    if (positive < this.#min) this.#min = positive;
  }

  /** Adds what another has seen. */
  add(other: Histogram): void {
    for (let i = 0; i < BUCKETS; i++) this.#counts[i] = (this.#counts[i] as number) + (other.#counts[i] as number);
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#max = Math.max(this.#max, other.#max);
    this.#min = Math.min(this.#min, other.#min);
  }

  /** As if nothing had been recorded. */
  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = 0;
  }

  /** The smallest value that so large a part of all values is at most. @param fraction from 0 to 1. @returns 0 of none. */
  quantile(fraction: number): number {
    return this.#quantiles([fraction])[0] as number;
  }

  /** What was recorded so far. @param bounds ascending, for `cumulative`. */
  distribution(bounds: readonly number[] = []): Distribution {
    const [p50, p95, p99, p999] = this.#quantiles([0.5, 0.95, 0.99, 0.999]) as [number, number, number, number];
    return {
      count: this.#count,
      sum: this.#sum,
      mean: this.#count === 0 ? 0 : this.#sum / this.#count,
      min: this.#count === 0 ? 0 : this.#min,
      max: this.#max,
      p50,
      p95,
      p99,
      p999,
      cumulative: this.#cumulative(bounds),
    };
  }

  /** @param fractions ascending. */
  #quantiles(fractions: readonly number[]): number[] {
    const found: number[] = [];
    let bucket = -1;
    let seen = 0;
    for (const fraction of fractions) {
      const rank = Math.max(1, Math.ceil(fraction * this.#count));
      while (seen < rank && bucket < BUCKETS - 1) seen += this.#counts[++bucket] as number;
      found.push(this.#count === 0 ? 0 : this.#within(middleOf(bucket)));
    }
    return found;
  }

  #cumulative(bounds: readonly number[]): { bound: number; count: number }[] {
    let bucket = 0;
    let count = 0;
    return bounds.map((bound) => {
      while (bucket < BUCKETS && middleOf(bucket) <= bound) count += this.#counts[bucket++] as number;
      // What lies above the last bucket is in it, and has its own place only as the maximum.
      return { bound, count: bound >= this.#max ? this.#count : count };
    });
  }

  #within(value: number): number {
    return Math.min(Math.max(value, this.#min), this.#max);
  }
}

function middleOf(bucket: number): number {
  const exponent = (bucket >> MANTISSA_BITS) + EXPONENT_MIN;
  const step = (bucket & ((1 << MANTISSA_BITS) - 1)) + 0.5;
  return 2 ** exponent * (1 + step / (1 << MANTISSA_BITS));
}
