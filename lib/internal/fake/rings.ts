// The addon's half of the two rings (native/core/rings.h), which trusts what JavaScript wrote as little as C++ does.
import {
  COMPLETION_CAPACITY,
  CONTROL_COMPLETION_HEAD,
  CONTROL_COMPLETION_TAIL,
  CONTROL_FAULTS,
  CONTROL_SUBMISSION_HEAD,
  CONTROL_SUBMISSION_TAIL,
  CONTROL_WORDS,
  RECORD_A,
  RECORD_B,
  RECORD_BYTES,
  RECORD_DOUBLES,
  RECORD_HANDLE,
  RECORD_VALUE,
  RECORD_WORDS,
  SUBMISSION_CAPACITY,
} from '../layout.js';

/** One submission. `value` is what `a` and `b` are as a double. */
export interface Submission {
  head: number;
  handle: number;
  a: number;
  b: number;
  value: number;
}

export class Rings {
  readonly control = new Uint32Array(CONTROL_WORDS);
  readonly submissions = new ArrayBuffer(SUBMISSION_CAPACITY * RECORD_BYTES);
  readonly completions = new ArrayBuffer(COMPLETION_CAPACITY * RECORD_BYTES);
  pushed = 0;
  drained = 0;
  faults = 0;
  readonly #submissionWords = new Uint32Array(this.submissions);
  readonly #submissionValues = new Float64Array(this.submissions);
  readonly #completionWords = new Uint32Array(this.completions);
  /** Our own copies: what JavaScript writes over the control words changes nothing. */
  #submissionHead: number;
  #completionTail: number;

  constructor(cursor: number) {
    this.#submissionHead = cursor >>> 0;
    this.#completionTail = cursor >>> 0;
    for (const word of [
      CONTROL_SUBMISSION_HEAD,
      CONTROL_SUBMISSION_TAIL,
      CONTROL_COMPLETION_HEAD,
      CONTROL_COMPLETION_TAIL,
    ]) {
      this.control[word] = cursor;
    }
  }

  get room(): number {
    const used = (this.#completionTail - (this.control[CONTROL_COMPLETION_HEAD] as number)) >>> 0;
    return used > COMPLETION_CAPACITY ? 0 : COMPLETION_CAPACITY - used;
  }

  get completionsEmpty(): boolean {
    return this.control[CONTROL_COMPLETION_HEAD] === this.#completionTail;
  }

  get submissionsEmpty(): boolean {
    return this.control[CONTROL_SUBMISSION_TAIL] === this.#submissionHead;
  }

  /** False: full, nothing was written. */
  push(kind: number, handle: number, a = 0, b = 0): boolean {
    if (this.room === 0) return false;
    const at = (this.#completionTail & (COMPLETION_CAPACITY - 1)) * RECORD_WORDS;
    const words = this.#completionWords;
    words[at] = kind;
    words[at + RECORD_HANDLE] = handle;
    words[at + RECORD_A] = a;
    words[at + RECORD_B] = b;
    this.#completionTail = (this.#completionTail + 1) >>> 0;
    this.control[CONTROL_COMPLETION_TAIL] = this.#completionTail;
    this.pushed++;
    return true;
  }

  /** What was refused elsewhere counts too. */
  addFaults(faults: number): void {
    this.control[CONTROL_FAULTS] = (this.control[CONTROL_FAULTS] as number) + faults;
    this.faults += faults;
  }

  /** Calls `apply` for what is in the submission ring now; it returns false for a fault. */
  drain(apply: (record: Submission) => boolean): void {
    const { control } = this;
    const end = control[CONTROL_SUBMISSION_TAIL] as number;
    let faults = 0;
    if ((end - this.#submissionHead) >>> 0 > SUBMISSION_CAPACITY) {
      this.#submissionHead = end;
      faults++;
    }
    while (this.#submissionHead !== end) {
      const index = this.#submissionHead & (SUBMISSION_CAPACITY - 1);
      const at = index * RECORD_WORDS;
      const words = this.#submissionWords;
      this.#submissionHead = (this.#submissionHead + 1) >>> 0;
      this.drained++;
      const record = {
        head: words[at] as number,
        handle: words[at + RECORD_HANDLE] as number,
        a: words[at + RECORD_A] as number,
        b: words[at + RECORD_B] as number,
        value: this.#submissionValues[index * RECORD_DOUBLES + RECORD_VALUE] as number,
      };
      if (!apply(record)) faults++;
    }
    control[CONTROL_SUBMISSION_HEAD] = this.#submissionHead;
    control[CONTROL_FAULTS] = (control[CONTROL_FAULTS] as number) + faults;
    this.faults += faults;
  }
}
