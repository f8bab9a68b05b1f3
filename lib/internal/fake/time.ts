// The fake's clock and its timers, in nanoseconds. The clock is always virtual (native/core/clock.h); the timers are a
// heap in the order of their deadlines.
import { SUBMISSION_CAPACITY } from '../layout.js';

const NS_PER_MS = 1e6;
const SLOTS_MAX = 2 ** 24;
const TIME_NS_MAX = 2 ** 63;

/** The nanoseconds of a deadline, rounded so that the clock never shows less than `ms` when it is reached; NaN: no time. */
export function deadlineOf(ms: number): number {
  const ns = Math.ceil(ms * NS_PER_MS);
  if (!(ns < TIME_NS_MAX)) return Number.NaN;
  if (ns <= 0) return 0;
  return ns / NS_PER_MS < ms ? ns + Math.max(1, ns * Number.EPSILON) : ns;
}

export class FakeClock {
  nowNs: number;
  autoAdvance = true;
  #targetNs: number;

  constructor(startMs: number) {
    this.nowNs = startMs * NS_PER_MS;
    this.#targetNs = this.nowNs;
  }

  get nowMs(): number {
    return this.nowNs / NS_PER_MS;
  }

  /** So that sums of milliseconds are rounded alike in every run. */
  toWholeMs(): void {
    this.nowNs = Math.ceil(this.nowNs / NS_PER_MS) * NS_PER_MS;
  }

  get hasTarget(): boolean {
    return this.nowNs < this.#targetNs;
  }

  /** False: beyond what the clock can show. */
  advance(ms: number): boolean {
    const spanNs = deadlineOf(ms);
    if (!(Math.max(this.#targetNs, this.nowNs) + spanNs < TIME_NS_MAX)) return false;
    this.#targetNs = Math.max(this.#targetNs, this.nowNs) + spanNs;
    return true;
  }

  /** To the next deadline, as far as time may go. True: it has moved. */
  step(deadlineNs: number): boolean {
    const before = this.nowNs;
    if (this.hasTarget) this.nowNs = Math.min(Math.max(deadlineNs, before), this.#targetNs);
    else if (this.autoAdvance && deadlineNs < Number.POSITIVE_INFINITY) this.nowNs = Math.max(before, deadlineNs);
    return this.nowNs !== before;
  }
}

interface Armed {
  slot: number;
  deadlineNs: number;
  /** Arms so far: the order among equal deadlines, and what tells a node that was moved from its successor. */
  order: number;
  referenced: boolean;
}

export class FakeTimers {
  referenced = 0;
  fired = 0;
  #slots = new Map<number, Armed>();
  /** A binary heap; what was cancelled or moved stays in it until it comes to the top. */
  readonly #heap: Armed[] = [];
  #orders = 0;
  #slotsUsed = 0;

  get armed(): number {
    return this.#slots.size;
  }

  /** False: refused. */
  arm(slot: number, deadlineNs: number, referenced: boolean): boolean {
    if (slot > this.#slotsUsed + SUBMISSION_CAPACITY || slot >= SLOTS_MAX || Number.isNaN(deadlineNs)) return false;
    this.cancel(slot);
    this.#slotsUsed = Math.max(this.#slotsUsed, slot + 1);
    const timer = { slot, deadlineNs, order: this.#orders++, referenced };
    this.#slots.set(slot, timer);
    if (referenced) this.referenced++;
    this.#push(timer);
    return true;
  }

  /** False: no such slot was ever used. */
  cancel(slot: number): boolean {
    const timer = this.#slots.get(slot);
    if (timer?.referenced) this.referenced--;
    this.#slots.delete(slot);
    return slot < this.#slotsUsed;
  }

  setReferenced(slot: number, on: boolean): boolean {
    const timer = this.#slots.get(slot);
    if (timer !== undefined && timer.referenced !== on) {
      timer.referenced = on;
      this.referenced += on ? 1 : -1;
    }
    return slot < this.#slotsUsed;
  }

  /** Infinity without timers. */
  earliestNs(): number {
    this.#dropStale();
    return this.#heap[0]?.deadlineNs ?? Number.POSITIVE_INFINITY;
  }

  /** At most `limit` slots that are due, the earliest first; they are unarmed. */
  takeDue(nowNs: number, limit: number): number[] {
    const due: number[] = [];
    while (due.length < limit && this.earliestNs() <= nowNs) {
      const timer = this.#pop();
      this.cancel(timer.slot);
      due.push(timer.slot);
    }
    return due;
  }

  #dropStale(): void {
    for (let top = this.#heap[0]; top !== undefined && this.#slots.get(top.slot) !== top; top = this.#heap[0])
      this.#pop();
  }

  #push(timer: Armed): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent] as Armed, timer)) break;
      heap[at] = heap[parent] as Armed;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): Armed {
    const heap = this.#heap;
    const top = heap[0] as Armed;
    const last = heap.pop() as Armed;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Armed, heap[child] as Armed)) child++;
      if (isBefore(last, heap[child] as Armed)) break;
      heap[at] = heap[child] as Armed;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(a: Armed, b: Armed): boolean {
  return a.deadlineNs < b.deadlineNs || (a.deadlineNs === b.deadlineNs && a.order < b.order);
}
