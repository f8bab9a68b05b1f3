// JavaScript's half of the border (native/core/records.h declares it): the submission ring is written here, the
// completion ring is drained here, once a tick.
//
// Invariants:
// - The addon is loaded and opened at the first submission, so that a program which only imports Millrace pays nothing.
//   Until then `control` is a dummy whose Awake word is 0, which leads every submission through `wake`.
// - `drain` first takes every record of the ring, in order, and only queues: no user code runs. Handlers of sockets run
//   after it (`later`), then the tasks.
// - What C++ refuses it counts (Control.Faults); it never does anything wild with what JavaScript wrote.
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Addon, type AddonInfo, type Backend, loadAddon } from './binding.js';
import {
  COMPLETION_CAPACITY,
  COMPLETION_DATAGRAMS,
  COMPLETION_TIMER,
  CONTROL_AWAKE,
  CONTROL_COMPLETION_HEAD,
  CONTROL_COMPLETION_TAIL,
  CONTROL_RUNNABLE,
  CONTROL_SUBMISSION_HEAD,
  CONTROL_SUBMISSION_TAIL,
  CONTROL_WORDS,
  RECORD_A,
  RECORD_B,
  RECORD_DOUBLES,
  RECORD_HANDLE,
  RECORD_VALUE,
  RECORD_WORDS,
  SUBMISSION_CAPACITY,
} from './layout.js';
import { scheduler, type TickSource } from './scheduler.js';

/** Takes the completions of sockets. Set by the network module when it is first used. */
export interface SocketCompletions {
  /** Must only queue; user code runs in `runHandlers`. `at` is the record's index in words. */
  complete(kind: number, handle: number, a: number, b: number): void;
  /** All completions of the tick have been taken: call the handlers. */
  runHandlers(): void;
}

/** Called with the slot of a timer that has fired. Must only queue. */
export type TimerFired = (slot: number) => void;

/** What a tick did, for the metrics hook. */
export type TickHook = (events: number) => void;

const atImport = AsyncLocalStorage.snapshot() as <R>(fn: () => R) => R;
const SUBMISSION_MASK = SUBMISSION_CAPACITY - 1;
const COMPLETION_MASK = COMPLETION_CAPACITY - 1;

export class Border implements TickSource {
  /** The addon, once opened. */
  addon: Addon | null = null;
  ticks = 0;
  events = 0;
  /** What the metrics asked to be told at the end of each tick. */
  hook: TickHook | null = null;
  sockets: SocketCompletions | null = null;
  /** The same for UDP. */
  datagrams: SocketCompletions | null = null;
  timerFired: TimerFired = () => {};

  #control = new Uint32Array(CONTROL_WORDS);
  #words = new Uint32Array(SUBMISSION_CAPACITY * RECORD_WORDS);
  #doubles = new Float64Array(this.#words.buffer);
  #completions = new Uint32Array(COMPLETION_CAPACITY * RECORD_WORDS);
  readonly #load: () => Addon;
  readonly #drain = (): void => this.drain();

  constructor(load: () => Addon) {
    this.#load = load;
  }

  /** A record of two words. */
  submit(head: number, handle: number, a: number, b: number): void {
    const control = this.#control;
    if (control[CONTROL_AWAKE] === 0) {
      this.#wake();
      this.submit(head, handle, a, b);
      return;
    }
    const tail = control[CONTROL_SUBMISSION_TAIL] as number;
    const at = (tail & SUBMISSION_MASK) * RECORD_WORDS;
    const words = this.#words;
    words[at] = head;
    words[at + RECORD_HANDLE] = handle;
    words[at + RECORD_A] = a;
    words[at + RECORD_B] = b;
    control[CONTROL_SUBMISSION_TAIL] = tail + 1;
    if ((tail + 1 - (control[CONTROL_SUBMISSION_HEAD] as number)) >>> 0 === SUBMISSION_CAPACITY) this.flush();
  }

