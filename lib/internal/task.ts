// A task: a function that the scheduler runs, and the handle that others wait for it with.
//
// States: queued -> running <-> waiting -> completed | failed | cancelled. A task that is cancelled while it waits has
// its operation cancelled, which throws at its `await` or `yield*`; one that is cancelled before it started never runs;
// one that is runnable is thrown at its next operation. A cancelled task stays cancelled: every later operation throws
// too, except within `shield`.
//
// A task is linked into its group's list from spawn to end: the detached group, or a scope's.
import { CancelToken } from './cancel.js';
import { AbortError, abortError, MillraceError, shown } from './errors.js';
import {
  isCancellation,
  Operation,
  type Owner,
  PENDING,
  REJECTED,
  RESUME,
  reportUnlessTaken,
  SharedOperation,
  SUSPEND,
  type Suspend,
  type Waiter,
} from './operation.js';
import { COOP_BUDGET, type Runnable, scheduler } from './scheduler.js';
import { currentTask, emptyContext, onStoresEntered, runInTask, type Snapshot, snapshot } from './task-context.js';
import type { TaskGroup } from './task-group.js';

/** The body of a fiber: a generator that was not started. It waits with `yield*`; a bare `yield` is `yieldNow()`. */
export type Fiber<T> = Generator<Suspend | undefined, T, unknown>;

/** A function that can be a task: a generator function (a fiber), an async function, or a plain one. */
export type TaskFunction<T> = (task: Task) => Fiber<T> | PromiseLike<T> | T;

/**
 * What can be a task: `worker(job)`, where `worker` is a generator function, or a function. The first is the fastest:
 * the engine makes a hidden class for each closure `function* () {...}` that is called, which costs about a microsecond.
 */
export type TaskBody<T> = Fiber<T> | TaskFunction<T>;

export type TaskStatus = 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';

/** Whatever is cancelled with a task: its token, a scope that it opened, an operation that it awaits. */
export interface Cancellable {
  cancel(reason?: unknown): void;
}

/** A task-local value that a task has inherited: an immutable list, shared by all that inherit it. */
export interface LocalEntry {
  readonly key: object;
  readonly value: unknown;
  readonly rest: LocalEntry | null;
}

let lastId = 0;
let traceSpawns = false;

/** Record where each task is spawned, for `dumpTasks`. Costs about a microsecond a spawn. */
export function setTraceSpawns(on: boolean): void {
  traceSpawns = on;
}

const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor as unknown;

export class Task<T = unknown> extends SharedOperation<T> implements Runnable, Waiter, Owner {
  readonly id = ++lastId;
  name: string;
  readonly isFiber: boolean;
  /** @internal */ cancelled = false;
  /** @internal Set with `cancelled`: the error that its operations throw. */
  reason: unknown = undefined;
  /** @internal What it waits for; for an async task, the first of possibly several operations. */
  waitingFor: Operation<unknown> | null = null;
  /** @internal What else is cancelled with it. */
  attached: Set<Cancellable> | null = null;
  /** @internal */ group: TaskGroup;
  /** @internal The task that waits for this one as for a part of itself: a limited function, an arm of a select. */
  partOf: Task | null = null;
  /** @internal */ previous: Task | null = null;
  /** @internal */ following: Task | null = null;
  /** @internal */ locals: LocalEntry | null;
  /** @internal Where it was spawned, if that was asked for. */
  origin: string | undefined = undefined;
  #token: CancelToken | null = null;
  #start: TaskFunction<T> | null = null;
  #generator: Fiber<T> | null = null;
  #started = false;
  #gaveWay = false;
  /** Null while nobody has entered a store. */
  #context: Snapshot | null = snapshot();

  /** @internal Use `spawn`. */
  constructor(body: TaskBody<T>, group: TaskGroup, name: string | undefined) {
    super();
    if (typeof body === 'function') {
      this.#start = body;
      this.isFiber = body.constructor === GeneratorFunction;
      this.name = name ?? body.name;
    } else {
      this.#generator = body;
      this.isFiber = true;
      this.name = name ?? '';
    }
    this.group = group;
    const parent = currentTask();
    this.locals = parent === null ? null : parent.locals;
    if (traceSpawns) this.origin = spawnSite();
    group.add(this as Task);
    scheduler.spawned++;
    scheduler.enqueue(this);
  }

  get kind(): string {
    return 'join';
  }

