// One deadline on the wheel whose callback runs from the run queue, where user code may run.
import { now } from '../internal/clock.js';
import { type Runnable, scheduler } from '../internal/scheduler.js';
import { arm, disarm, type TimerTarget } from '../internal/timers.js';

const NO_SLOT = -1;

export class Alarm implements TimerTarget, Runnable {
  readonly #ring: () => void;
  readonly #unref: boolean;
  #slot = NO_SLOT;
  /** It has fired and waits in the run queue. */
  #due = false;

  /** @param unref whether it keeps no process alive. */
  constructor(ring: () => void, unref = false) {
    this.#ring = ring;
    this.#unref = unref;
  }

  /** Rings once, `delayMs` from now. What was set before is forgotten. */
  set(delayMs: number): void {
    this.clear();
    this.#slot = arm(now() + delayMs, this, this.#unref);
  }

  /** It does not ring any more, not even when it is due already. */
  clear(): void {
    this.#due = false;
    if (this.#slot === NO_SLOT) return;
    disarm(this.#slot);
    this.#slot = NO_SLOT;
  }

  /** @internal */
  timerFired(): void {
    this.#slot = NO_SLOT;
    this.#due = true;
    scheduler.enqueue(this);
  }

  /** @internal */
  run(): void {
    if (!this.#due) return;
    this.#due = false;
    this.#ring();
  }
}
