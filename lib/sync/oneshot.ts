import type { SignalOption } from '../internal/cancel.js';
import { MillraceError } from '../internal/errors.js';
import { Operation } from '../internal/operation.js';
import { beginWith, refused } from './begin.js';
import { CLOSED, type Closed, channelClosed, EMPTY, type Empty } from './closed.js';

/** What the two ends share. The value is in one place: here, in the receiving operation, or with the user. */
class Slot<T> {
  state: 'open' | 'full' | 'taken' = 'open';
  value: T | undefined = undefined;
  senderClosed = false;
  receiverClosed = false;
  waiting: OneshotRecv<T> | null = null;

  take(): T {
    const value = this.value as T;
    this.state = 'taken';
    this.value = undefined;
    return value;
  }

  put(value: T): void {
    this.state = 'full';
    this.value = value;
  }

  /** Whoever waits waits in vain. */
  end(): void {
    const { waiting } = this;
    if (waiting === null) return;
    this.waiting = null;
    waiting.reject(channelClosed('oneshot.recv'));
  }
}

class OneshotRecv<T> extends Operation<T> {
  readonly #slot: Slot<T>;

  constructor(slot: Slot<T>) {
    super();
    this.#slot = slot;
    if (slot.state === 'full') this.fulfill(slot.take());
    else slot.waiting = this;
  }

  get kind(): string {
    return 'oneshot.recv';
  }

  protected onCancel(): void {
    this.#slot.waiting = null;
  }

  protected override giveBack(value: T): void {
    this.#slot.put(value);
  }
}

/** The end of a oneshot that takes the value. */
export class OneshotSender<T> {
  readonly #slot: Slot<T>;
  #sent = false;

  /** @internal Use `oneshot`. */
  constructor(slot: Slot<T>) {
    this.#slot = slot;
  }

  /** True once either end was closed: sending is an error then. */
  get closed(): boolean {
    return this.#slot.receiverClosed || this.#slot.senderClosed;
  }

  /**
   * Sends the one value; never waits.
   * @throws MillraceError `ERR_MILLRACE_CONSUMED` if it was sent already, `ERR_MILLRACE_CHANNEL_CLOSED` if either end is
   * closed.
   */
  send(value: T): void {
    const slot = this.#slot;
    if (this.#sent) throw new MillraceError('ERR_MILLRACE_CONSUMED', 'oneshot.send: the value was sent already');
    if (this.closed) throw channelClosed('oneshot.send');
    this.#sent = true;
    const { waiting } = slot;
    if (waiting === null) {
      slot.put(value);
    } else {
      slot.waiting = null;
      slot.state = 'taken';
      waiting.fulfill(value);
    }
  }

  /** Says that no value will come, unless it has been sent. */
  close(): void {
    this.#slot.senderClosed = true;
    this.#slot.end();
  }

  /** `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The end of a oneshot that the value comes out of. */
export class OneshotReceiver<T> {
  readonly #slot: Slot<T>;

  /** @internal Use `oneshot`. */
  constructor(slot: Slot<T>) {
    this.#slot = slot;
  }

  /**
   * Waits for the value. If it is cancelled or loses a `select`, the value can still be received.
   *
   * @throws MillraceError (from the operation) `ERR_MILLRACE_CHANNEL_CLOSED` if an end is closed and no value was sent,
   * `ERR_MILLRACE_CONSUMED` if it was received already, `ERR_MILLRACE_INVALID_STATE` if another `recv` waits. AbortError
   * if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  recv(options?: SignalOption): Operation<T> {
    if (options !== undefined) return beginWith(options, () => this.recv());
    const slot = this.#slot;
    if (slot.state === 'taken') return refused(consumed('oneshot.recv'));
    if (slot.state === 'open' && (slot.senderClosed || slot.receiverClosed))
      return refused(channelClosed('oneshot.recv'));
    if (slot.waiting !== null) {
      return refused(new MillraceError('ERR_MILLRACE_INVALID_STATE', 'oneshot.recv: another recv waits already'));
    }
    return new OneshotRecv(slot);
  }

  /**
   * The value if it has come: otherwise `EMPTY`, or `CLOSED` if none will come.
   * @throws MillraceError `ERR_MILLRACE_CONSUMED` if it was received already.
   */
  tryRecv(): T | Empty | Closed {
    const slot = this.#slot;
    if (slot.state === 'taken') throw consumed('oneshot.tryRecv');
    if (slot.state === 'full') return slot.take();
    return slot.senderClosed || slot.receiverClosed ? CLOSED : EMPTY;
  }

  /** Says that the value is not wanted: sending it is an error from now on. One that was sent can be received. */
  close(): void {
    this.#slot.receiverClosed = true;
    this.#slot.end();
  }

  /** `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Makes a channel for one value: an answer, a result, a sign.
 *
 * @example
 * ```ts
 * const [answer, question] = oneshot<number>();
 * spawn(async () => answer.send(42));
 * console.log(await question.recv()); // 42
 * ```
 */
export function oneshot<T>(): [OneshotSender<T>, OneshotReceiver<T>] {
  const slot = new Slot<T>();
  return [new OneshotSender(slot), new OneshotReceiver(slot)];
}

function consumed(action: string): MillraceError {
  return new MillraceError('ERR_MILLRACE_CONSUMED', `${action}: the value was received already`);
}
