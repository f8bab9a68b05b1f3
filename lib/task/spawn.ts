import { checkBody } from '../internal/awaitable.js';
import { checkObject, invalidType } from '../internal/errors.js';
import { type Fiber, Task, type TaskBody } from '../internal/task.js';
import { detached, type TaskGroup } from '../internal/task-group.js';

export interface SpawnOptions {
  /** Shown by `dumpTasks` and in errors. Default: the function's own name. */
  name?: string;
}

/** A task, seen by those who wait for it: `await handle`, `yield* handle`, `handle.abort()`. */
export type JoinHandle<T> = Task<T>;

/**
 * Starts a task that nobody owns. It runs from the end of this turn on, beside everything else.
 *
 * `body` is a generator that was not started (`worker(job)`: a fiber, the fast path), or a generator function, an async
 * function or a plain one, which is given its task. If it fails and nobody joins it, the error is an unhandled
 * rejection. To own tasks, use `scope`.
 *
 * @example
 * ```ts
 * function* worker(n: number) {
 *   yield* sleep(5);
 *   return n * 2;
 * }
 * console.log(await spawn(worker(21))); // 42
 * console.log(await spawn(async () => 42)); // 42
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) if `body` is neither, or `options.name` is not a string.
 */
export function spawn<T>(body: Fiber<T>, options?: SpawnOptions): JoinHandle<T>;
export function spawn<T>(body: (task: Task) => Fiber<T>, options?: SpawnOptions): JoinHandle<T>;
export function spawn<T>(body: (task: Task) => PromiseLike<T> | T, options?: SpawnOptions): JoinHandle<T>;
export function spawn<T>(body: TaskBody<T>, options?: SpawnOptions): JoinHandle<T> {
  return spawnIn(detached, body, options);
}

/** The same in a group. @internal */
export function spawnIn<T>(group: TaskGroup, body: TaskBody<T>, options?: SpawnOptions): Task<T> {
  checkBody(body);
  return options === undefined ? new Task(body, group, undefined) : new Task(body, group, checkName(options));
}

function checkName(options: SpawnOptions): string | undefined {
  checkObject(options, 'options');
  const { name } = options;
  if (name !== undefined && typeof name !== 'string') throw invalidType('options.name', 'a string', name);
  return name;
}
