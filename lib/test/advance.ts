// `advance`: the addon moves its clock from deadline to deadline, one step whenever nothing else is to be done; this
// watches, once a turn of the loop, whether it has arrived and whether everything has come to rest.
//
// At rest means that between two turns after the arrival no timer fired, no task ran and none is queued: what was due
// then, however long the chain of what follows from it at that same time, has run.
import { border } from '../internal/border.js';
import { checkDelay } from '../internal/cancel.js';
import { MillraceError } from '../internal/errors.js';
import { Operation } from '../internal/operation.js';
import { scheduler } from '../internal/scheduler.js';
import { pauseAsked, TIME_ADVANCE, TIME_AUTO_ADVANCE, TIME_PAUSED, timeIsPaused } from './time-mode.js';

/** A task that never rests (sleep(0) again and again) may hold up an `advance` that has arrived for so many turns. */
const RESTLESS_TURNS_MAX = 1000;
/** Time moves only while every task waits. After so many turns at the same time, one of them never will. */
const STANDSTILL_TURNS_MAX = 10_000;
/** Half of the clock's nanosecond: sums of milliseconds are rounded. */
const ROUNDING_MS = 0.5e-6;

const pending = new Set<Advance>();
/** Where the last `advance` leads. */
let targetMs = Number.NEGATIVE_INFINITY;
let watching = false;

class Advance extends Operation<void> {
  readonly #targetMs: number;
  #events = -1;
  #polls = -1;
  #clockMs = 0;
  #turns = 0;

  constructor(ms: number) {
    super();
    const addon = border.open();
    targetMs = Math.max(targetMs, addon.clock()) + ms;
    this.#targetMs = targetMs;
    if (pending.size === 0) addon.setTime(TIME_PAUSED, 0);
    addon.setTime(TIME_ADVANCE, ms);
    pending.add(this);
    watch();
  }

  get kind(): string {
    return 'advance';
  }

  turn(clockMs: number): void {
    if (clockMs !== this.#clockMs) this.#turns = 0;
    this.#clockMs = clockMs;
    this.#turns++;
    if (clockMs < this.#targetMs - ROUNDING_MS) {
      if (this.#turns === STANDSTILL_TURNS_MAX) this.#giveUp();
      return;
    }
    const atRest =
      border.events === this.#events && scheduler.polls === this.#polls && scheduler.queued === 0 && border.submitted;
    this.#events = border.events;
    this.#polls = scheduler.polls;
    if (atRest || this.#turns >= RESTLESS_TURNS_MAX) {
      leave(this);
      this.fulfill(undefined);
    }
  }

  protected onCancel(): void {
    leave(this);
  }

  #giveUp(): void {
    leave(this);
    this.reject(
      new MillraceError(
        'ERR_MILLRACE_INVALID_STATE',
        'Time cannot be advanced: some task is always runnable or sleeps for 0 ms in a loop (see dumpTasks)',
      ),
    );
  }
}

/** The last one to arrive lets time go on as it did. */
function leave(advance: Advance): void {
  pending.delete(advance);
  if (pending.size > 0) return;
  targetMs = Number.NEGATIVE_INFINITY;
  border.open().setTime(pauseAsked()?.autoAdvance === true ? TIME_AUTO_ADVANCE : TIME_PAUSED, 0);
}

/** Node runs immediates once a turn, before the addon's tick. They also keep the process alive meanwhile. */
function watch(): void {
  if (watching) return;
  watching = true;
  setImmediate(onTurn);
}

function onTurn(): void {
  watching = false;
  if (pending.size === 0) return;
  const clockMs = border.open().clock();
  for (const advance of pending) advance.turn(clockMs);
  if (pending.size > 0) watch();
}

/** @internal */
export function advancing(): boolean {
  return pending.size > 0;
}

/** Time is real again: where they led means nothing any more. @internal */
export function abandonAdvances(): void {
  const abandoned = [...pending];
  pending.clear();
  targetMs = Number.NEGATIVE_INFINITY;
  for (const advance of abandoned) {
    advance.reject(new MillraceError('ERR_MILLRACE_INVALID_STATE', 'Time was resumed before advance had arrived'));
  }
}

/**
 * Moves the paused clock by `ms` milliseconds. Everything that becomes due on the way runs, in order and with the clock
 * at its own deadline, before this resolves. The clock moves only while every task waits for something.
 *
 * @example
 * ```ts
 * let renewed = 0;
 * function* renewEvery(periodMs: number) {
 *   for (;;) {
 *     yield* sleep(periodMs);
 *     renewed++;
 *   }
 * }
 * pauseTime({ autoAdvance: false });
 * const lease = spawn(renewEvery(1000));
 * await advance(5000);
 * console.log(renewed); // 5
 * lease.abort();
 * resumeTime();
 * ```
 * @param ms from 0 to 7.2e10; fractions count.
 * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` where time is not paused, or is resumed meanwhile; TypeError and
 * RangeError (`ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`) for what is no number of milliseconds.
 */
export function advance(ms: number): Operation<void> {
  checkDelay(ms, 'ms');
  if (!timeIsPaused()) {
    throw new MillraceError('ERR_MILLRACE_INVALID_STATE', 'Time is not paused: call pauseTime() before advance()');
  }
  return new Advance(ms);
}
