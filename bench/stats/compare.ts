import { relativeNoise, type Summary } from './summary.js';

export type Verdict = 'better' | 'worse' | 'same' | 'unsure';

export interface Comparison {
  /** How many times better `now` is than `then`: above 1 is better, whichever way the unit points. */
  readonly ratio: number;
  /** The change that noise alone may explain, as a share. NaN when there are too few samples to know. */
  readonly noise: number;
  readonly verdict: Verdict;
}

// No change below this is called one, however quiet the samples were: code layout alone moves results by as much.
const SMALLEST_CHANGE = 0.03;
const NOISE_MULTIPLE = 2;

/** Compares two summaries of one cell; a change counts only where it is larger than what the spread explains. */
export function compare(now: Summary, then: Summary, better: 'higher' | 'lower'): Comparison {
  const ratio = better === 'higher' ? now.median / then.median : then.median / now.median;
  const noise = NOISE_MULTIPLE * Math.hypot(relativeNoise(now), relativeNoise(then));
  if (!Number.isFinite(ratio) || Number.isNaN(noise)) return { ratio, noise, verdict: 'unsure' };
  const limit = Math.max(SMALLEST_CHANGE, noise);
  if (ratio > 1 + limit) return { ratio, noise, verdict: 'better' };
  if (ratio < 1 / (1 + limit)) return { ratio, noise, verdict: 'worse' };
  return { ratio, noise, verdict: 'same' };
}
