// Structured concurrency: tasks that end before the block that started them.
//
// A scope is open until its join has begun and its last child has ended. The first failure cancels the other children;
// all failures are thrown together once everything has ended. A child that was aborted by itself is no failure.
import { checkBody } from '../internal/awaitable.js';
import { type CancelSource, CancelToken, type CancelTokenOptions } from '../internal/cancel.js';
import { checkFunction, checkObject, invalidType, MillraceError } from '../internal/errors.js';
import { Operation, PENDING, REJECTED } from '../internal/operation.js';
import type { Cancellable, Fiber, Task, TaskBody, TaskFunction } from '../internal/task.js';
import { currentTask } from '../internal/task-context.js';
import { TaskGroup } from '../internal/task-group.js';
import { type JoinHandle, type SpawnOptions, spawnIn } from './spawn.js';

export interface ScopeOptions {
  /** Shown by `dumpTasks`. */
  name?: string;
  /** Cancels the scope this many milliseconds from now; it then throws a TimeoutError. */
  timeoutMs?: number;
  /** Cancels the scope at this time of `now()`, in milliseconds. */
  deadlineMs?: number;
  /** Cancels the scope together with this. */
  signal?: CancelSource;
}

const liveScopes = new Set<Scope>();

/** Every scope that is not over yet. @internal */
export function scopes(): Iterable<Scope> {
  return liveScopes;
}

/**
 * A set of tasks with one end. `scope(fn)` is the usual way to one; this class is for `await using`.
 *
 * @example
 * ```ts
 * {
 *   await using tasks = new Scope();
 *   tasks.spawn(() => sleep(2));
 *   tasks.spawn(() => sleep(1));
 * } // ends when both have ended
 * ```
 */
export class Scope extends TaskGroup implements Cancellable {
  readonly reportsErrors = true;
  readonly name: string;
  /** Cancelled with the scope; give its `signal` to what is not Millrace's own. Inherits the deadline around it. */
  override readonly token: CancelToken;
  readonly #owner: Task | null;
  readonly #errors: unknown[] = [];
  #cancelled = false;
  #ended = false;
  #join: ScopeJoin | null = null;

  constructor(options: ScopeOptions = {}) {
    super();
    checkObject(options, 'options');
    if (options.name !== undefined && typeof options.name !== 'string') {
      throw invalidType('options.name', 'a string', options.name);
    }
    this.name = options.name ?? '';
    this.#owner = currentTask();
    this.token = this.#makeToken(options);
    this.token.attach(this);
    this.#owner?.attach(this);
    liveScopes.add(this);
  }

  /** True once the scope was cancelled, by a failure, a deadline, a signal or `cancel`. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** When it is cancelled at the latest, in milliseconds of `now()`; Infinity without a deadline. */
  get deadlineMs(): number {
    return this.token.deadlineMs;
  }

  /**
   * Starts a task that the scope waits for. In a cancelled scope the task is cancelled before it runs.
   * @throws MillraceError `ERR_MILLRACE_SCOPE_ENDED`; TypeError as the global `spawn` does.
   */
  spawn<T>(body: Fiber<T>, options?: SpawnOptions): JoinHandle<T>;
  spawn<T>(body: (task: Task) => Fiber<T>, options?: SpawnOptions): JoinHandle<T>;
  spawn<T>(body: (task: Task) => PromiseLike<T> | T, options?: SpawnOptions): JoinHandle<T>;
  spawn<T>(body: TaskBody<T>, options?: SpawnOptions): JoinHandle<T> {
    if (this.#ended) {
      throw new MillraceError(
        'ERR_MILLRACE_SCOPE_ENDED',
        'This scope has ended; a task cannot be spawned in it any more',
      );
    }
    const task = spawnIn(this, body, options);
    if (this.#cancelled) task.abort(this.token.reason);
    return task;
  }

  /** Cancels every task of the scope. */
  cancel(reason?: unknown): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.token.cancel(reason);
    for (const task of this.tasks()) task.abort(this.token.reason);
  }

  /** Waits until every task has ended; throws the failure, several as an AggregateError. */
  join(): Operation<void> {
    if (this.#join === null) {
      this.#join = new ScopeJoin(this);
      this.token.ref();
    }
    this.#settleIfEmpty();
    return this.#join;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.join();
  }

