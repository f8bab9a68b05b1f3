import { Child, checkBody } from '../internal/awaitable.js';
import { invalidType, MillraceError } from '../internal/errors.js';
import type { Operation } from '../internal/operation.js';
import type { TaskBody } from '../internal/task.js';
import { currentTask } from '../internal/task-context.js';

/** A value that belongs to a task and the tasks that it spawns. Free for programs that have none. */
export class TaskLocal<V> {
  readonly name: string;

  /** @internal Use `taskLocal`. */
  constructor(name: string) {
    this.name = name;
  }

  /** The value of the current task; undefined where none was set. */
  get(): V | undefined {
    for (let entry = currentTask()?.locals ?? null; entry !== null; entry = entry.rest) {
      if (entry.key === this) return entry.value as V;
    }
    return undefined;
  }

  /**
   * Sets the value for the rest of the current task and for what it spawns from now on.
   * @throws MillraceError `ERR_MILLRACE_NOT_IN_TASK` outside of a task.
   */
  set(value: V): void {
    const task = currentTask();
    if (task === null) {
      throw new MillraceError(
        'ERR_MILLRACE_NOT_IN_TASK',
        `taskLocal ${JSON.stringify(this.name)} can only be set inside a task; use run(value, fn) here`,
      );
    }
    task.locals = { key: this, value, rest: task.locals };
  }

  /** Runs `body` as a part of this task in which the value is `value`. */
  run<T>(value: V, body: TaskBody<T>): Operation<T> {
    const child = new Child(checkBody(body), 'taskLocal.run');
    child.task.locals = { key: this, value, rest: child.task.locals };
    return child;
  }
}

/**
 * Makes a task-local variable. Children inherit the value that their parent had when they were spawned.
 *
 * @example
 * ```ts
 * const requestId = taskLocal<string>('requestId');
 * await requestId.run('r-17', async () => {
 *   await sleep(1);
 *   console.log(requestId.get()); // r-17
 * });
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) if `name` is not a string.
 */
export function taskLocal<V>(name = ''): TaskLocal<V> {
  if (typeof name !== 'string') throw invalidType('name', 'a string', name);
  return new TaskLocal<V>(name);
}