  /** A record of one double. */
  submitValue(head: number, handle: number, value: number): void {
    const control = this.#control;
    if (control[CONTROL_AWAKE] === 0) {
      this.#wake();
      this.submitValue(head, handle, value);
      return;
    }
    const tail = control[CONTROL_SUBMISSION_TAIL] as number;
    const index = tail & SUBMISSION_MASK;
    const words = this.#words;
    const at = index * RECORD_WORDS;
    words[at] = head;
    words[at + RECORD_HANDLE] = handle;
    this.#doubles[index * RECORD_DOUBLES + RECORD_VALUE] = value;
    control[CONTROL_SUBMISSION_TAIL] = tail + 1;
    if ((tail + 1 - (control[CONTROL_SUBMISSION_HEAD] as number)) >>> 0 === SUBMISSION_CAPACITY) this.flush();
  }

  /** Nothing of ours is waiting for the addon to take it. */
  get submitted(): boolean {
    return this.#control[CONTROL_SUBMISSION_HEAD] === this.#control[CONTROL_SUBMISSION_TAIL];
  }

  /** Makes the addon take what was submitted, now. */
  flush(): void {
    this.open().flush();
  }

  /** The scheduler has work that must wait for the next tick. */
  requestTick(): void {
    if (this.#control[CONTROL_AWAKE] === 0) this.#wake();
    this.#control[CONTROL_RUNNABLE] = 1;
  }

  /** Sockets keep the process alive, but the loop has to be told that there is something to look at. */
  keepAlive(): void {
    if (this.#control[CONTROL_AWAKE] === 0) this.#wake();
  }

  /** The addon, loaded and opened if it was not. */
  open(): Addon {
    return this.addon ?? this.#openOver(this.#load());
  }

  /** Opens `addon`, in the place of one that may have been opened before. */
  install(addon: Addon): void {
    this.#openOver(addon);
  }

  #openOver(addon: Addon): Addon {
    // The addon keeps the async context of its opening for every tick: it must not be that of whoever happens to be first.
    const rings = atImport(() => addon.open({ backend: requestedBackend() }, this.#drain));
    this.#control = new Uint32Array(rings.control);
    this.#words = new Uint32Array(rings.submissions);
    this.#doubles = new Float64Array(rings.submissions);
    this.#completions = new Uint32Array(rings.completions);
    this.addon = addon;
    return addon;
  }

  /** The tick: called by the addon, at most once each turn of the loop. */
  drain(): void {
    const control = this.#control;
    control[CONTROL_RUNNABLE] = 0;
    let head = control[CONTROL_COMPLETION_HEAD] as number;
    const tail = control[CONTROL_COMPLETION_TAIL] as number;
    let events = (tail - head) >>> 0;
    if (events > COMPLETION_CAPACITY) {
      // Somebody wrote over the cursors: nothing between them can be believed.
      control[CONTROL_COMPLETION_HEAD] = tail;
      events = 0;
    }
    if (events > 0) {
      const records = this.#completions;
      const { sockets, datagrams } = this;
      for (; head !== tail; head = (head + 1) >>> 0) {
        const at = (head & COMPLETION_MASK) * RECORD_WORDS;
        const kind = (records[at] as number) & 0xff;
        if (kind === COMPLETION_TIMER) {
          this.timerFired(records[at + RECORD_HANDLE] as number);
        } else {
          const sink = kind < COMPLETION_DATAGRAMS ? sockets : datagrams;
          sink?.complete(
            kind,
            records[at + RECORD_HANDLE] as number,
            records[at + RECORD_A] as number,
            records[at + RECORD_B] as number,
          );
        }
      }
      control[CONTROL_COMPLETION_HEAD] = head;
      sockets?.runHandlers();
      datagrams?.runHandlers();
    }
    this.ticks++;
    this.events += events;
    scheduler.tick();
    if (this.hook !== null) this.hook(events);
  }

  #wake(): void {
    this.open().wake();
  }
}

const BACKENDS: readonly string[] = ['auto', 'uring', 'uv'];

/** `MILLRACE_BACKEND`, checked. */
export function requestedBackend(): Backend {
  const asked = process.env.MILLRACE_BACKEND;
  if (asked === undefined || asked === '') return 'auto';
  if (!BACKENDS.includes(asked)) {
    const error = new RangeError(
      `MILLRACE_BACKEND must be one of ${BACKENDS.join(', ')}; got ${JSON.stringify(asked)}`,
    ) as RangeError & { code: string };
    error.code = 'ERR_MILLRACE_BACKEND';
    throw error;
  }
  return asked as Backend;
}

export type { AddonInfo };

/** This thread's border. */
export const border = new Border(loadAddon);
scheduler.tickSource = border;
