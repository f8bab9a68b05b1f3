// millrace/task: tasks, scopes, cancellation.

export { type Awaitable, shield, wait } from '../internal/awaitable.js';
export { type CancelSource, CancelToken, type CancelTokenOptions, type SignalOption } from '../internal/cancel.js';
export { Operation, type Suspend } from '../internal/operation.js';
export type { Fiber, Task, TaskBody, TaskFunction, TaskStatus } from '../internal/task.js';
export { all, race, type Selected, type SelectOptions, select } from './combine.js';
export { dumpTasks, type TaskDump, traceSpawns } from './dump.js';
export { type Joined, JoinSet } from './join-set.js';
export { type Metrics, metrics, setTickHook, type TickMetrics } from './metrics.js';
export { Scope, type ScopeOptions, scope } from './scope.js';
export { type JoinHandle, type SpawnOptions, spawn } from './spawn.js';
export { TaskLocal, taskLocal } from './task-local.js';
export { type Yield, yieldNow } from './yield-now.js';
