// The run queue and the tick's budget.
//
// Invariants:
// - The queue is FIFO. What is in it runs in a microtask of the tick that filled it, or at the end of the tick's drain.
// - `credit` is how many polls are left until the next tick. Every resumed fiber costs one, every resolved promise
//   of an operation four; the tick refills it. At 0 the queue waits for the next tick, so I/O and timers get their turn.
// - `coop` is how many operations the running fiber may find ready before it is sent to the back of the queue.
// - User code runs only from `runQueue`, never while a completion is being handled: waking only queues.
import type { Task } from './task.js';

/** Something that the queue can run: a task, or the delivery of a result to a promise. */
export interface Runnable {
  run(): void;
}

/** Where the loop comes from: the border to the addon, or a test's own. Set once, by border.ts. */
export interface TickSource {
  /** Runnable work is left: call `tick` soon, after I/O had its turn. */
  requestTick(): void;
}

/** Polls between two ticks. Bounds how long I/O waits for tasks (see docs/guide/fairness.md). */
export const POLLS_PER_TICK = 4096;
/** What a resolved promise costs of them: its continuation runs after the slice, where no clock ends it. */
export const POLLS_PER_PROMISE = 4;
/** Ready operations that a fiber may run through in one poll: Tokio's number. */
export const COOP_BUDGET = 128;
/** The clock is read every so many polls, to end a slice of expensive polls early. */
const CLOCK_EVERY_POLLS = 64;
/** A slice of tasks ends when it has taken this long. */
export const SLICE_MS = 1;

const settled = Promise.resolve();

export class Scheduler {
  /** True while a fiber, or the synchronous first part of any task, runs. @internal */
  inTask = false;
  credit = POLLS_PER_TICK;
  coop = COOP_BUDGET;

  /** Live tasks that were cancelled: while there is none, nobody needs to find out whether it is one. */
  cancelled = 0;

  polls = 0;
  spawned = 0;
  ended = 0;
  forcedYields = 0;
  busyMs = 0;
  /** Infinity under virtual time: where a slice ends must not depend on the machine's speed there. */
  sliceMs = SLICE_MS;

  tickSource: TickSource | null = null;

  #queue: (Runnable | null)[] = new Array(1024).fill(null);
  #mask = 1023;
  #head = 0;
  #tail = 0;
  #at = 0;
  #microtask = false;
  #running = false;
  readonly #runInMicrotask = (): void => {
    this.#microtask = false;
    this.runQueue();
  };

  /**
   * The fiber that is running, or the task whose synchronous first part is running; null between them. It stays in its
   * place of the queue while it runs: a field of its own would cost a write barrier for each poll.
   */
  get current(): Task | null {
    return this.inTask ? (this.#queue[this.#at] as Task) : null;
  }

  get queued(): number {
    return this.#tail - this.#head;
  }

  /** Puts `work` at the back of the queue and sees to it that the queue will run. */
  enqueue(work: Runnable): void {
    // One place less than there are: the running task stands in one.
    if (this.#tail - this.#head >= this.#mask) this.#grow();
    this.#queue[this.#tail++ & this.#mask] = work;
    if (!this.#running && !this.#microtask) this.#schedule();
  }

  /** Runs what is queued until it is empty or the tick's budget is spent. */
  runQueue(): void {
    if (this.#running || this.#head === this.#tail) return;
    this.#running = true;
    const start = performance.now();
    let polls = 0;
    let untilClock = CLOCK_EVERY_POLLS;
    // Only a bug can throw here (a subclass of Operation that throws when it is cancelled); the others must go on.
    try {
      while (this.#head !== this.#tail && this.credit > 0) {
        const at = this.#head++ & this.#mask;
        this.#at = at;
        this.credit--;
        polls++;
        (this.#queue[at] as Runnable).run();
        this.#queue[this.#at] = null;
        if (--untilClock === 0) {
          untilClock = CLOCK_EVERY_POLLS;
          if (performance.now() - start > this.sliceMs) break;
        }
      }
    } finally {
      this.#endSlice(polls, start);
    }
  }

  #endSlice(polls: number, start: number): void {
    this.inTask = false;
    this.polls += polls;
    this.busyMs += performance.now() - start;
    this.#running = false;
    if (this.#head !== this.#tail) {
      this.credit = 0;
      this.#requestTick();
    } else if (this.#head > 0x3fffffff) {
      this.#head = 0;
      this.#tail = 0;
    }
  }

  /** The tick's part: a new budget, then what the completions have made runnable. */
  tick(): void {
    this.credit = POLLS_PER_TICK;
    this.runQueue();
  }

  #schedule(): void {
    if (this.credit <= 0) {
      this.#requestTick();
      return;
    }
    this.#microtask = true;
    settled.then(this.#runInMicrotask);
  }

  #requestTick(): void {
    this.tickSource?.requestTick();
  }

  /** Twice the room; the running task keeps a place too, the last one. */
  #grow(): void {
    const old = this.#queue;
    const size = old.length * 2;
    const queue: (Runnable | null)[] = new Array(size).fill(null);
    const count = this.#tail - this.#head;
    for (let i = 0; i < count; i++) queue[i] = old[(this.#head + i) & this.#mask] as Runnable;
    if (this.#running) {
      queue[size - 1] = old[this.#at] as Runnable;
      this.#at = size - 1;
    }
    this.#queue = queue;
    this.#mask = size - 1;
    this.#head = 0;
    this.#tail = count;
  }
}

/** This thread's scheduler: one thread of JavaScript has one event loop, and so one run queue. */
export const scheduler = new Scheduler();
