// Which task is this code part of? And which AsyncLocalStorage stores does it see?
//
// A fiber (and the synchronous first part of any task) is `scheduler.current` while it runs: free. An async function's
// continuations are run by the engine, so an AsyncLocalStorage of ours follows them; it is made when the first such task
// starts. In Node 24 that costs a few ns an await; in Node 20 and 22 its promise hooks cost about 70 ns a promise, so a
// program that only has fibers must never start it.
//
// The user's own stores have to follow fibers, which the engine knows nothing of. A snapshot for each spawn would cost
// every program; so none is taken until somebody enters a store. To notice that, `run` and `enterWith` are wrapped until
// their first call, which puts the originals back.
import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks';
import { scheduler } from './scheduler.js';
import type { Task } from './task.js';

type Run = <R>(store: Task, fn: () => R) => R;
/** Calls `fn(argument)` in the async context in which the snapshot was taken. */
export type Snapshot = <A>(fn: (argument: A) => void, argument: A) => void;

const prototype = AsyncLocalStorage.prototype as unknown as Record<'run' | 'enterWith', (...args: unknown[]) => unknown>;
const originalRun = prototype.run;
const originalEnterWith = prototype.enterWith;

let taskStore: AsyncLocalStorage<Task> | null = null;
let storesEntered = storesAtImport();

if (!storesEntered) {
  const tripped = (): void => {
    storesEntered = true;
    if (prototype.run === watchedRun) prototype.run = originalRun;
    if (prototype.enterWith === watchedEnterWith) prototype.enterWith = originalEnterWith;
  };
  const watchedRun = function run(this: unknown, ...args: unknown[]): unknown {
    tripped();
    return originalRun.apply(this, args);
  };
  const watchedEnterWith = function enterWith(this: unknown, ...args: unknown[]): unknown {
    tripped();
    return originalEnterWith.apply(this, args);
  };
  prototype.run = watchedRun;
  prototype.enterWith = watchedEnterWith;
}

/** A store that was entered before this module was loaded shows on the current resource, under a symbol. */
function storesAtImport(): boolean {
  const resource = executionAsyncResource() as object;
  if (Object.getOwnPropertySymbols(resource).some((symbol) => String(symbol).includes('kResourceStore'))) return true;
  const probe = new AsyncResource('millrace.probe') as unknown as Record<symbol, unknown>;
  return Object.getOwnPropertySymbols(probe).some((symbol) => probe[symbol] instanceof Map);
}

/** The task that the calling code is part of, or null. */
export function currentTask(): Task | null {
  if (scheduler.current !== null) return scheduler.current;
  return taskStore === null ? null : (taskStore.getStore() ?? null);
}

/** Runs the first part of a task that is not a fiber, so that its continuations know the task. */
export function runInTask<R>(task: Task, fn: () => R): R {
  taskStore ??= new AsyncLocalStorage<Task>();
  return (originalRun as unknown as Run).call(taskStore as never, task, fn) as R;
}

/** The async context here and now, for a fiber or a kept callback; null while nobody uses AsyncLocalStorage. */
export function snapshot(): Snapshot | null {
  return storesEntered ? (AsyncLocalStorage.snapshot() as Snapshot) : null;
}
