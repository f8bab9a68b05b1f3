// The border without the library: what the addon's own tests, their child processes and workers speak to it with.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export const addonPath =
  process.env.MILLRACE_ADDON || fileURLToPath(new URL('../../build/Release/millrace.node', import.meta.url));

export const SUBMISSION_HEAD = 0;
export const SUBMISSION_TAIL = 1;
export const COMPLETION_HEAD = 2;
export const COMPLETION_TAIL = 3;
export const AWAKE = 4;
export const RUNNABLE = 5;
export const FAULTS = 6;
export const TICKS = 7;
export const TIMER_ARM = 1;
export const TIMER_CANCEL = 2;
export const TIMER_REF = 3;
export const UNREF = 512;
const CAPACITY = 4096;

export class RawBorder {
  /** Called in drain for each record, after all of them have been taken. */
  onRecord = (_kind, _handle, _a, _b) => {};
  /** Called first in drain; what it throws leaves drain. */
  onDrain = () => {};

  constructor(backend = process.env.MILLRACE_BACKEND || 'auto') {
    this.addon = createRequire(import.meta.url)(addonPath);
    const rings = this.addon.open({ backend }, () => this.drain());
    this.control = new Uint32Array(rings.control);
    this.submissions = new Uint32Array(rings.submissions);
    this.values = new Float64Array(rings.submissions);
    this.completions = new Uint32Array(rings.completions);
  }

  drain() {
    this.onDrain();
    const control = this.control;
    control[RUNNABLE] = 0;
    const records = [];
    let head = control[COMPLETION_HEAD];
    const tail = control[COMPLETION_TAIL];
    if ((tail - head) >>> 0 > CAPACITY) head = tail; // a test has written over the cursors
    for (; head !== tail; head = (head + 1) >>> 0) {
      const at = (head & (CAPACITY - 1)) * 4;
      records.push([this.completions[at] & 0xff, ...this.completions.subarray(at + 1, at + 4)]);
    }
    control[COMPLETION_HEAD] = head;
    for (const record of records) this.onRecord(...record);
  }

  #next(head, handle) {
    const control = this.control;
    if (control[AWAKE] === 0) this.addon.wake();
    if ((control[SUBMISSION_TAIL] - control[SUBMISSION_HEAD]) >>> 0 >= CAPACITY) this.addon.flush();
    const index = control[SUBMISSION_TAIL] & (CAPACITY - 1);
    this.submissions[index * 4] = head;
    this.submissions[index * 4 + 1] = handle;
    control[SUBMISSION_TAIL]++;
    return index;
  }

  submit(head, handle, a = 0, b = 0) {
    const index = this.#next(head, handle);
    this.submissions[index * 4 + 2] = a;
    this.submissions[index * 4 + 3] = b;
  }

  arm(slot, deadlineMs, flags = 0) {
    this.values[this.#next(TIMER_ARM | flags, slot) * 2 + 1] = deadlineMs;
  }
  cancel(slot) {
    this.submit(TIMER_CANCEL, slot);
  }
}
