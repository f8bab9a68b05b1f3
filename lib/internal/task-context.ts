// Which task is this code part of? And which AsyncLocalStorage stores does it see?
//
// A fiber (and the synchronous first part of any task) is `scheduler.current` while it runs: free. An async function's
// continuations are run by the engine, so a value of ours has to follow them; it is set when the first such task starts.
// - Node 20 and 22: V8's continuation data, which the addon reaches where the engine exports it. It costs a call of
//   30 ns where an operation is awaited, and promises nothing.
// - Node 24 and later, where that belongs to AsyncLocalStorage, and wherever it cannot be had: an AsyncLocalStorage. In
//   Node 24 that costs a few ns an await; in Node 20 and 22 its promise hooks cost about 70 ns a promise.
//
// The user's own stores have to follow fibers, which the engine knows nothing of. A snapshot for each spawn would cost
// every program; so none is taken until somebody enters a store. To notice that, `run` and `enterWith` are wrapped until
// their first call, which puts the originals back.
import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks';
import { type Addon, loadAddon } from './binding.js';
import { scheduler } from './scheduler.js';
import type { Task } from './task.js';

/** Calls `fn(argument)` in the async context in which the snapshot was taken. */
export type Snapshot = <A>(fn: (argument: A) => void, argument: A) => void;

const prototype = AsyncLocalStorage.prototype as unknown as Record<
  'run' | 'enterWith',
  (...args: unknown[]) => unknown
>;
const originalRun = prototype.run;
const originalEnterWith = prototype.enterWith;

let storesEntered = storesAtImport();
/** The context of the import, which sees no store. */
const empty = AsyncLocalStorage.snapshot() as <R>(fn: () => R) => R;
let tellStoresEntered = (): void => {};

if (!storesEntered) {
  const tripped = (): void => {
    storesEntered = true;
    tellStoresEntered();
    if (prototype.run === watchedRun) prototype.run = originalRun;
    if (prototype.enterWith === watchedEnterWith) prototype.enterWith = originalEnterWith;
  };
  const watchedRun = function run(this: unknown, ...args: unknown[]): unknown {
    tripped();
    return originalRun.apply(this, args);
  };
  const watchedEnterWith = function enterWith(this: unknown, ...args: unknown[]): unknown {
    tripped();
    const result = originalEnterWith.apply(this, args);
    // A fiber that enters a store keeps it; those that run after it in this same turn must not see it.
    scheduler.current?.keepContext();
    return result;
  };
  prototype.run = watchedRun;
  prototype.enterWith = watchedEnterWith;
}

/** Calls `listener` when the first store is entered, or now if that has happened. */
export function onStoresEntered(listener: () => void): void {
  if (storesEntered) listener();
  else tellStoresEntered = listener;
}

/** A context of its own in which no store was entered, for a task from before there was one. */
export function emptyContext(): Snapshot {
  return empty(() => AsyncLocalStorage.snapshot() as Snapshot);
}

/** A store that was entered before this module was loaded shows on the current resource, under a symbol. */
function storesAtImport(): boolean {
  const resource = executionAsyncResource() as object;
  if (Object.getOwnPropertySymbols(resource).some((symbol) => String(symbol).includes('kResourceStore'))) return true;
  const probe = new AsyncResource('millrace.probe') as unknown as Record<symbol, unknown>;
  return Object.getOwnPropertySymbols(probe).some((symbol) => probe[symbol] instanceof Map);
}

/** What follows the continuations of async functions. */
interface Follower {
  get(): Task | null;
  run<R>(task: Task | null, fn: () => R): R;
}

class ContinuationData implements Follower {
  constructor(readonly addon: Required<Pick<Addon, 'getContinuation' | 'swapContinuation'>>) {}

  get(): Task | null {
    return (this.addon.getContinuation() as Task | undefined) ?? null;
  }

  run<R>(task: Task | null, fn: () => R): R {
    const before = this.addon.swapContinuation(task ?? undefined);
    try {
      return fn();
    } finally {
      this.addon.swapContinuation(before);
    }
  }
}

class Storage implements Follower {
  readonly #store = new AsyncLocalStorage<Task | null>();

  get(): Task | null {
    return this.#store.getStore() ?? null;
  }

  run<R>(task: Task | null, fn: () => R): R {
    return originalRun.call(this.#store, task, fn) as R;
  }
}

let follower: Follower | null = null;

function makeFollower(): Follower {
  const { getContinuation, swapContinuation } = loadAddon();
  if (getContinuation === undefined || swapContinuation === undefined) return new Storage();
  // Node 22 can be told to keep its own frames there.
  const probe = new AsyncLocalStorage<object>();
  const taken = originalRun.call(probe, {}, () => getContinuation() !== undefined);
  probe.disable();
  return taken ? new Storage() : new ContinuationData({ getContinuation, swapContinuation });
}

/** The task that the calling code is part of, or null. */
export function currentTask(): Task | null {
  if (scheduler.inTask) return scheduler.current;
  return follower === null ? null : follower.get();
}

/** The async task that awaits something here and now, or null. */
export function awaitingTask(): Task | null {
  if (follower === null) return null;
  const task = currentTask();
  return task === null || task.isFiber ? null : task;
}

/** Runs the first part of a task that is not a fiber, so that its continuations know the task. */
export function runInTask<R>(task: Task, fn: () => R): R {
  follower ??= makeFollower();
  return follower.run(task, fn);
}

/** The async context here and now, for a fiber or a kept callback; null while nobody uses AsyncLocalStorage. */
export function snapshot(): Snapshot | null {
  return storesEntered ? (AsyncLocalStorage.snapshot() as Snapshot) : null;
}

/** Runs what is no part of the task that happens to be the current one: handlers, called from the run queue. */
export function outsideTasks<R>(fn: () => R): R {
  return follower === null ? fn() : follower.run(null, fn);
}

/** As `snapshot`, for callbacks that outlive the task which gave them: what they wait for is no part of it. */
export function handlerContext(): Snapshot | null {
  return storesEntered ? outsideTasks(snapshot) : null;
}
