// What a task waits for. One object serves both kinds of task: `await operation` and `yield* operation`.
//
// - An operation starts when it is made, as a promise does. It settles once.
// - A fiber that waits for it is resumed straight from the run queue. `yield*` calls `next(undefined)` first; the
//   scheduler resumes with `next(RESUME)`. The operation is its own iterator and its own iterator result, so waiting
//   allocates nothing: `done` is constantly true, and a pending wait answers with the shared SUSPEND result instead.
// - A promise exists only when somebody asks for one (`then`), and is settled within the tick's budget.
// - `cancel` rejects a pending operation with an AbortError. On a fulfilled one whose result nobody has taken yet, it
//   gives the result back (a message to its channel, a permit to its semaphore), so that losing a `select` loses nothing.
import { AbortError, abortError, MillraceError } from './errors.js';
import { POLLS_PER_PROMISE, type Runnable, scheduler } from './scheduler.js';
import type { Task } from './task.js';
import { awaitingTask } from './task-context.js';

export const PENDING = 0;
export const FULFILLED = 1;
export const REJECTED = 2;
export type State = typeof PENDING | typeof FULFILLED | typeof REJECTED;

/** What a fiber yields while it waits. Fibers yield nothing else. */
export type Suspend = { readonly done: false; readonly value: undefined };

/** The one result that every pending operation answers a fiber with. */
export const SUSPEND: Suspend = { done: false, value: undefined };
/** What the scheduler resumes a fiber with; tells the first `next` of a `yield*` from the second. */
export const RESUME = Symbol('millrace.resume');

/** Whoever is told that an operation has settled. Called once; it must only queue, never run user code. */
export interface Waiter {
  wake(operation: Operation<unknown>): void;
}

type Then<T> = <A = T, B = never>(
  onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
  onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
) => Promise<A | B>;

const thenOutsideTasks = function (
  this: Operation<unknown>,
  onFulfilled?: ((value: unknown) => unknown) | null,
  onRejected?: ((reason: unknown) => unknown) | null,
): Promise<unknown> {
  return this.promiseFor(null).then(onFulfilled, onRejected);
} as Then<never>;

export abstract class Operation<T> implements PromiseLike<T> {
  /** Constantly true: see the invariants above. */
  readonly done = true as const;
  /** The result, or the error when `state` is REJECTED. */
  value: T = undefined as T;
  /** @internal */ state: State = PENDING;
  /** @internal */ taken = false;
  /** @internal */ waiter: Waiter | null = null;
  /** @internal Who cancels it and must be told when there is nothing left to cancel. */
  owner: Owner | null = null;

  /** What the task dump and the metrics call it: 'sleep', 'channel.recv'. */
  abstract get kind(): string;

  /** The work is undone: take it off the wheel, out of the queue. Called once, while still pending. */
  protected abstract onCancel(reason: unknown): void;

  /** A result that was never taken goes back to where it came from. */
  protected giveBack(_value: T): void {}

  /** An error that was never taken, for those that must not be lost either (a receiver that lagged). */
  protected giveBackError(_error: unknown, _reason: unknown): void {}

  /** True where a cancellation of the waiting task does not reach it (see `shield`). @internal */
  get shielded(): boolean {
    return false;
  }

  /** True where many may wait for it, so that a cancelled waiter only stops waiting (a JoinHandle). @internal */
  get shared(): boolean {
    return false;
  }

  /**
   * Cancels: what waits for the operation is thrown an AbortError with `reason` as its cause. A settled operation stays
   * as it is, unless its result has not been taken and can go back to where it came from: then it counts as cancelled
   * in time.
   */
  cancel(reason?: unknown): void {
    if (this.state === PENDING) {
      this.onCancel(reason);
      if (this.state !== PENDING) return;
      // Not `reject`: whoever cancels knows of it, so with nobody waiting there is nobody to be told.
      this.state = REJECTED;
      this.value = abortError(reason) as T;
      this.settled();
    } else if (this.state === FULFILLED && !this.taken) {
      this.taken = true;
      if (this.giveBack === Operation.prototype.giveBack) return;
      const value = this.value;
      // Whoever waits for it after all must not get what others have got by then.
      this.state = REJECTED;
      this.value = abortError(reason) as T;
      this.giveBack(value);
    } else if (this.state === REJECTED && !this.taken) {
      this.taken = true;
      this.giveBackError(this.value, reason);
    }
  }

  /** What took the result for somebody else (a select, a timeout) was cancelled before that one took it. @internal */
  untake(reason: unknown): void {
    if (this.state === PENDING) return;
    this.taken = false;
    this.cancel(reason);
  }

  /** Lost a select or a race. For most operations that is `cancel`; a JoinHandle only stops being waited for. @internal */
  abandon(waiter: Waiter): void {
    this.removeWaiter(waiter);
    if (this.state === REJECTED) observed(this as Operation<unknown>);
    this.cancel();
  }

