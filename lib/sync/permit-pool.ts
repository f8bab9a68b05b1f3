// Permits and who waits for them: what Semaphore, Mutex (one permit) and RwLock (a writer takes all of them) are made of.
//
// Fair: permits go to the first who waits, even if it waits for many and a later one would be content with few. Hence
// nobody takes a permit past somebody who waits. Permits in the pool + permits given out = total, at all times.
import { Operation } from '../internal/operation.js';
import { syncClosed } from './closed.js';
import { type Linked, WaitQueue } from './wait-queue.js';

export class PermitPool {
  free: number;
  closed = false;
  readonly waiting = new WaitQueue<Acquire<unknown>>();

  constructor(permits: number) {
    this.free = permits;
  }

  /** Takes `count` permits if they are there for the taking. */
  take(count: number): boolean {
    if (this.free < count || this.waiting.first !== null) return false;
    this.free -= count;
    return true;
  }

  give(count: number): void {
    this.free += count;
    this.serve();
  }

  serve(): void {
    for (let first = this.waiting.first; first !== null && first.count <= this.free; first = this.waiting.first) {
      this.waiting.remove(first);
      this.free -= first.count;
      first.grant();
    }
  }

  close(): void {
    this.closed = true;
    for (let first = this.waiting.shift(); first !== null; first = this.waiting.shift()) {
      first.reject(syncClosed(first.kind));
    }
  }
}

/** Waits for permits; `H` is what holds them then. */
export abstract class Acquire<H> extends Operation<H> implements Linked<Acquire<unknown>> {
  /** @internal */ previous: Acquire<unknown> | null = null;
  /** @internal */ following: Acquire<unknown> | null = null;
  readonly count: number;
  readonly #pool: PermitPool;

  constructor(pool: PermitPool, count: number) {
    super();
    this.#pool = pool;
    this.count = count;
  }

  /** To be called once the subclass is complete. */
  protected begin(): this {
    if (this.#pool.take(this.count)) this.grant();
    else this.#pool.waiting.push(this as Acquire<unknown>);
    return this;
  }

  /** The permits have been taken from the pool. */
  grant(): void {
    this.fulfill(this.hold());
  }

  protected abstract hold(): H;

  protected onCancel(): void {
    this.#pool.waiting.remove(this as Acquire<unknown>);
    // It may have been the first, waiting for many: others may be content with what is there.
    this.#pool.serve();
  }
}