  /** @internal */
  ended(task: Task): void {
    if (task.state === REJECTED && !task.endedCancelled) {
      if (!this.#errors.includes(task.value)) this.#errors.push(task.value);
      this.cancel(task.value);
    }
    this.#settleIfEmpty();
  }

  #settleIfEmpty(): void {
    if (this.size > 0 || this.#join === null || this.#ended) return;
    this.#ended = true;
    liveScopes.delete(this);
    this.#owner?.detach(this);
    const cancelledWith = this.token.reason;
    this.token.dispose();
    if (this.#errors.length === 1) this.#join.reject(this.#errors[0]);
    else if (this.#errors.length > 1) {
      this.#join.reject(new AggregateError(this.#errors, `${this.#errors.length} tasks of the scope failed`));
    } else if (this.#cancelled) this.#join.reject(cancelledWith);
    else this.#join.fulfill(undefined);
  }

  #makeToken(options: ScopeOptions): CancelToken {
    const tokenOptions: CancelTokenOptions = {};
    if (options.timeoutMs !== undefined) tokenOptions.timeoutMs = options.timeoutMs;
    if (options.deadlineMs !== undefined) tokenOptions.deadlineMs = options.deadlineMs;
    const around = this.#owner?.tokenAround ?? null;
    const signal = options.signal ?? around;
    if (signal !== null) tokenOptions.signal = signal;
    // A scope with a signal of its own still ends with the deadline around it: its task is cancelled then.
    const deadlineMs = around?.deadlineMs ?? Number.POSITIVE_INFINITY;
    if (options.signal !== undefined && deadlineMs !== Number.POSITIVE_INFINITY) {
      tokenOptions.deadlineMs = Math.min(deadlineMs, tokenOptions.deadlineMs ?? deadlineMs);
    }
    return new CancelToken(tokenOptions);
  }
}

/** Waiting for a scope. Cancelling it cancels the scope; it settles when the last task has ended. */
class ScopeJoin extends Operation<void> {
  constructor(readonly scope: Scope) {
    super();
  }

  get kind(): string {
    return 'scope';
  }

  override cancel(reason?: unknown): void {
    this.scope.cancel(reason);
  }

  protected onCancel(): void {}
}

/** `scope(fn)`: the body is a task of the scope; its result is the operation's. */
class ScopeRun<T> extends Operation<T> {
  readonly #scope: Scope;

  constructor(fn: (scope: Scope) => ReturnType<TaskFunction<T>>, options: ScopeOptions) {
    super();
    this.#scope = new Scope(options);
    const body = this.#scope.spawn(bodyOf(fn, this.#scope) as (task: Task) => Fiber<T>, {
      name: fn.name === '' ? 'scope' : fn.name,
    });
    this.#scope.join().addWaiter({
      wake: (join) => {
        if (join.state === REJECTED) this.reject(join.value);
        else if (body.state === REJECTED) this.reject(body.value);
        else this.fulfill(body.value);
      },
    });
  }

  get kind(): string {
    return 'scope';
  }

  override cancel(reason?: unknown): void {
    if (this.state === PENDING) this.#scope.cancel(reason);
  }

  protected onCancel(): void {}
}

const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor as unknown;

/** The body gets the scope where a task gets itself; a generator function stays one, so that it runs as a fiber. */
function bodyOf<T>(fn: (scope: Scope) => ReturnType<TaskFunction<T>>, scope: Scope): TaskFunction<T> {
  if (fn.constructor === GeneratorFunction) {
    return function* () {
      return yield* fn(scope) as Fiber<T>;
    };
  }
  return () => fn(scope);
}

/**
 * Runs `fn` with a scope and waits until it and every task that it spawned there have ended. The first failure cancels
 * the rest and is thrown (several: an AggregateError). Cancelled from outside, it cancels its tasks, waits for them and
 * throws the AbortError; past its deadline, a TimeoutError.
 *
 * @example
 * ```ts
 * function* count(text: string) {
 *   yield* sleep(1);
 *   return text.length;
 * }
 * const total = await scope(async (tasks) => {
 *   const a = tasks.spawn(count('one'));
 *   const b = tasks.spawn(count('three'));
 *   return (await a) + (await b);
 * });
 * console.log(total); // 8
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) if `fn` is not a function.
 */
export function scope<T>(fn: (scope: Scope) => Fiber<T>, options?: ScopeOptions): Operation<T>;
export function scope<T>(fn: (scope: Scope) => PromiseLike<T> | T, options?: ScopeOptions): Operation<T>;
export function scope<T>(fn: (scope: Scope) => ReturnType<TaskFunction<T>>, options: ScopeOptions = {}): Operation<T> {
  checkFunction(fn, 'fn');
  checkBody(fn as unknown as TaskFunction<T>, 'fn');
  return new ScopeRun(fn, options);
}