  /** @internal */
  fulfill(value: T): void {
    if (this.state !== PENDING) return;
    this.state = FULFILLED;
    this.value = value;
    this.settled();
  }

  /** @internal */
  reject(error: unknown): void {
    if (this.state !== PENDING) return;
    this.state = REJECTED;
    this.value = error as T;
    if (this.waiter === null) this.unobserved(error);
    this.settled();
  }

  /** It failed and nobody waits for it (yet). Silence would lose the error. @internal */
  protected unobserved(error: unknown): void {
    if (!isCancellation(error)) reportUnlessTaken(this as Operation<unknown>, error);
  }

  /** @internal */
  protected settled(): void {
    if (this.owner !== null) {
      this.owner.disown(this as Operation<unknown>);
      this.owner = null;
    }
    const waiter = this.waiter;
    if (waiter !== null) {
      this.waiter = null;
      waiter.wake(this as Operation<unknown>);
    }
  }

  /** @internal */
  addWaiter(waiter: Waiter): void {
    if (this.waiter === null) this.waiter = waiter;
    else if (this.waiter instanceof Waiters) this.waiter.all.push(waiter);
    else this.waiter = new Waiters([this.waiter, waiter]);
  }

  /** @internal */
  removeWaiter(waiter: Waiter): void {
    if (this.waiter === waiter) this.waiter = null;
    else if (this.waiter instanceof Waiters) this.waiter.remove(waiter);
  }

  /** True while more than one wait for it. @internal */
  get crowded(): boolean {
    return this.waiter instanceof Waiters && this.waiter.all.length > 1;
  }

  /** For `yield*`. */
  [Symbol.iterator](): Iterator<Suspend, T, unknown> {
    return this as unknown as Iterator<Suspend, T, unknown>;
  }

  /** For `yield*`: see the invariants above. @internal */
  next(sent: unknown): IteratorResult<Suspend, T> {
    if (sent !== RESUME) {
      const task = scheduler.current;
      if (task === null || !task.isFiber) throw notInFiber(this.kind);
      if (task.waitingFor !== null) throw waitsAlready(this.kind, task.waitingFor.kind);
      if (this.state === PENDING) {
        if (!task.cancelled || this.shielded) {
          this.addWaiter(task);
          task.waitingFor = this as Operation<unknown>;
          return SUSPEND as never;
        }
        if (this.shared) throw task.reason;
        this.cancel(task.reason);
        if (this.state === PENDING) {
          // It ends in its own time (a scope waits for its children): wait, and throw what it ends with.
          this.addWaiter(task);
          task.waitingFor = this as Operation<unknown>;
          return SUSPEND as never;
        }
      } else if (task.cancelled && this.state === FULFILLED && !this.shielded) {
        // A task that finds everything ready could never be aborted otherwise.
        if (!this.shared) this.cancel(task.reason);
        throw task.reason;
      } else if (--scheduler.coop < 0) {
        scheduler.forcedYields++;
        scheduler.enqueue(task);
        return SUSPEND as never;
      }
    }
    // Resumed, yet still pending: the wait was cancelled, not what was waited for.
    if (this.state === PENDING) throw (scheduler.current as Task).reason ?? drivenTwice(this.kind);
    this.taken = true;
    if (this.state === REJECTED) {
      observed(this as Operation<unknown>);
      throw this.value;
    }
    return this as unknown as IteratorReturnResult<T>;
  }

  /**
   * For `await`, and for whoever chains. A getter, because the engine reads it where the `await` stands but calls it
   * later, from a microtask of its own: only here is it known which task waits.
   */
  // biome-ignore lint/suspicious/noThenProperty: an operation is awaitable by design
  get then(): Then<T> {
    const task = awaitingTask();
    if (task === null) return thenOutsideTasks;
    return (onFulfilled, onRejected) => this.promiseFor(task).then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.promise().then(null, onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.promise().finally(onFinally);
  }

  /** The operation as a real Promise. */
  promise(): Promise<T> {
    return this.promiseFor(awaitingTask());
  }

  /** @internal The promise that `task`, an async one, waits for. */
  promiseFor(task: Task | null): Promise<T> {
    const delivery = new Delivery<T>();
    if (this.state === PENDING) {
      // The waiter first: in a cancelled task the operation is cancelled at once, and the await must be told.
      this.addWaiter(delivery as Waiter);
      if (task !== null) this.ownBy(task);
    } else {
      if (this.state === REJECTED) {
        observed(this as Operation<unknown>);
      } else if (task !== null && task.cancelled && !this.shielded) {
        if (!this.shared) this.cancel(task.reason);
        return new Failed(task.reason).promiseFor(null);
      }
      delivery.wake(this);
    }
    return delivery.promise;
  }

  /** An aborted task cancels what it awaits. Fibers have `waitingFor` for that. */
  private ownBy(task: Task): void {
    if (task.cancelled && !this.shielded) {
      this.cancel(task.reason);
    } else if (this.owner === null) {
      this.owner = task;
      task.own(this as Operation<unknown>);
    } else {
      this.owner.share(this as Operation<unknown>, task);
    }
  }
}

/**
 * An operation that many may wait for, like a JoinHandle: cancelling a task that waits for it, or losing a select, ends
 * that wait and touches nothing else.
 */
export abstract class SharedOperation<T> extends Operation<T> {
  override get shared(): boolean {
    return true;
  }

