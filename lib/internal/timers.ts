// JavaScript's side of the timer wheel: which operation each of its slots belongs to.
//
// A slot is ours from `arm` to its firing or its `disarm`, and then goes back to the free list at once: the addon
// handles submissions in order, so a cancel is always seen before the slot's next arm.
import { border } from './border.js';
import { SUBMISSION_TIMER_ARM, SUBMISSION_TIMER_CANCEL, SUBMISSION_TIMER_REF, UNREF } from './layout.js';

/** Told that its deadline has passed. Called while completions are drained: it must only queue. */
export interface TimerTarget {
  timerFired(): void;
}

const targets: (TimerTarget | null)[] = [];
const free: number[] = [];

/** The farthest deadline: 2^40 ticks of the wheel's 65.536 us, about 834 days from now. */
export const DELAY_MS_MAX = 2 ** 40 * 0.065536;

/** Calls `target.timerFired()` once the clock has reached `deadlineMs`. Returns the slot, for `disarm`. */
export function arm(deadlineMs: number, target: TimerTarget, unref = false): number {
  let slot: number;
  if (free.length > 0) {
    slot = free.pop() as number;
    targets[slot] = target;
  } else {
    slot = targets.length;
    targets.push(target);
  }
  border.submitValue(unref ? SUBMISSION_TIMER_ARM | UNREF : SUBMISSION_TIMER_ARM, slot, deadlineMs);
  return slot;
}

export function disarm(slot: number): void {
  targets[slot] = null;
  free.push(slot);
  border.submit(SUBMISSION_TIMER_CANCEL, slot, 0, 0);
}

/** Whether the timer keeps the process alive. */
export function setTimerRef(slot: number, on: boolean): void {
  border.submit(SUBMISSION_TIMER_REF, slot, on ? 1 : 0, 0);
}

/** Timers that are armed. */
export function armedTimers(): number {
  return targets.length - free.length;
}

/** For another addon, to which no slot is known. Not while timers are armed. */
export function forgetSlots(): void {
  targets.length = 0;
  free.length = 0;
}

border.timerFired = (slot: number): void => {
  const target = targets[slot];
  if (target === null || target === undefined) return;
  targets[slot] = null;
  free.push(slot);
  target.timerFired();
};
