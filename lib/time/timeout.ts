import { type Awaitable, type Awaited2, toOperation } from '../internal/awaitable.js';
import { checkDelay, checkSignal, checkTime, type SignalOption, withSignal } from '../internal/cancel.js';
import { now } from '../internal/clock.js';
import { checkObject, TimeoutError } from '../internal/errors.js';
import { isCancellation, Operation, observed, PENDING, REJECTED, type Waiter } from '../internal/operation.js';
import { type Runnable, scheduler } from '../internal/scheduler.js';
import { arm, disarm, type TimerTarget } from '../internal/timers.js';

const NO_SLOT = -1;

class Timeout<T> extends Operation<T> implements Waiter, TimerTarget, Runnable {
  readonly #limited: Operation<T>;
  readonly #message: string;
  #slot = NO_SLOT;
  #expired: TimeoutError | null = null;

  constructor(limited: Operation<T>, deadlineMs: number, message: string) {
    super();
    this.#limited = limited;
    this.#message = message;
    if (limited.state !== PENDING) {
      this.wake(limited);
    } else {
      limited.addWaiter(this as Waiter);
      this.#slot = arm(deadlineMs, this);
    }
  }

  get kind(): string {
    return `timeout(${this.#limited.kind})`;
  }

  /** What was limited has ended, in time or because it was cancelled. */
  wake(limited: Operation<unknown>): void {
    this.#disarm();
    limited.taken = true;
    if (limited.state !== REJECTED) {
      this.fulfill(limited.value as T);
      return;
    }
    observed(limited);
    this.reject(this.#expired !== null && isEnd(limited.value) ? this.#expired : limited.value);
  }

  /** Cancelling may run user code (an AbortSignal's listeners): it waits for its turn. */
  timerFired(): void {
    this.#slot = NO_SLOT;
    scheduler.enqueue(this);
  }

  run(): void {
    if (this.state !== PENDING) return;
    this.#expired = new TimeoutError(this.#message);
    if (this.#limited.shared) {
      this.#limited.removeWaiter(this as Waiter);
      this.reject(this.#expired);
    } else {
      this.#limited.cancel(this.#expired);
    }
  }

  /** It ends when what it limits has ended. */
  override cancel(reason?: unknown): void {
    if (this.state !== PENDING || this.#limited.shared) super.cancel(reason);
    else this.#limited.cancel(reason);
  }

  protected override giveBack(): void {
    this.#limited.untake(this.value);
  }

  protected override giveBackError(_error: unknown, reason: unknown): void {
    this.#limited.untake(reason);
  }

  protected onCancel(): void {
    this.#disarm();
    this.#limited.removeWaiter(this as Waiter);
  }

  #disarm(): void {
    if (this.#slot === NO_SLOT) return;
    disarm(this.#slot);
    this.#slot = NO_SLOT;
  }
}

/** Before anything is started or armed. */
function checkOptions(options: SignalOption): void {
  checkObject(options, 'options');
  if (options.signal !== undefined) checkSignal(options.signal, 'options.signal');
}

function isEnd(error: unknown): boolean {
  return isCancellation(error) || error instanceof TimeoutError;
}

/**
 * Waits for `operation`, at most `limitMs` milliseconds. When they are over, the operation is cancelled and, once it has
 * ended, a TimeoutError is thrown. A function is run as a task of its own, and aborted; a JoinHandle's task goes on; a
 * promise cannot be stopped and is only not waited for any more.
 *
 * @param limitMs from 0 to 7.2e10.
 * @example
 * ```ts
 * const [sender, receiver] = channel<string>(1);
 * await timeout(5, receiver.recv()); // throws a TimeoutError
 * ```
 * @throws TimeoutError (`ERR_MILLRACE_TIMEOUT`); what the operation throws; TypeError and RangeError as `sleep` does.
 */
export function timeout<A extends Awaitable<unknown>>(
  limitMs: number,
  operation: A,
  options: SignalOption = {},
): Operation<Awaited2<A>> {
  checkDelay(limitMs, 'limitMs');
  checkOptions(options);
  const limited = toOperation(operation as Awaitable<Awaited2<A>>, 'operation');
  return withSignal(new Timeout(limited, now() + limitMs, `Not done within ${limitMs} ms`), options.signal);
}

/**
 * The same with a point in time: waits for `operation` until `now()` is `timeMs`.
 *
 * @example
 * ```ts
 * const end = now() + 10;
 * await deadline(end, sleep(1));
 * await deadline(end, sleep(60_000)); // throws a TimeoutError
 * ```
 * @throws as `timeout` does.
 */
export function deadline<A extends Awaitable<unknown>>(
  timeMs: number,
  operation: A,
  options: SignalOption = {},
): Operation<Awaited2<A>> {
  checkTime(timeMs, 'timeMs');
  checkOptions(options);
  const limited = toOperation(operation as Awaitable<Awaited2<A>>, 'operation');
  return withSignal(new Timeout(limited, timeMs, 'Not done before the deadline'), options.signal);
}
