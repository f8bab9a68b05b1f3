import type { Addon } from '../../lib/internal/binding.js';
import { Border, border } from '../../lib/internal/border.js';
import { now } from '../../lib/internal/clock.js';
import {
  COMPLETION_CAPACITY,
  CONTROL_AWAKE,
  CONTROL_SUBMISSION_HEAD,
  CONTROL_SUBMISSION_TAIL,
  CONTROL_WORDS,
  RECORD_WORDS,
  SUBMISSION_CAPACITY,
  SUBMISSION_TIMER_CANCEL,
} from '../../lib/internal/layout.js';
import { arm, disarm, type TimerTarget } from '../../lib/internal/timers.js';
import { all, type JoinHandle, spawn } from '../../lib/task/index.js';

const BYTES_PER_WORD = 4;

/** A record into a ring that nobody reads: what JavaScript pays, and nothing else. */
export function ringWrite(): () => void {
  const alone = new Border(() => discardingAddon());
  alone.open();
  return () => alone.submit(SUBMISSION_TIMER_CANCEL, 0, 0, 0);
}

/** An addon that takes every submission and does nothing with it. */
function discardingAddon(): Addon {
  const control = new Uint32Array(CONTROL_WORDS);
  control[CONTROL_AWAKE] = 1;
  const addon: Pick<Addon, 'open' | 'flush'> = {
    open: () => ({
      control: control.buffer,
      submissions: new ArrayBuffer(SUBMISSION_CAPACITY * RECORD_WORDS * BYTES_PER_WORD),
      completions: new ArrayBuffer(COMPLETION_CAPACITY * RECORD_WORDS * BYTES_PER_WORD),
    }),
    flush: () => {
      control[CONTROL_SUBMISSION_HEAD] = control[CONTROL_SUBMISSION_TAIL] ?? 0;
    },
  };
  return addon as Addon;
}

/** The same with the real addon: each time the ring is full C++ takes it. Cancelling an unarmed timer does nothing. */
export function ringWriteDrained(): () => void {
  border.open();
  return () => border.submit(SUBMISSION_TIMER_CANCEL, 0, 0, 0);
}

const NEVER_FIRES: TimerTarget = { timerFired: () => {} };
const DELAY_MS = 1_000;
const SPREAD_MS = 4_096;

/** Deadlines are spread as a program's are, so that one place of the wheel is not always in the cache. */
export function armAndDisarm(): () => void {
  const from = now() + DELAY_MS;
  let k = 0;
  return () => {
    k = (k + 37) % SPREAD_MS;
    disarm(arm(from + k, NEVER_FIRES));
  };
}

export const SPAWNS_PER_BATCH = 1_000;

function* empty(): Generator<never, void, unknown> {}

export async function spawnBatch(): Promise<void> {
  const handles = new Array<JoinHandle<void>>(SPAWNS_PER_BATCH);
  for (let k = 0; k < SPAWNS_PER_BATCH; k++) handles[k] = spawn(empty());
  await all(handles);
}
