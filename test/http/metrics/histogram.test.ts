import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../../lib/http/metrics/index.js';

const ERROR = 0.004;

/** Of sorted values: the smallest that so large a part is at most. */
function exact(sorted: number[], fraction: number): number {
  return sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1] as number;
}

describe('a histogram', () => {
  test('of nothing is all zero', () => {
    expect(new Histogram().distribution([1])).toEqual({
      count: 0,
      sum: 0,
      mean: 0,
      min: 0,
      max: 0,
      p50: 0,
      p95: 0,
      p99: 0,
      p999: 0,
      cumulative: [{ bound: 1, count: 0 }],
    });
    expect(new Histogram().quantile(1)).toBe(0);
  });

  test('of one value is that value', () => {
    const histogram = new Histogram();
    histogram.record(12.345);
    expect(histogram.distribution()).toMatchObject({
      count: 1,
      sum: 12.345,
      min: 12.345,
      max: 12.345,
      p50: 12.345,
      p999: 12.345,
    });
  });

  test('any values: quantiles are off by less than half a percent, the rest is exact', () => {
    const value = fc.oneof(
      fc.double({ min: 2 ** -13, max: 2 ** 22, noNaN: true }),
      fc.integer({ min: -12, max: 22 }).map((exponent) => 2 ** exponent),
      fc.integer({ min: 1, max: 1000 }),
    );
    const fractions = [0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1];
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const sorted = values.toSorted((a, b) => a - b);
        for (const fraction of fractions) {
          const expected = exact(sorted, fraction);
          expect(Math.abs(histogram.quantile(fraction) - expected)).toBeLessThanOrEqual(expected * ERROR);
        }
        const { count, sum, min, max, mean } = histogram.distribution();
        expect({ count, min, max }).toEqual({ count: values.length, min: sorted[0], max: sorted.at(-1) });
        expect(sum).toBeCloseTo(
          values.reduce((a, b) => a + b, 0),
          3,
        );
        expect(mean).toBeCloseTo(sum / count, 6);
      }),
    );
  });

  test('counts what is at most a bound, but for what is next to it', () => {
    const histogram = new Histogram();
    for (let value = 1; value <= 1000; value++) histogram.record(value);
    const { cumulative } = histogram.distribution([0.5, 10.5, 100.5, 1000, 5000]);
    expect(cumulative.map(({ count }) => count)).toEqual([0, 10, 100, 1000, 1000]);
  });

  test('takes what is out of its range, exactly in sum and maximum', () => {
    const histogram = new Histogram();
    for (const value of [0, -1, Number.NaN, 1e-9, 1e12]) histogram.record(value);
    expect(histogram.distribution([1, 1e7, 1e12])).toMatchObject({ count: 5, min: 0, max: 1e12, sum: 1e12 + 1e-9 });
    expect(histogram.distribution([1, 1e12]).cumulative).toEqual([
      { bound: 1, count: 4 },
      { bound: 1e12, count: 5 },
    ]);
    expect(histogram.quantile(0.5)).toBeLessThan(2 ** -12);
    expect(histogram.quantile(1)).toBeLessThanOrEqual(2 ** 23);
  });

  test('of a value so many times is as one that saw it so often', () => {
    const [one, other] = [new Histogram(), new Histogram()];
    one.record(3, 5);
    for (let i = 0; i < 5; i++) other.record(3);
    expect(one.distribution([2, 4])).toEqual(other.distribution([2, 4]));
  });

  test('can be added to another, and begin anew', () => {
    const [one, other, both] = [new Histogram(), new Histogram(), new Histogram()];
    for (let value = 1; value < 100; value++) {
      (value % 3 === 0 ? one : other).record(value);
      both.record(value);
    }
    one.add(other);
    expect(one.distribution([10, 50])).toEqual(both.distribution([10, 50]));
    one.reset();
    expect(one.distribution()).toEqual(new Histogram().distribution());
    expect(one.count).toBe(0);
  });
});
