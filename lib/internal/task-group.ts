// The tasks that belong together: those of one scope, or the detached ones.
import type { CancelToken } from './cancel.js';
import type { Task } from './task.js';

/** An intrusive list of live tasks. What an end means is the group's own affair. */
export abstract class TaskGroup {
  /** @internal */ first: Task | null = null;
  /** How many of its tasks are alive. */
  size = 0;

  /** What the tokens of its tasks descend from. */
  readonly token: CancelToken | null = null;

  /** True where the group tells somebody of a task's error, so that the task itself need not. @internal */
  abstract readonly reportsErrors: boolean;

  /** A task of the group has ended; it is out of the list. @internal */
  abstract ended(task: Task): void;

  /** @internal */
  add(task: Task): void {
    const first = this.first;
    task.following = first;
    if (first !== null) first.previous = task;
    this.first = task;
    this.size++;
  }

  /** @internal */
  remove(task: Task): void {
    const { previous, following } = task;
    if (previous === null) this.first = following;
    else previous.following = following;
    if (following !== null) following.previous = previous;
    task.previous = null;
    task.following = null;
    this.size--;
  }

  /** The tasks that are alive now, the youngest first. */
  tasks(): Task[] {
    const all: Task[] = [];
    for (let task = this.first; task !== null; task = task.following) all.push(task);
    return all;
  }
}

/** Tasks that nobody owns: `spawn` puts them here. Their errors are unhandled rejections unless somebody joins them. */
class DetachedGroup extends TaskGroup {
  readonly reportsErrors = false;
  ended(): void {}
}

export const detached: TaskGroup = new DetachedGroup();
