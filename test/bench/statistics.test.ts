import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare } from '../../bench/stats/compare.js';
import { quantile, relativeNoise, summarize } from '../../bench/stats/summary.js';

const samples = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 30 });

describe('a summary', () => {
  it('gives median, range, quartiles and MAD of samples in any order', () => {
    expect(summarize([9, 1, 5, 3, 7])).toEqual({ count: 5, median: 5, min: 1, max: 9, mad: 2, q1: 3, q3: 7 });
  });

  it('takes the middle of the two middle samples when their number is even', () => {
    expect(summarize([1, 2, 10, 4]).median).toBe(3);
  });

  it('is not moved by one sample that went wrong', () => {
    const quiet = summarize([100, 101, 99, 100, 102]);
    const disturbed = summarize([100, 101, 99, 100, 3]);
    expect(disturbed.median).toBe(quiet.median);
    expect(relativeNoise(disturbed)).toBeLessThan(0.03);
  });

  it('keeps its order and stays within the samples, whatever they are', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const { min, q1, median, q3, max, mad } = summarize(values);
        expect(min).toBe(Math.min(...values));
        expect(max).toBe(Math.max(...values));
        expect(min <= q1 && q1 <= median && median <= q3 && q3 <= max).toBe(true);
        expect(mad).toBeLessThanOrEqual(max - min);
      }),
    );
  });

  it('refuses no samples, and samples that are no numbers', () => {
    expect(() => summarize([])).toThrow(RangeError);
    expect(() => summarize([1, Number.NaN])).toThrow(/NaN/);
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe('noise', () => {
  it('is unknown for one sample', () => {
    expect(relativeNoise(summarize([5]))).toBeNaN();
  });

  it('counts the range of few samples, where a MAD of zero would claim that they agree', () => {
    expect(relativeNoise(summarize([100, 100, 120]))).toBeCloseTo(0.1);
  });
});

describe('comparing two runs', () => {
  const quiet = summarize([100, 101, 99, 100, 100]);

  it('calls a change that is larger than the noise', () => {
    const faster = summarize([130, 131, 129, 130, 130]);
    expect(compare(faster, quiet, 'higher')).toMatchObject({ ratio: 1.3, verdict: 'better' });
    expect(compare(quiet, faster, 'higher').verdict).toBe('worse');
  });

  it('turns round where less is better', () => {
    const longer = summarize([130, 131, 129, 130, 130]);
    expect(compare(longer, quiet, 'lower').verdict).toBe('worse');
    expect(compare(longer, quiet, 'lower').ratio).toBeCloseTo(100 / 130);
  });

  it('says "same" where the spread explains the change', () => {
    const wild = summarize([60, 160, 110, 85, 135]);
    expect(compare(wild, quiet, 'higher').verdict).toBe('same');
  });

  it('calls nothing a change below three percent, however quiet', () => {
    const still = summarize([100, 100, 100, 100, 100]);
    const moved = summarize([102, 102, 102, 102, 102]);
    expect(compare(moved, still, 'higher').verdict).toBe('same');
  });

  it('is unsure with a single sample', () => {
    expect(compare(summarize([200]), quiet, 'higher').verdict).toBe('unsure');
  });

  it('never finds that a run differs from itself', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const run = summarize(values);
        expect(['same', 'unsure']).toContain(compare(run, run, 'higher').verdict);
      }),
    );
  });
});
