// Time that a test moves: the addon's clock stands still, and goes from deadline to deadline when it is told to.
import { border } from '../internal/border.js';
import { setVirtual } from '../internal/clock.js';
import { checkFunction, checkObject, invalidType } from '../internal/errors.js';
import { abandonAdvances, advancing } from './advance.js';
import {
  type PauseOptions,
  pauseAsked,
  setPauseAsked,
  TIME_AUTO_ADVANCE,
  TIME_PAUSED,
  TIME_REAL,
} from './time-mode.js';

/**
 * Stops the clock. `now`, sleeps, intervals, timeouts and deadlines follow virtual time from here on, at the pace that
 * `advance` or autoAdvance give. `Date`, `performance.now` and Node's timers are left alone. Called again, it changes
 * the options.
 *
 * @example
 * ```ts
 * pauseTime();
 * const start = now();
 * await sleep(3_600_000);
 * console.log(Math.round(now() - start)); // 3600000, at once
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) naming the option.
 */
export function pauseTime(options: PauseOptions = {}): void {
  checkObject(options, 'options');
  const { autoAdvance = true } = options;
  if (typeof autoAdvance !== 'boolean') throw invalidType('options.autoAdvance', 'a boolean', autoAdvance);
  // While an `advance` is under way, time must not run beyond where it leads.
  border.open().setTime(autoAdvance && !advancing() ? TIME_AUTO_ADVANCE : TIME_PAUSED, 0);
  setVirtual(true);
  setPauseAsked({ autoAdvance });
}

/** Lets real time go on from where virtual time has arrived. A pending `advance` fails. In real time it does nothing. */
export function resumeTime(): void {
  if (pauseAsked() === null) return;
  setPauseAsked(null);
  border.open().setTime(TIME_REAL, 0);
  setVirtual(false);
  abandonAdvances();
}

/**
 * Calls `fn` with time paused, and then puts back how time was, whichever way `fn` ends.
 *
 * @example
 * ```ts
 * await withVirtualTime(async () => {
 *   await timeout(1000, sleep(2000)); // throws a TimeoutError, at once
 * });
 * ```
 * @returns what `fn` gives.
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) naming the argument.
 */
export async function withVirtualTime<T>(fn: () => PromiseLike<T> | T, options: PauseOptions = {}): Promise<T> {
  checkFunction(fn, 'fn');
  const before = pauseAsked();
  pauseTime(options);
  try {
    return await fn();
  } finally {
    if (before === null) resumeTime();
    else pauseTime(before);
  }
}
