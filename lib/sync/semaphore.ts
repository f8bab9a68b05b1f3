import type { SignalOption } from '../internal/cancel.js';
import { checkInteger, outOfRange } from '../internal/errors.js';
import type { Operation } from '../internal/operation.js';
import { beginWith, refused } from './begin.js';
import { syncClosed } from './closed.js';
import { Guard } from './guard.js';
import { Acquire, PermitPool } from './permit-pool.js';

const PERMITS_MAX = 0x3fff_ffff;

/** Permits of a {@link Semaphore}, until they are released. */
export class SemaphorePermit extends Guard {
  /** How many permits it stands for. */
  readonly count: number;
  readonly #pool: PermitPool;
  protected readonly what = 'The permit';

  /** @internal Use `semaphore.acquire()`. */
  constructor(pool: PermitPool, count: number) {
    super();
    this.#pool = pool;
    this.count = count;
  }

  /**
   * Gives the permits up without giving them back: the semaphore has so many fewer from now on.
   * @throws MillraceError `ERR_MILLRACE_PERMIT_RELEASED` if they were released already.
   */
  forget(): void {
    this.spend();
  }

  protected giveUp(): void {
    this.#pool.give(this.count);
  }
}

class SemaphoreAcquire extends Acquire<SemaphorePermit> {
  readonly #pool: PermitPool;

  constructor(pool: PermitPool, count: number) {
    super(pool, count);
    this.#pool = pool;
    this.begin();
  }

  get kind(): string {
    return 'semaphore.acquire';
  }

  protected hold(): SemaphorePermit {
    return new SemaphorePermit(this.#pool, this.count);
  }

  protected override giveBack(permit: SemaphorePermit): void {
    permit.release();
  }
}

/**
 * Lets a limited number of tasks in at a time. Fair: who came first is served first, even if it asks for many permits
 * and there are some for a later one.
 *
 * @example
 * ```ts
 * const connections = new Semaphore(2);
 * async function query(text: string) {
 *   using _permit = await connections.acquire();
 *   return `${text}: at most two of these at a time`;
 * }
 * await all(['a', 'b', 'c'].map((text) => spawn(() => query(text))));
 * ```
 */
export class Semaphore {
  readonly #pool: PermitPool;

  /**
   * @param permits how many there are: 0 to 1,073,741,823.
   * @throws TypeError (`ERR_INVALID_ARG_TYPE`) or RangeError (`ERR_OUT_OF_RANGE`).
   */
  constructor(permits: number) {
    checkInteger(permits, 'permits', 0, PERMITS_MAX);
    this.#pool = new PermitPool(permits);
  }

  /** Permits that nobody holds. Some may be there although tasks wait: the first of them waits for more. */
  get available(): number {
    return this.#pool.free;
  }

  get closed(): boolean {
    return this.#pool.closed;
  }

  /**
   * Waits for one permit. Cancelled, or losing a `select`, it holds none.
   *
   * @throws MillraceError `ERR_MILLRACE_SYNC_CLOSED` (from the operation) if the semaphore is closed, also while it
   * waits. AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  acquire(options?: SignalOption): Operation<SemaphorePermit> {
    return this.acquireMany(1, options);
  }

  /**
   * Waits for `count` permits at once, as `acquire` does. More than there are in all means waiting for `addPermits`.
   *
   * @param count 1 to 1,073,741,823.
   * @example
   * ```ts
   * const memoryMb = new Semaphore(512);
   * using permit = await memoryMb.acquireMany(128);
   * console.log(permit.count, memoryMb.available); // 128 384
   * ```
   * @throws as `acquire` does; RangeError (`ERR_OUT_OF_RANGE`) or TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `count`.
   */
  acquireMany(count: number, options?: SignalOption): Operation<SemaphorePermit> {
    checkInteger(count, 'count', 1, PERMITS_MAX);
    if (options !== undefined) return beginWith(options, () => this.acquireMany(count));
    if (this.#pool.closed) return refused(syncClosed('semaphore.acquire'));
    return new SemaphoreAcquire(this.#pool, count);
  }

  /**
   * `count` permits (1 unless told otherwise) if they are there and nobody waits for any; otherwise null.
   * @throws MillraceError `ERR_MILLRACE_SYNC_CLOSED` if the semaphore is closed; as `acquireMany` for a wrong `count`.
   */
  tryAcquire(count = 1): SemaphorePermit | null {
    checkInteger(count, 'count', 1, PERMITS_MAX);
    if (this.#pool.closed) throw syncClosed('semaphore.tryAcquire');
    return this.#pool.take(count) ? new SemaphorePermit(this.#pool, count) : null;
  }

  /**
   * Adds `count` permits to those that there are.
   * @throws RangeError (`ERR_OUT_OF_RANGE`) or TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `count`, or if more than
   * 1,073,741,823 would be available.
   */
  addPermits(count: number): void {
    checkInteger(count, 'count', 0, PERMITS_MAX);
    if (this.#pool.free + count > PERMITS_MAX) {
      throw outOfRange(
        'count',
        `at most ${PERMITS_MAX - this.#pool.free}, so that ${PERMITS_MAX} are available`,
        count,
      );
    }
    this.#pool.give(count);
  }

  /** Ends every waiting `acquire`, and each later one, with `ERR_MILLRACE_SYNC_CLOSED`. Permits that are out stay good. */
  close(): void {
    this.#pool.close();
  }
}
