import { checkDelay, checkTime, type SignalOption, withSignal } from '../internal/cancel.js';
import { now } from '../internal/clock.js';
import { checkObject } from '../internal/errors.js';
import { Operation } from '../internal/operation.js';
import { arm, disarm, setTimerRef, type TimerTarget } from '../internal/timers.js';

/** A pending `sleep`. */
export class Sleep extends Operation<void> implements TimerTarget {
  readonly #slot: number;

  /** @internal Use `sleep`. */
  constructor(deadlineMs: number) {
    super();
    this.#slot = arm(deadlineMs, this);
  }

  get kind(): string {
    return 'sleep';
  }

  /** Lets the process end although this sleep is pending. */
  unref(): this {
    if (this.state === 0) setTimerRef(this.#slot, false);
    return this;
  }

  /** Keeps the process alive while this sleep is pending, which is the default. */
  ref(): this {
    if (this.state === 0) setTimerRef(this.#slot, true);
    return this;
  }

  /** @internal */
  timerFired(): void {
    this.fulfill(undefined);
  }

  protected onCancel(): void {
    disarm(this.#slot);
  }
}

/**
 * Waits for `delayMs` milliseconds, counted from the call. Never ends early; ends at most a tick of the wheel (65.536 us)
 * and a turn of the event loop late on Linux, elsewhere 1 ms.
 *
 * @param delayMs fractions count; from 0 to 7.2e10 (834 days).
 * @example
 * ```ts
 * await sleep(0.25);
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) for what is no number, RangeError (`ERR_OUT_OF_RANGE`) for NaN, negative
 * numbers and those beyond the range. Cancelled: AbortError.
 */
export function sleep(delayMs: number, options?: SignalOption): Sleep {
  const operation = new Sleep(now() + checkDelay(delayMs, 'delayMs'));
  if (options === undefined) return operation;
  return withOptions(operation, options);
}

/**
 * Waits until `now()` is `timeMs`; a time in the past ends at the next tick.
 *
 * @example
 * ```ts
 * await sleepUntil(now() + 100);
 * ```
 * @throws as `sleep` does.
 */
export function sleepUntil(timeMs: number, options?: SignalOption): Sleep {
  const operation = new Sleep(checkTime(timeMs, 'timeMs'));
  if (options === undefined) return operation;
  return withOptions(operation, options);
}

function withOptions(operation: Sleep, options: SignalOption): Sleep {
  try {
    checkObject(options, 'options');
    return withSignal(operation, options.signal);
  } catch (error) {
    operation.cancel(error);
    throw error;
  }
}
