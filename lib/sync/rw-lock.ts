import type { SignalOption } from '../internal/cancel.js';
import type { Operation } from '../internal/operation.js';
import { beginWith } from './begin.js';
import { Guard } from './guard.js';
import { Acquire, PermitPool } from './permit-pool.js';

/** Readers at a time; a writer takes the place of all of them. */
const READERS_MAX = 0x1fff_ffff;

/** What the lock and its guards share. */
interface Protected<T> {
  readonly pool: PermitPool;
  value: T;
}

/** A reader's hold on an {@link RwLock}. */
export class ReadGuard<T> extends Guard {
  readonly #state: Protected<T>;
  protected readonly what = 'The read lock';

  /** @internal Use `lock.read()`. */
  constructor(state: Protected<T>) {
    super();
    this.#state = state;
  }

  /** @throws MillraceError `ERR_MILLRACE_PERMIT_RELEASED` once the lock was released. */
  get value(): T {
    this.check();
    return this.#state.value;
  }

  protected giveUp(): void {
    this.#state.pool.give(1);
  }
}

/** The writer's hold on an {@link RwLock}. */
export class WriteGuard<T> extends Guard {
  readonly #state: Protected<T>;
  protected readonly what = 'The write lock';

  /** @internal Use `lock.write()`. */
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

  /**
   * Turns the writer into a reader without letting another writer in between.
   * @throws MillraceError `ERR_MILLRACE_PERMIT_RELEASED` if the lock was released already.
   */
  downgrade(): ReadGuard<T> {
    this.spend();
    const guard = new ReadGuard(this.#state);
    this.#state.pool.give(READERS_MAX - 1);
    return guard;
  }

  protected giveUp(): void {
    this.#state.pool.give(READERS_MAX);
  }
}

class Read<T> extends Acquire<ReadGuard<T>> {
  readonly #state: Protected<T>;

  constructor(state: Protected<T>) {
    super(state.pool, 1);
    this.#state = state;
    this.begin();
  }

  get kind(): string {
    return 'rwLock.read';
  }

  protected hold(): ReadGuard<T> {
    return new ReadGuard(this.#state);
  }

  protected override giveBack(guard: ReadGuard<T>): void {
    guard.release();
  }
}

class Write<T> extends Acquire<WriteGuard<T>> {
  readonly #state: Protected<T>;

  constructor(state: Protected<T>) {
    super(state.pool, READERS_MAX);
    this.#state = state;
    this.begin();
  }

  get kind(): string {
    return 'rwLock.write';
  }

  protected hold(): WriteGuard<T> {
    return new WriteGuard(this.#state);
  }

  protected override giveBack(guard: WriteGuard<T>): void {
    guard.release();
  }
}

/**
 * Lets many readers in, or one writer. Fair: a reader that comes after a waiting writer waits behind it, so readers
 * cannot starve writers. (So a task that reads must not read again while it does: a writer may wait in between.)
 *
 * @example
 * ```ts
 * const config = new RwLock({ level: 'info' });
 * {
 *   using reader = await config.read();
 *   console.log(reader.value.level);
 * }
 * {
 *   using writer = await config.write();
 *   writer.value = { level: 'debug' };
 * }
 * ```
 */
export class RwLock<T = undefined> {
  readonly #state: Protected<T>;

  constructor(...value: T extends undefined ? [value?: T] : [value: T]) {
    this.#state = { pool: new PermitPool(READERS_MAX), value: value[0] as T };
  }

  /**
   * Waits until no writer holds the lock and none waits before this. Cancelled, or losing a `select`, it holds nothing.
   *
   * @throws AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  read(options?: SignalOption): Operation<ReadGuard<T>> {
    if (options !== undefined) return beginWith(options, () => this.read());
    return new Read(this.#state);
  }

  /**
   * Waits until nobody holds the lock. Cancelled, or losing a `select`, it holds nothing.
   *
   * @throws AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  write(options?: SignalOption): Operation<WriteGuard<T>> {
    if (options !== undefined) return beginWith(options, () => this.write());
    return new Write(this.#state);
  }

  /** A read lock if no writer holds or awaits the lock, otherwise null. */
  tryRead(): ReadGuard<T> | null {
    return this.#state.pool.take(1) ? new ReadGuard(this.#state) : null;
  }

  /** The write lock if nobody holds the lock, otherwise null. */
  tryWrite(): WriteGuard<T> | null {
    return this.#state.pool.take(READERS_MAX) ? new WriteGuard(this.#state) : null;
  }
}