  /** Cancelled when the task is aborted or has ended; the place for deadlines and child tokens. Made when first asked for. */
  get token(): CancelToken {
    if (this.#token === null) {
      const around = this.tokenAround;
      this.#token = around === null ? new CancelToken() : around.child();
      if (this.cancelled) this.#token.cancel(this.reason);
      else this.attach(this.#token);
    }
    return this.#token;
  }

  /** What its tokens descend from: its scope's, or that of the task that it is a part of. @internal */
  get tokenAround(): CancelToken | null {
    return this.group.token ?? (this.partOf === null ? null : this.partOf.token);
  }

  /** `token.signal`: for what is not Millrace's, so that it ends with the task. */
  get signal(): AbortSignal {
    return this.token.signal;
  }

  get status(): TaskStatus {
    if (this.state !== PENDING) {
      if (this.state !== REJECTED) return 'completed';
      return this.endedCancelled ? 'cancelled' : 'failed';
    }
    if (scheduler.current === (this as Task)) return 'running';
    if (!this.#started) return 'queued';
    return this.waitingFor !== null || !this.isFiber ? 'waiting' : 'queued';
  }

  /** True where the error it ended with is what it was aborted with, and no failure of its own. @internal */
  get endedCancelled(): boolean {
    return this.state === REJECTED && this.cancelled && (isCancellation(this.value) || this.value === this.reason);
  }

  /** True once it has ended, whichever way. */
  get finished(): boolean {
    return this.state !== PENDING;
  }

  /**
   * Asks the task to end: its present and later operations throw an AbortError whose cause is `reason`. Its `finally`
   * blocks run. On a task that has ended it does nothing.
   */
  abort(reason?: unknown): void {
    if (this.state !== PENDING || this.cancelled) return;
    this.cancelled = true;
    scheduler.cancelled++;
    this.reason = abortError(reason);
    const operation = this.waitingFor;
    if (operation !== null && !operation.shielded) {
      if (operation.shared) {
        operation.removeWaiter(this as Task);
        this.wake();
      } else {
        operation.cancel(this.reason);
      }
    }
    if (this.attached !== null) {
      for (const child of [...this.attached]) {
        if (!(child instanceof Operation && child.shielded)) child.cancel(this.reason);
      }
    }
  }

  /** The same as `abort`. A task that has ended stays as it is. */
  override cancel(reason?: unknown): void {
    this.abort(reason);
  }

  protected onCancel(): void {}

  /** @internal */
  attach(child: Cancellable): void {
    this.attached ??= new Set();
    this.attached.add(child);
  }

  /** @internal */
  detach(child: Cancellable): void {
    this.attached?.delete(child);
  }

  /** An operation that this (async) task awaits. @internal */
  own(operation: Operation<unknown>): void {
    if (this.waitingFor === null) this.waitingFor = operation;
    else this.attach(operation);
  }

  /** @internal */
  disown(operation: Operation<unknown>): void {
    if (this.waitingFor === operation) this.waitingFor = null;
    else this.detach(operation);
  }

  /** Two tasks await one operation: the first to be aborted cancels it for both. @internal */
  share(operation: Operation<unknown>, task: Task): void {
    if (task !== (this as Task)) task.attach(operation);
  }

  /** The operation that this fiber waits for has settled. @internal */
  wake(): void {
    this.waitingFor = null;
    scheduler.enqueue(this);
  }

  /** @internal */
  run(): void {
    if (this.#started) this.#resume(this.#generator as Fiber<T>);
    else this.#begin();
  }

  /**
   * What `run` is once somebody has entered a store. A task from before that must see none: it would run in the context of
   * whoever made it runnable, and a store that it enters would stay for the tasks after it.
   * @internal
   */
  runGuarded(): void {
    this.#context ??= emptyContext();
    this.#context(poll, this as Task);
  }

  /** It has entered a store itself, as the first of all. @internal */
  keepContext(): void {
    this.#context = snapshot();
  }

  #begin(): void {
    this.#started = true;
    const start = this.#start;
    this.#start = null;
    if (this.cancelled) this.#end(REJECTED, this.reason);
    else if (start === null) this.#resume(this.#generator as Fiber<T>);
    else if (this.isFiber) this.#startFiber(start as (task: Task) => Fiber<T>);
    else this.#startFunction(start);
  }

  #startFiber(start: (task: Task) => Fiber<T>): void {
    scheduler.inTask = true;
    let generator: Fiber<T>;
    try {
      generator = start(this as Task);
    } catch (error) {
      scheduler.inTask = false;
      this.#end(REJECTED, error);
      return;
    }
    this.#generator = generator;
    this.#resume(generator);
  }

  #resume(generator: Fiber<T>): void {
    let result: IteratorResult<Suspend | undefined, T>;
    scheduler.inTask = true;
    scheduler.coop = COOP_BUDGET;
    try {
      // After giving way there is no operation that would throw the cancellation.
      if (this.#gaveWay && this.cancelled) result = generator.throw(this.reason);
      else result = generator.next(RESUME);
      this.#gaveWay = false;
    } catch (error) {
      scheduler.inTask = false;
      this.#end(REJECTED, error);
      return;
    }
    scheduler.inTask = false;
    if ((result as unknown) === SUSPEND) return;
    if (result.done) this.#end(0, result.value);
    else if (result.value === undefined) this.#giveWay();
    else this.#badYield(generator, result.value);
  }

  /** A bare `yield`, or `yield* yieldNow()`: to the back of the queue. */
  #giveWay(): void {
    this.#gaveWay = true;
    scheduler.enqueue(this);
  }

