import type { SignalOption } from '../internal/cancel.js';
import { checkInteger } from '../internal/errors.js';
import { Operation } from '../internal/operation.js';
import { beginWith, refusedByTask } from './begin.js';
import { type Linked, WaitQueue } from './wait-queue.js';

const TASKS_MAX = 0x3fff_ffff;

/** What every task of a round gets. */
export interface BarrierResult {
  /** True for one task of the round: the one that came last. */
  readonly isLeader: boolean;
  /** Which round it was, from 0. */
  readonly round: number;
}

class BarrierWait extends Operation<BarrierResult> implements Linked<BarrierWait> {
  /** @internal */ previous: BarrierWait | null = null;
  /** @internal */ following: BarrierWait | null = null;
  readonly #waiting: WaitQueue<BarrierWait>;

  constructor(waiting: WaitQueue<BarrierWait>) {
    super();
    this.#waiting = waiting;
  }

  get kind(): string {
    return 'barrier.wait';
  }

  /** The round is over and cannot be taken back: an abort of the waiting task comes too late for it. */
  override get shielded(): boolean {
    return this.state !== 0;
  }

  protected onCancel(): void {
    this.#waiting.remove(this);
  }
}

/**
 * Where a number of tasks wait for each other, round after round.
 *
 * @example
 * ```ts
 * const barrier = new Barrier(3);
 * function* player() {
 *   const { isLeader } = yield* barrier.wait();
 *   if (isLeader) console.log('all three are here');
 * }
 * await all([spawn(player()), spawn(player()), spawn(player())]);
 * ```
 */
export class Barrier {
  /** How many tasks make a round. */
  readonly size: number;
  readonly #waiting = new WaitQueue<BarrierWait>();
  #round = 0;

  /**
   * @param size 1 to 1,073,741,823 tasks.
   * @throws TypeError (`ERR_INVALID_ARG_TYPE`) or RangeError (`ERR_OUT_OF_RANGE`).
   */
  constructor(size: number) {
    checkInteger(size, 'size', 1, TASKS_MAX);
    this.size = size;
  }

  /** Tasks that wait for the present round to be full. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits until `size` tasks wait, this one included. Cancelled before that, it does not count; the call that makes the
   * round full ends it for all, whatever happens to that task afterwards.
   *
   * @throws AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  wait(options?: SignalOption): Operation<BarrierResult> {
    if (options !== undefined) return beginWith(options, () => this.wait());
    const aborted = refusedByTask();
    if (aborted !== null) return aborted;
    const arrival = new BarrierWait(this.#waiting);
    this.#waiting.push(arrival);
    if (this.#waiting.size === this.size) this.#endRound(arrival);
    return arrival;
  }

  #endRound(leader: BarrierWait): void {
    const round = this.#round++;
    this.#waiting.remove(leader);
    leader.fulfill({ isLeader: true, round });
    const result = { isLeader: false, round };
    for (let other = this.#waiting.shift(); other !== null; other = this.#waiting.shift()) other.fulfill(result);
  }
}