  override abandon(waiter: Waiter): void {
    this.removeWaiter(waiter);
  }

  /** @internal An async task waits through an operation of its own, which can be cancelled alone. */
  override promiseFor(task: Task | null): Promise<T> {
    if (this.state === PENDING && task !== null) return new Join(this).promiseFor(task);
    return super.promiseFor(task);
  }
}

/** One async task's waiting for a shared operation. */
class Join<T> extends Operation<T> implements Waiter {
  readonly #shared: SharedOperation<T>;

  constructor(shared: SharedOperation<T>) {
    super();
    this.#shared = shared;
    shared.addWaiter(this as Waiter);
  }

  get kind(): string {
    return this.#shared.kind;
  }

  protected onCancel(): void {
    this.#shared.removeWaiter(this as Waiter);
  }

  wake(shared: Operation<unknown>): void {
    if (shared.state === REJECTED) this.reject(shared.value);
    else this.fulfill(shared.value as T);
  }
}

/** Who may cancel an operation: the async task that awaits it, or the signal that it was given. */
export interface Owner {
  /** The operation has settled. */
  disown(operation: Operation<unknown>): void;
  /** `task` awaits the operation too. */
  share(operation: Operation<unknown>, task: Task): void;
}

/** True for what cancelling throws: nobody needs to be told of it who did not ask. */
export function isCancellation(error: unknown): boolean {
  return error instanceof AbortError;
}

/** Rejected promises that stand for errors nobody has taken: Node reports them as unhandled rejections. */
const orphans = new WeakMap<Operation<unknown>, Promise<never>>();

/** Reports `error` as an unhandled rejection, as Node would, unless the operation is waited for within this tick. */
export function reportUnlessTaken(operation: Operation<unknown>, error: unknown): void {
  orphans.set(operation, Promise.reject(error));
}

/** Somebody takes the error after all. */
export function observed(operation: Operation<unknown>): void {
  const orphan = orphans.get(operation);
  if (orphan === undefined) return;
  orphans.delete(operation);
  orphan.catch(() => {});
}

/** More than one waits for the same operation. */
class Waiters implements Waiter {
  constructor(readonly all: Waiter[]) {}

  wake(operation: Operation<unknown>): void {
    for (const waiter of this.all) waiter.wake(operation);
  }

  remove(waiter: Waiter): void {
    const at = this.all.indexOf(waiter);
    if (at >= 0) this.all.splice(at, 1);
  }
}

let resolveMade: (value: never) => void;
let rejectMade: (error: unknown) => void;
/** One executor for all, where a closure for each promise would be made. */
function capture(resolve: (value: never) => void, reject: (error: unknown) => void): void {
  resolveMade = resolve;
  rejectMade = reject;
}

/** Brings an operation's result to a promise. At most a tick's credit of them a tick; the rest waits its turn. */
export class Delivery<T> implements Waiter, Runnable {
  readonly promise: Promise<T> = new Promise<T>(capture as never);
  readonly #resolve: (value: T) => void = resolveMade as never;
  readonly #reject: (error: unknown) => void = rejectMade;
  #operation: Operation<T> | null = null;

  wake(operation: Operation<T>): void {
    this.#operation = operation;
    operation.taken = true;
    if (scheduler.credit > 0) {
      scheduler.credit -= POLLS_PER_PROMISE;
      this.run();
    } else {
      scheduler.enqueue(this);
    }
  }

  run(): void {
    const operation = this.#operation as Operation<T>;
    if (operation.state === REJECTED) this.#reject(operation.value);
    else this.#resolve(operation.value);
  }
}

/** An operation that was settled when it was made. */
export class Ready<T> extends Operation<T> {
  constructor(value: T) {
    super();
    this.state = FULFILLED;
    this.value = value;
  }

  get kind(): string {
    return 'ready';
  }

  protected onCancel(): void {}
}

/** An operation that failed when it was made. */
export class Failed extends Operation<never> {
  constructor(error: unknown) {
    super();
    this.state = REJECTED;
    this.value = error as never;
  }

  get kind(): string {
    return 'failed';
  }

  protected onCancel(): void {}
}

function notInFiber(kind: string): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_NOT_IN_FIBER',
    `yield* ${kind} works only inside a generator function that Millrace runs (spawn(function* () {...})); use await here`,
  );
}

function drivenTwice(kind: string): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_CONSUMED',
    `yield* ${kind}: another task runs this generator already; call the generator function once for each spawn`,
  );
}

function waitsAlready(kind: string, other: string): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_INVALID_STATE',
    `yield* ${kind}: this fiber already waits for ${other}; a generator was driven by hand inside a fiber`,
  );
}