  /** `yield x` where `yield* x` was meant: told where it happened, in the fiber, which may go on. */
  #badYield(generator: Fiber<T>, value: unknown): void {
    const error = new MillraceError(
      'ERR_MILLRACE_YIELD',
      `a fiber yielded ${shown(value)}; use yield* with an operation, yield* wait(promise) with a promise, and a bare yield to give way`,
    );
    let result: IteratorResult<Suspend | undefined, T>;
    scheduler.inTask = true;
    try {
      result = generator.throw(error);
    } catch (thrown) {
      scheduler.inTask = false;
      this.#end(REJECTED, thrown);
      return;
    }
    scheduler.inTask = false;
    if ((result as unknown) === SUSPEND) return;
    if (result.done) this.#end(0, result.value);
    else if (result.value === undefined) this.#giveWay();
    else this.#end(REJECTED, error);
  }

  #startFunction(start: TaskFunction<T>): void {
    let result: unknown;
    let waits = false;
    scheduler.inTask = true;
    try {
      result = runInTask(this as Task, () => start(this as Task));
      waits = this.#follow(result);
    } catch (error) {
      scheduler.inTask = false;
      this.#end(REJECTED, error);
      return;
    }
    scheduler.inTask = false;
    if (waits) return;
    if (looksLikeGenerator(result)) {
      // A plain function that returns a generator: as good as a generator function.
      (this as { isFiber: boolean }).isFiber = true;
      this.#generator = result as Fiber<T>;
      this.#resume(this.#generator);
      return;
    }
    this.#end(0, result as T);
  }

  /**
   * Ends as `result` does, if it is a promise or an operation. Within the task, so that an operation is cancelled with it;
   * and a thenable of anybody's making is believed once.
   */
  #follow(result: unknown): boolean {
    if (result === null || typeof result !== 'object' || typeof (result as PromiseLike<T>).then !== 'function')
      return false;
    const promise = result instanceof Operation || result instanceof Promise ? result : Promise.resolve(result);
    (promise as PromiseLike<T>).then(
      (value) => this.#end(0, value),
      (error) => this.#end(REJECTED, error),
    );
    return true;
  }

  #end(state: number, value: unknown): void {
    this.#generator = null;
    scheduler.ended++;
    if (this.cancelled) scheduler.cancelled--;
    if (this.waitingFor !== null) this.#leaveWaiting();
    if (this.attached !== null) this.#releaseAttached();
    const group = this.group;
    group.remove(this as Task);
    if (state === REJECTED) this.reject(value);
    else this.fulfill(value as T);
    group.ended(this as Task);
  }

  /** It ended while it waits: an async task that did not await, or a generator that was driven by hand. */
  #leaveWaiting(): void {
    const operation = this.waitingFor as Operation<unknown>;
    this.waitingFor = null;
    operation.removeWaiter(this as Task);
    if (!operation.shared && !operation.crowded) operation.cancel(new AbortError('The task that owned this has ended'));
  }

  /** It ended while scopes, tokens or operations of its own were alive: they end with it. */
  #releaseAttached(): void {
    const attached = this.attached as Set<Cancellable>;
    this.attached = null;
    for (const child of attached) {
      // What others wait for too is not over because one of them has stopped waiting.
      if (child instanceof Operation && child.crowded) continue;
      child.cancel(new AbortError('The task that owned this has ended'));
    }
  }

  /** The error of a task in a scope is the scope's. */
  protected override unobserved(error: unknown): void {
    if (this.group.reportsErrors || this.endedCancelled) return;
    reportUnlessTaken(this as Operation<unknown>, error);
  }
}

const { run } = Task.prototype;

function poll(task: Task): void {
  run.call(task);
}

onStoresEntered(() => {
  Task.prototype.run = Task.prototype.runGuarded;
});

function looksLikeGenerator(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  const { next, throw: thrown, [Symbol.iterator]: iterator } = value as Generator;
  return typeof next === 'function' && typeof thrown === 'function' && typeof iterator === 'function';
}

/** Where this library lies; in a stack as a path or in a URL. */
const HOME = decodeURIComponent(new URL('..', import.meta.url).pathname);

/** The stack of the spawning code without our own frames. */
function spawnSite(): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, Task);
  const frames = (holder.stack ?? '').split('\n').slice(1);
  const first = frames.findIndex((frame) => !decodeURI(frame).includes(HOME));
  return frames.slice(Math.max(first, 0)).join('\n');
}
