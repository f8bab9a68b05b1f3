// What the load generator computes, without a server: percentiles and schedules.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildLoad, loadCommand, measure } from './load.js';

beforeAll(buildLoad, 300_000);

const PERCENTS = [1, 25, 50, 90, 99, 99.9, 100];

function histogramOf(values: readonly number[]): Record<string, number> {
  const [program = '', ...words] = [...loadCommand(), 'histogram'];
  return JSON.parse(execFileSync(program, words, { input: values.join('\n'), encoding: 'utf8' }));
}

/** The smallest value that `percent` of all do not exceed. */
function percentileOf(sorted: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((sorted.length * percent * 10) / 1_000));
  return sorted[rank - 1] ?? 0;
}

describe.runIf(process.platform === 'linux')('the histogram', () => {
  it('gives percentiles at most 0.8 % above the true ones, and never below', () => {
    // From one nanosecond to three hours, evenly by magnitude.
    const ns = fc.integer({ min: 0, max: 1_000 }).map((exponent) => Math.floor(10 ** ((exponent * 13) / 1_000)));
    const small = fc.integer({ min: 0, max: 300 });
    fc.assert(
      fc.property(fc.array(fc.oneof(ns, small), { minLength: 1, maxLength: 300 }), (values) => {
        const sorted = [...values].sort((a, b) => a - b);
        const histogram = histogramOf(values);
        for (const percent of PERCENTS) {
          const exact = percentileOf(sorted, percent);
          expect(histogram[percent]).toBeGreaterThanOrEqual(exact);
          expect(histogram[percent]).toBeLessThanOrEqual(exact * 1.008);
        }
        expect(histogram.total).toBe(values.length);
        expect(histogram.max).toBe(sorted.at(-1));
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        expect(Math.abs((histogram.mean ?? 0) - mean)).toBeLessThanOrEqual(1e-3 + mean * 1e-9);
      }),
      { numRuns: 40 },
    );
  });

  it('takes the 999th of 1,000 as p99.9, and the last as p100', () => {
    const histogram = histogramOf(Array.from({ length: 1_000 }, (_, i) => (i < 999 ? 5 : 100)));
    expect(histogram).toMatchObject({ '99.9': 5, '100': 100 });
  });

  it('is exact to the nanosecond below 256 ns, and holds a hundred years', () => {
    const century = 100 * 365.25 * 24 * 3_600 * 1e9;
    expect(histogramOf([255, 255, century])).toMatchObject({ '50': 255, '100': century });
  });

  it('of nothing is empty', () => {
    expect(histogramOf([])).toMatchObject({ total: 0, max: 0, '50': 0 });
  });
});

describe.runIf(process.platform === 'linux')('the schedule', () => {
  const schedule = (...words: string[]) => measure('schedule', ...words);

  it('is even, takes the connections in turn, and does not drift', async () => {
    const { dueNs, connections } = await schedule('--rate', '30000', '--connections', '3', '--count', '90001');
    expect(dueNs[0]).toBe(0);
    expect(dueNs[1]).toBe(33_333);
    expect(dueNs[90_000]).toBe(3_000_000_000);
    expect(connections.slice(0, 7)).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  it('of a Poisson process has the gaps of one: mean and deviation are equal', async () => {
    const words = ['--rate', '1000', '--schedule', 'poisson', '--connections', '4', '--count', '40000'];
    const { dueNs, connections } = await schedule(...words, '--seed', '7');
    const gaps = dueNs.map((due: number, i: number) => due - (i === 0 ? 0 : dueNs[i - 1])) as number[];
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(mean / 1e6).toBeCloseTo(1, 1);
    expect(deviation / mean).toBeCloseTo(1, 1);
    for (const connection of [0, 1, 2, 3]) {
      expect(connections.filter((other: number) => other === connection).length / 10_000).toBeCloseTo(1, 1);
    }
  });

  it('is the same for the same seed, and another for another', async () => {
    const words = ['--rate', '500', '--schedule', 'poisson', '--connections', '2', '--count', '50'];
    const first = await schedule(...words, '--seed', '1');
    expect(await schedule(...words, '--seed', '1')).toEqual(first);
    expect((await schedule(...words, '--seed', '2')).dueNs).not.toEqual(first.dueNs);
  });
});
