import { childTasks } from '../internal/awaitable.js';
import { setTraceSpawns, type Task, type TaskStatus } from '../internal/task.js';
import { detached, type TaskGroup } from '../internal/task-group.js';
import { JoinSet } from './join-set.js';
import { Scope, scopes } from './scope.js';

/** One live task, as `dumpTasks` shows it. */
export interface TaskDump {
  id: number;
  name: string;
  kind: 'fiber' | 'function';
  status: TaskStatus;
  /** What it waits for: `sleep`, `channel.recv`; undefined while it waits for nothing of Millrace's. */
  waitingFor: string | undefined;
  /** True once it was asked to end. */
  cancelled: boolean;
  /** The scope that it belongs to; 'detached' for `spawn`. */
  group: string;
  /** The stack of its `spawn`, while `traceSpawns(true)`. */
  spawnedAt: string | undefined;
}

/** Every live task: its name, its state, what it waits for, and where it was spawned if `traceSpawns` was on. */
export function dumpTasks(): TaskDump[] {
  const tasks = [...detached.tasks(), ...childTasks()];
  for (const scope of scopes()) tasks.push(...scope.tasks());
  for (const set of JoinSet.live()) tasks.push(...set.tasks());
  return tasks.sort((a, b) => a.id - b.id).map(describe);
}

/** Remember where each task is spawned from now on. Costs about a microsecond a spawn: for looking for something. */
export function traceSpawns(on: boolean): void {
  setTraceSpawns(on === true);
}

function describe(task: Task): TaskDump {
  return {
    id: task.id,
    name: task.name,
    kind: task.isFiber ? 'fiber' : 'function',
    status: task.status,
    waitingFor: task.waitingFor?.kind,
    cancelled: task.cancelled,
    group: groupName(task.group),
    spawnedAt: task.origin,
  };
}

function groupName(group: TaskGroup): string {
  if (group === detached) return 'detached';
  if (group instanceof Scope) return group.name === '' ? 'scope' : `scope ${group.name}`;
  return group instanceof JoinSet ? 'join set' : 'operation';
}
