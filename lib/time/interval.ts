import { checkDelay, checkSignal, type SignalOption, withSignal } from '../internal/cancel.js';
import { now } from '../internal/clock.js';
import { checkObject, MillraceError, outOfRange } from '../internal/errors.js';
import { Operation } from '../internal/operation.js';
import { arm, disarm, type TimerTarget } from '../internal/timers.js';

/** What happens with ticks that nobody was there for; the three ways of Tokio's MissedTickBehavior. */
export type MissedTicks = 'burst' | 'delay' | 'skip';

export interface IntervalOptions extends SignalOption {
  /**
   * `burst` (default): missed ticks come at once, until the schedule is caught up; `delay`: the schedule starts anew from
   * the late tick; `skip`: missed ticks are left out and the schedule is kept.
   */
  missed?: MissedTicks;
}

/**
 * Ticks every so many milliseconds: `await interval.tick()`, or `for await (const time of interval)`.
 * The first tick comes at once. A tick that is cancelled is not lost: the next call waits for it.
 */
export class Interval implements AsyncIterable<number> {
  readonly periodMs: number;
  readonly #missed: MissedTicks;
  readonly #options: SignalOption;
  #dueMs: number;
  #pending: Tick | null = null;
  #ended = false;

  /** @internal Use `interval`. */
  constructor(periodMs: number, options: IntervalOptions) {
    checkObject(options, 'options');
    checkDelay(periodMs, 'periodMs');
    if (periodMs === 0) throw outOfRange('periodMs', 'more than 0 milliseconds', periodMs);
    const missed = options.missed ?? 'burst';
    if (missed !== 'burst' && missed !== 'delay' && missed !== 'skip') {
      throw outOfRange('options.missed', "'burst', 'delay' or 'skip'", missed);
    }
    if (options.signal !== undefined) checkSignal(options.signal, 'options.signal');
    this.periodMs = periodMs;
    this.#missed = missed;
    this.#options = options;
    this.#dueMs = now();
  }

  /** Waits for the next tick and gives the time it was due at, in milliseconds of `now()`. */
  tick(): Operation<number> {
    if (this.#ended) throw new MillraceError('ERR_MILLRACE_CONSUMED', 'This interval has been stopped');
    if (this.#pending !== null) {
      throw new MillraceError(
        'ERR_MILLRACE_INVALID_STATE',
        'Another tick() of this interval is pending; wait for it first',
      );
    }
    const tick = new Tick(this.#dueMs, this);
    if (tick.state === 0) this.#pending = tick;
    return withSignal(tick, this.#options.signal);
  }

  /** Starts the schedule anew: the next tick, also one that is waited for, is one period from now. */
  reset(): void {
    this.#dueMs = now() + this.periodMs;
    this.#pending?.moveTo(this.#dueMs);
  }

  /** Ends the interval: a pending tick is cancelled. */
  stop(): void {
    this.#ended = true;
    this.#pending?.cancel('The interval was stopped');
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number, void, undefined> {
    while (!this.#ended) yield await this.tick();
  }

  /** @internal A tick has happened: when is the next one due? */
  advance(dueMs: number): void {
    this.#pending = null;
    const late = now();
    const next = dueMs + this.periodMs;
    if (this.#missed === 'delay' && late > next) this.#dueMs = late + this.periodMs;
    else if (this.#missed === 'skip' && late > next) {
      this.#dueMs = dueMs + Math.ceil((late - dueMs) / this.periodMs) * this.periodMs;
    } else this.#dueMs = next;
  }

  /** A tick that came and was not taken (it lost a select): the next one is due when it was. @internal */
  putBack(dueMs: number): void {
    if (dueMs >= this.#dueMs) return;
    if (this.#pending === null) this.#dueMs = dueMs;
    else this.#pending.moveTo(dueMs);
  }

  /** @internal */
  cancelled(): void {
    this.#pending = null;
  }
}

class Tick extends Operation<number> implements TimerTarget {
  readonly #interval: Interval;
  #dueMs: number;
  #slot = -1;

  constructor(dueMs: number, interval: Interval) {
    super();
    this.#dueMs = dueMs;
    this.#interval = interval;
    if (dueMs <= now()) this.timerFired();
    else this.#slot = arm(dueMs, this);
  }

  get kind(): string {
    return 'interval.tick';
  }

  timerFired(): void {
    this.#slot = -1;
    this.#interval.advance(this.#dueMs);
    this.fulfill(this.#dueMs);
  }

  moveTo(dueMs: number): void {
    disarm(this.#slot);
    this.#dueMs = dueMs;
    this.#slot = arm(dueMs, this);
  }

  protected onCancel(): void {
    disarm(this.#slot);
    this.#interval.cancelled();
  }

  protected override giveBack(dueMs: number): void {
    this.#interval.putBack(dueMs);
  }
}

/**
 * An interval of `periodMs` milliseconds.
 *
 * @param periodMs more than 0, at most 7.2e10.
 * @example
 * ```ts
 * let reports = 0;
 * for await (const _ of interval(5, { missed: 'skip' })) {
 *   if (++reports === 3) break;
 * }
 * ```
 * @throws TypeError, RangeError (`ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`) naming the argument.
 */
export function interval(periodMs: number, options: IntervalOptions = {}): Interval {
  return new Interval(periodMs, options);
}
