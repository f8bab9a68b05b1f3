import { isDone } from './done.js';
import { invalidType } from './errors.js';
import { Operation, REJECTED, Ready, type Waiter } from './operation.js';
import { type Fiber, Task, type TaskBody, type TaskFunction } from './task.js';
import { currentTask } from './task-context.js';
import { TaskGroup } from './task-group.js';

/** What `select`, `all`, `race` and `timeout` take: an operation, a promise, or what is run as a task of its own. */
export type Awaitable<T> = Operation<T> | PromiseLike<T> | Fiber<T> | TaskFunction<T>;

/** A generator object, or what cannot be told from one. An async generator is none: it cannot be resumed as a fiber. */
export function isGenerator(value: unknown): value is Fiber<unknown> {
  if (value === null || typeof value !== 'object') return false;
  const generator = value as Fiber<unknown>;
  return (
    typeof generator.next === 'function' &&
    typeof generator.throw === 'function' &&
    typeof generator[Symbol.iterator] === 'function'
  );
}

/** The result of waiting for an {@link Awaitable}. */
export type Awaited2<A> =
  A extends Operation<infer T>
    ? T
    : A extends PromiseLike<infer T>
      ? T
      : A extends Generator<infer _, infer T, infer __>
        ? T
        : A extends (task: Task) => Generator<infer _, infer T, infer __>
          ? T
          : A extends (task: Task) => PromiseLike<infer T>
            ? T
            : A extends (task: Task) => infer T
              ? T
              : never;

/**
 * Waits for a promise that is not Millrace's own, in either kind of task, so that cancelling the task ends the wait. What
 * the promise stands for goes on: give that an AbortSignal (`task.signal`).
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * function* countLines(file: string) {
 *   const text = yield* wait(readFile(file, 'utf8'));
 *   return text.split('\n').length;
 * }
 * await spawn(countLines('package.json'));
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) if `promise` has no `then`.
 */
export function wait<T>(promise: PromiseLike<T>): Operation<T> {
  if (promise instanceof Operation) return promise;
  if (typeof (promise as PromiseLike<T> | null)?.then !== 'function') {
    throw invalidType('promise', 'a promise or an object with a then method', promise);
  }
  return new Wait(promise);
}

class Wait<T> extends Operation<T> {
  constructor(promise: PromiseLike<T>) {
    super();
    promise.then(
      (value) => this.fulfill(value),
      (error) => this.reject(error),
    );
  }

  get kind(): string {
    return 'wait';
  }

  protected onCancel(): void {}
}

/** Tasks whose end is told to the operation that started them. */
class ChildGroup extends TaskGroup {
  readonly reportsErrors = true;
  ended(): void {}
}

const children = new ChildGroup();

/** All tasks that an operation (a timeout, a shield, a select's arm) runs for its own task. @internal */
export function childTasks(): Task[] {
  return children.tasks();
}

/**
 * A function that is run as a task of its own while another task waits for it. Cancelling it aborts the task; it settles
 * when the task has ended, `finally` blocks included.
 */
export class Child<T> extends Operation<T> implements Waiter {
  readonly task: Task<T>;
  readonly #kind: string;
  readonly #shielded: boolean;

  constructor(body: TaskBody<T>, kind: string, shielded = false) {
    super();
    this.#kind = kind;
    this.#shielded = shielded;
    this.task = new Task(body, children, undefined);
    if (!shielded) this.task.partOf = currentTask();
    this.task.addWaiter(this);
  }

  get kind(): string {
    return this.#kind;
  }

  override get shielded(): boolean {
    return this.#shielded;
  }

  override cancel(reason?: unknown): void {
    if (!this.#shielded) this.task.abort(reason);
  }

  protected onCancel(): void {}

  wake(task: Operation<unknown>): void {
    if (task.state === REJECTED) this.reject(task.value);
    else this.fulfill(task.value as T);
  }
}

/** @throws TypeError naming `name` where `value` is nothing that one can wait for. */
export function toOperation<T>(value: Awaitable<T>, name: string): Operation<T> {
  if (value instanceof Operation) return value;
  if (isDone(value)) return new Ready(undefined as T);
  if (typeof value === 'function' || isGenerator(value)) {
    return new Child(checkBody(value as TaskBody<T>, name), 'call');
  }
  if (value !== null && typeof value === 'object' && typeof (value as PromiseLike<T>).then === 'function') {
    return new Wait(value as PromiseLike<T>);
  }
  throw invalidType(name, 'an operation, a promise, a generator or a function', value);
}

/**
 * Runs `body` as a part of this task that cancellation does not reach: for what must be finished once begun, and for
 * clean-up that waits. The cancellation takes effect at the first operation after it; a task that waits for nothing
 * outside of shields is never stopped.
 *
 * @example
 * ```ts
 * function* sayGoodbye() {
 *   yield* sleep(1);
 *   console.log('goodbye'); // goodbye
 * }
 * function* session() {
 *   try {
 *     yield* sleep(60_000);
 *   } finally {
 *     yield* shield(sayGoodbye());
 *   }
 * }
 * const task = spawn(session());
 * await sleep(1);
 * task.abort();
 * await task; // throws an AbortError
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) if `body` cannot be a task.
 */
export function shield<T>(body: TaskBody<T>): Operation<T> {
  return new Child(checkBody(body), 'shield', true);
}

const AsyncGeneratorFunction = Object.getPrototypeOf(async function* () {}).constructor as unknown;

/** @throws TypeError where `body` cannot be run as a task. */
export function checkBody<T>(body: TaskBody<T>, name = 'body'): TaskBody<T> {
  // An async generator function would give its generator at once, and none of its code would ever run.
  if (typeof body === 'function' ? body.constructor === AsyncGeneratorFunction : !isGenerator(body)) {
    throw invalidType(name, 'a generator, a generator function, an async function or a function', body);
  }
  return body;
}
