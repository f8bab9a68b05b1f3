import type { SignalOption } from '../internal/cancel.js';
import { Operation } from '../internal/operation.js';
import { beginWith } from './begin.js';
import { type Linked, WaitQueue } from './wait-queue.js';

class Notified extends Operation<void> implements Linked<Notified> {
  /** @internal */ previous: Notified | null = null;
  /** @internal */ following: Notified | null = null;
  /** It used up a notification that was meant for one. */
  alone = false;
  readonly #notify: Notify;

  constructor(notify: Notify) {
    super();
    this.#notify = notify;
  }

  get kind(): string {
    return 'notify.notified';
  }

  protected onCancel(): void {
    this.#notify.waiting.remove(this);
  }

  protected override giveBack(): void {
    if (this.alone) this.#notify.notifyOne();
  }
}

/**
 * Wakes tasks without giving them anything: the building block for conditions of one's own.
 *
 * @example
 * ```ts
 * const jobs: string[] = [];
 * const arrived = new Notify();
 * const worker = spawn(async () => {
 *   while (jobs.length === 0) await arrived.notified();
 *   return jobs.shift();
 * });
 * jobs.push('paint');
 * arrived.notifyOne();
 * console.log(await worker); // paint
 * ```
 */
export class Notify {
  /** @internal */ readonly waiting = new WaitQueue<Notified>();
  #stored = false;

  /**
   * Wakes the task that has waited longest. If none waits, the next `notified` ends at once: one notification is stored,
   * not more.
   */
  notifyOne(): void {
    const first = this.waiting.shift();
    if (first === null) {
      this.#stored = true;
    } else {
      first.alone = true;
      first.fulfill(undefined);
    }
  }

  /** Wakes every task that waits now. Nothing is stored for later ones. */
  notifyWaiters(): void {
    for (let first = this.waiting.shift(); first !== null; first = this.waiting.shift()) first.fulfill(undefined);
  }

  /**
   * Waits to be notified, from the call on: what is notified between the call and the `await` counts. If it is cancelled
   * or loses a `select` with a notification that was for one task, the next task gets that.
   *
   * @throws AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  notified(options?: SignalOption): Operation<void> {
    if (options !== undefined) return beginWith(options, () => this.notified());
    const notified = new Notified(this);
    if (this.#stored) {
      this.#stored = false;
      notified.alone = true;
      notified.fulfill(undefined);
    } else {
      this.waiting.push(notified);
    }
    return notified;
  }
}
