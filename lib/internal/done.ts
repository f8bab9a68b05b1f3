// The operation that was done when it was asked for, and has no result: a write that need not wait, a send that found
// room. It is a promise of the engine's own, already resolved, so `await` takes its fast path (one turn of the microtask
// queue, where any other object with a `then` costs three and two promises); fibers pass through it as through every
// ready operation. One is enough for all: it holds nothing that could be cancelled or given back.
import { FULFILLED, type Operation, RESUME, SUSPEND, type Suspend } from './operation.js';
import { scheduler } from './scheduler.js';

const PASSED: IteratorReturnResult<void> = { done: true, value: undefined };

export class Done extends Promise<void> {
  get kind(): string {
    return 'done';
  }

  get state(): typeof FULFILLED {
    return FULFILLED;
  }

  cancel(): void {}

  promise(): Promise<void> {
    return this;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(sent: unknown): IteratorResult<Suspend, void> {
    if (sent !== RESUME && scheduler.inTask && --scheduler.coop < 0) return forcedYield();
    return PASSED;
  }
}
/** To the engine it is no subclass: `await` must not wrap it. For each class that extends Done, too. */
export function hideSubclass(made: typeof Done): void {
  Object.defineProperty(made.prototype, 'constructor', { value: Promise });
}
hideSubclass(Done);

function forcedYield(): IteratorResult<Suspend, void> {
  const task = scheduler.current;
  if (task === null) return PASSED;
  scheduler.forcedYields++;
  scheduler.enqueue(task);
  return SUSPEND as never;
}

const done = new Done((resolve) => resolve());

/** The done operation. In a program where some task is cancelled, use `Ready`, which can throw in that task. */
export const DONE = done as unknown as Operation<void>;

export function isDone(value: unknown): boolean {
  return value instanceof Done;
}
