import { border } from '../internal/border.js';
import { checkFunction } from '../internal/errors.js';
import { scheduler } from '../internal/scheduler.js';
import { armedTimers } from '../internal/timers.js';

/** Counters of this thread's runtime since its start, but for what is named a present state. */
export interface Metrics {
  /** Present: tasks that have not ended. */
  tasksAlive: number;
  tasksSpawned: number;
  /** Times that a task, or the delivery of a result to a promise, was run from the queue. */
  polls: number;
  /** Milliseconds spent running tasks from the queue. Continuations of async functions run after it and do not count. */
  busyMs: number;
  /** Present: runnable tasks. */
  queueDepth: number;
  /** Times that a fiber was sent to the back of the queue because everything it asked for was ready. */
  forcedYields: number;
  /** Calls from C++ into JavaScript: one a tick. */
  ticks: number;
  /** Completions that they brought. */
  events: number;
  /** Present: timers that are armed. */
  timersPending: number;
}

/** What one tick did. */
export interface TickMetrics {
  /** Completions that the tick brought. */
  events: number;
  /** Runnable tasks that were left for the next tick. */
  queueDepth: number;
}

export function metrics(): Metrics {
  return {
    tasksAlive: scheduler.spawned - scheduler.ended,
    tasksSpawned: scheduler.spawned,
    polls: scheduler.polls,
    busyMs: scheduler.busyMs,
    queueDepth: scheduler.queued,
    forcedYields: scheduler.forcedYields,
    ticks: border.ticks,
    events: border.events,
    timersPending: armedTimers(),
  };
}

/**
 * Calls `hook` at the end of each tick, or never again with null. One hook a thread: the last one set. It runs in the
 * tick: keep it short. What it throws is an uncaught exception.
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) if `hook` is neither a function nor null.
 */
export function setTickHook(hook: ((tick: TickMetrics) => void) | null): void {
  if (hook === null) {
    border.hook = null;
    return;
  }
  checkFunction(hook, 'hook');
  border.hook = (events) => hook({ events, queueDepth: scheduler.queued });
}
