// Giving the others a turn.
//
// A fiber's yield is one shared object: no allocation. Async tasks that
// yield in the same turn share one promise, which stands in the queue in their place: an `await` of it costs what an
// `await` costs and nothing more. A round is bounded, so that a hundred thousand of them cannot hold up the tick.
import { Failed, RESUME, type Suspend } from '../internal/operation.js';
import { POLLS_PER_PROMISE, type Runnable, scheduler } from '../internal/scheduler.js';
import { currentTask } from '../internal/task-context.js';

/** `await yieldNow()` or `yield* yieldNow()`. */
export interface Yield extends PromiseLike<void> {
  [Symbol.iterator](): Iterator<Suspend, void, unknown>;
}

const ROUND_TASKS_MAX = 256;
const GIVE_WAY: IteratorYieldResult<Suspend> = { done: false, value: undefined as never };
const YIELDED: IteratorReturnResult<void> = { done: true, value: undefined };

/** What it gives a fiber to yield is what a bare `yield` gives: the scheduler does the rest. */
class FiberYield implements Yield {
  [Symbol.iterator](): Iterator<Suspend, void, unknown> {
    return this as unknown as Iterator<Suspend, void, unknown>;
  }

  next(sent: unknown): IteratorResult<Suspend, void> {
    if (sent === RESUME) return YIELDED;
    if (!scheduler.inTask) throw new TypeError('yield* yieldNow() works only in a fiber; use await here');
    return GIVE_WAY;
  }

  /** The task was cancelled while the others had their turn. */
  throw(reason: unknown): never {
    throw reason;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is awaitable by design
  then<A, B>(
    onFulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return joinRound().then(onFulfilled, onRejected) as Promise<A | B>;
  }
}

/** A promise that fibers can yield* as well. It stays a plain promise to the engine, so `await` takes its fast path. */
class YieldPromise extends Promise<void> implements Yield {
  [Symbol.iterator](): Iterator<Suspend, void, unknown> {
    return fiberYield[Symbol.iterator]();
  }
}
Object.defineProperty(YieldPromise.prototype, 'constructor', { value: Promise });

/** The async tasks that yielded in one turn. */
class Round implements Runnable {
  tasks = 0;
  #resolve!: () => void;
  readonly promise = new YieldPromise((resolve) => {
    this.#resolve = resolve as () => void;
  });

  run(): void {
    if (open === this) open = null;
    scheduler.credit -= this.tasks * POLLS_PER_PROMISE - 1;
    scheduler.polls += this.tasks - 1;
    this.#resolve();
  }
}

const fiberYield = new FiberYield();
let open: Round | null = null;

function joinRound(): YieldPromise {
  if (open === null || open.tasks === ROUND_TASKS_MAX) {
    open = new Round();
    scheduler.enqueue(open);
  }
  open.tasks++;
  return open.promise;
}

/**
 * Lets every other runnable task, and I/O once a tick's budget is spent, go first.
 *
 * @example
 * ```ts
 * let sum = 0;
 * for (let i = 0; i < 1000; i++) {
 *   sum += i;
 *   if (i % 100 === 0) await yieldNow();
 * }
 * ```
 * In a fiber a bare `yield` does the same, and is the fastest. It throws an AbortError in a task that was cancelled.
 */
export function yieldNow(): Yield {
  if (scheduler.inTask) return fiberYield;
  if (scheduler.cancelled > 0) {
    const task = currentTask();
    if (task?.cancelled === true) return new Failed(task.reason);
  }
  return joinRound();
}
