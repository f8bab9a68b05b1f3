import { checkFunction, checkObject, invalidType } from '../internal/errors.js';
import { Task, type TaskFunction } from '../internal/task.js';
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
 * `fn` is a generator function (a fiber: the fast path), an async function, or a plain function; it is given its task.
 * If it fails and nobody joins it, the error is an unhandled rejection. To own tasks, use `scope`.
 *
 * @example
 * ```ts
 * const handle = spawn(function* () {
 *   yield* sleep(5);
 *   return 42;
 * });
 * console.log(await handle); // 42
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) if `fn` is not a function or `options.name` is not a string.
 */
export function spawn<T>(fn: TaskFunction<T>, options?: SpawnOptions): JoinHandle<T> {
  return spawnIn(detached, fn, options);
}

/** The same in a group. @internal */
export function spawnIn<T>(group: TaskGroup, fn: TaskFunction<T>, options?: SpawnOptions): Task<T> {
  checkFunction(fn, 'fn');
  return options === undefined ? new Task(fn, group, undefined) : new Task(fn, group, checkName(options));
}

function checkName(options: SpawnOptions): string | undefined {
  checkObject(options, 'options');
  const { name } = options;
  if (name !== undefined && typeof name !== 'string') throw invalidType('options.name', 'a string', name);
  return name;
}
