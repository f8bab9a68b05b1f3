import { abortError } from '../internal/errors.js';
import { Operation, REJECTED } from '../internal/operation.js';
import type { Task, TaskBody } from '../internal/task.js';
import { TaskGroup } from '../internal/task-group.js';
import { type JoinHandle, type SpawnOptions, spawnIn } from './spawn.js';

/** So many ends that were taken stand at the front of the list before it is copied without them. */
const COMPACT_AT = 1024;

/** How a task of a JoinSet ended. */
export type Joined<T> =
  | { handle: JoinHandle<T>; status: 'completed'; value: T }
  | { handle: JoinHandle<T>; status: 'failed' | 'cancelled'; error: unknown };

/**
 * Tasks whose ends are taken one by one, in the order in which they end (Tokio's JoinSet). A failure does not touch the
 * others: it is told as the end of its task.
 *
 * @example
 * ```ts
 * function* load(page: number) {
 *   yield* sleep(20 * page);
 *   if (page === 2) throw new Error('no such page');
 * }
 * const set = new JoinSet<void>();
 * for (const page of [3, 2, 1]) set.spawn(load(page));
 * for await (const end of set) console.log(end.status); // completed failed completed
 * ```
 */
export class JoinSet<T = unknown> extends TaskGroup implements AsyncIterable<Joined<T>> {
  readonly reportsErrors = true;
  /** The sets with live tasks, for the task dump. */
  static readonly #live = new Set<JoinSet>();
  /** From `#first` on. Not `shift`: that is linear in the length of a long list. */
  #ended: Task<T>[] = [];
  #first = 0;
  readonly #waiting = new Set<JoinNext<T>>();

  /** Tasks that have not been taken by `joinNext` yet, ended or not. */
  get length(): number {
    return this.size + this.#ended.length - this.#first;
  }

  /** @internal */
  static live(): Iterable<JoinSet> {
    return JoinSet.#live;
  }

  /** @throws TypeError as the global `spawn` does. */
  spawn(body: TaskBody<T>, options?: SpawnOptions): JoinHandle<T> {
    const task = spawnIn(this, body, options);
    JoinSet.#live.add(this as JoinSet);
    return task;
  }

  /** Waits for the next task to end; undefined when none is left. A cancelled wait loses no task's end. */
  joinNext(): Operation<Joined<T> | undefined> {
    return new JoinNext(this);
  }

  /** Aborts every task. They still have to be joined. */
  abortAll(reason?: unknown): void {
    const error = abortError(reason);
    for (const task of this.tasks()) task.abort(error);
  }

  /** Aborts every task and waits until all have ended. */
  async shutdown(reason?: unknown): Promise<void> {
    this.abortAll(reason);
    while ((await this.joinNext()) !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Joined<T>, void, undefined> {
    for (;;) {
      const end = await this.joinNext();
      if (end === undefined) return;
      yield end;
    }
  }

  /** @internal */
  ended(task: Task): void {
    if (this.size === 0) JoinSet.#live.delete(this as JoinSet);
    this.#ended.push(task as Task<T>);
    this.#serve();
  }

  /** @internal */
  take(next: JoinNext<T>): void {
    this.#waiting.delete(next);
    if (this.#first < this.#ended.length) next.fulfill(describe(this.#shift()));
    else if (this.size === 0) next.fulfill(undefined);
    else this.#waiting.add(next);
  }

  /** @internal */
  drop(next: JoinNext<T>): void {
    this.#waiting.delete(next);
  }

  /** @internal An end that was taken off the list and not received. */
  putBack(end: Joined<T>): void {
    if (this.#first > 0) this.#ended[--this.#first] = end.handle;
    else this.#ended.unshift(end.handle);
    this.#serve();
  }

  #shift(): Task<T> {
    const task = this.#ended[this.#first++] as Task<T>;
    if (this.#first === this.#ended.length) {
      this.#ended = [];
      this.#first = 0;
    } else if (this.#first >= COMPACT_AT && this.#first * 2 >= this.#ended.length) {
      this.#ended = this.#ended.slice(this.#first);
      this.#first = 0;
    }
    return task;
  }

  /** Those who wait get what there is, in their order; when no task is left, the others are told so. */
  #serve(): void {
    for (const next of this.#waiting) {
      if (this.#first === this.#ended.length && this.size > 0) return;
      next.serve();
    }
  }
}

class JoinNext<T> extends Operation<Joined<T> | undefined> {
  readonly #set: JoinSet<T>;

  constructor(set: JoinSet<T>) {
    super();
    this.#set = set;
    set.take(this);
  }

  get kind(): string {
    return 'joinSet.joinNext';
  }

  serve(): void {
    this.#set.take(this);
  }

  protected onCancel(): void {
    this.#set.drop(this);
  }

  protected override giveBack(end: Joined<T> | undefined): void {
    if (end !== undefined) this.#set.putBack(end);
  }
}

function describe<T>(handle: Task<T>): Joined<T> {
  if (handle.state !== REJECTED) return { handle, status: 'completed', value: handle.value };
  const status = handle.endedCancelled ? 'cancelled' : 'failed';
  return { handle, status, error: handle.value };
}
