import type { SignalOption } from '../internal/cancel.js';
import type { Operation } from '../internal/operation.js';
import { beginWith } from './begin.js';
import { Guard } from './guard.js';
import { Acquire, PermitPool } from './permit-pool.js';

/** What the lock and its guards share. */
interface Protected<T> {
  readonly pool: PermitPool;
  value: T;
}

/** The lock of a {@link Mutex}, held until released; `value` is what it protects. */
export class MutexGuard<T> extends Guard {
  readonly #state: Protected<T>;
  protected readonly what = 'The lock';

  /** @internal Use `mutex.lock()`. */
  constructor(state: Protected<T>) {
    super();
    this.#state = state;
  }

  /** @throws MillraceError `ERR_MILLRACE_PERMIT_RELEASED` once the lock was released. */
  get value(): T {
    this.check();
    return this.#state.value;
  }

  set value(value: T) {
    this.check();
    this.#state.value = value;
  }

  protected giveUp(): void {
    this.#state.pool.give(1);
  }
}

class Lock<T> extends Acquire<MutexGuard<T>> {
  readonly #state: Protected<T>;

  constructor(state: Protected<T>) {
    super(state.pool, 1);
    this.#state = state;
    this.begin();
  }

  get kind(): string {
    return 'mutex.lock';
  }

  protected hold(): MutexGuard<T> {
    return new MutexGuard(this.#state);
  }

  protected override giveBack(guard: MutexGuard<T>): void {
    guard.release();
  }
}

/**
 * Lets one task in at a time, in order of arrival, for what must not be interleaved across an `await`. It may protect a
 * value, which only the holder of the lock can get at.
 *
 * @example
 * ```ts
 * const balance = new Mutex(100);
 * async function withdraw(amount: number) {
 *   using account = await balance.lock();
 *   await yieldNow(); // nobody else gets in meanwhile
 *   account.value -= amount;
 * }
 * await all([spawn(() => withdraw(30)), spawn(() => withdraw(50))]);
 * ```
 */
export class Mutex<T = undefined> {
  readonly #state: Protected<T>;

  constructor(...value: T extends undefined ? [value?: T] : [value: T]) {
    this.#state = { pool: new PermitPool(1), value: value[0] as T };
  }

  /** True while somebody holds the lock. */
  get locked(): boolean {
    return this.#state.pool.free === 0;
  }

  /**
   * Waits for the lock. Cancelled, or losing a `select`, it does not hold it. It is not reentrant: a task that locks
   * twice waits for itself.
   *
   * @throws AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  lock(options?: SignalOption): Operation<MutexGuard<T>> {
    if (options !== undefined) return beginWith(options, () => this.lock());
    return new Lock(this.#state);
  }

  /** The lock if it is free, otherwise null. */
  tryLock(): MutexGuard<T> | null {
    return this.#state.pool.take(1) ? new MutexGuard(this.#state) : null;
  }
}
