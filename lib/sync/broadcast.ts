// A broadcast's two ends. What they share, and its invariants, are in broadcast-ring.ts.
import type { SignalOption } from '../internal/cancel.js';
import { abortError, checkInteger, MillraceError } from '../internal/errors.js';
import { FULFILLED, Operation, observed } from '../internal/operation.js';
import { beginWith } from './begin.js';
import { BroadcastRing, type Idle } from './broadcast-ring.js';
import { iteratorResult } from './channel.js';
import { CLOSED, type Closed, channelClosed, EMPTY, type Empty } from './closed.js';
import { ReturnedMessages } from './ring.js';
import { type Linked, WaitQueue } from './wait-queue.js';

const CAPACITY_MAX = 0xff_ffff;

/** A receiver of a broadcast was too slow: `missed` messages were overwritten before it received them. */
export class LaggedError extends MillraceError {
  /** How many messages were missed. */
  readonly missed: number;

  /** @internal */
  constructor(missed: number) {
    super(
      'ERR_MILLRACE_CHANNEL_LAGGED',
      `broadcast.recv: ${missed} messages were missed; the next recv goes on with the oldest left`,
    );
    this.name = 'LaggedError';
    this.missed = missed;
  }
}

class BroadcastRecv<T> extends Operation<T | Closed> implements Linked<BroadcastRecv<T>> {
  /** @internal */ previous: BroadcastRecv<T> | null = null;
  /** @internal */ following: BroadcastRecv<T> | null = null;
  /** The message's, once there is one. */
  number = 0;
  readonly #receiver: BroadcastReceiver<T>;

  constructor(receiver: BroadcastReceiver<T>) {
    super();
    this.#receiver = receiver;
  }

  get kind(): string {
    return 'broadcast.recv';
  }

  protected onCancel(): void {
    this.#receiver.leave(this);
  }

  protected override giveBack(message: T | Closed): void {
    if (message !== CLOSED) this.#receiver.putBack(message, this.number);
  }

  /** How much was missed is told as surely as a message is delivered. */
  protected override giveBackError(error: unknown, reason: unknown): void {
    if (!(error instanceof LaggedError)) return;
    observed(this as Operation<unknown>);
    this.value = abortError(reason) as never;
    this.#receiver.missed += error.missed;
  }
}

/** The end of a broadcast that messages go into. Any number of tasks may share it. */
export class BroadcastSender<T> {
  readonly #ring: BroadcastRing<T>;

  /** @internal Use `broadcast`. */
  constructor(ring: BroadcastRing<T>) {
    this.#ring = ring;
  }

  /** Messages that are kept for slow receivers. */
  get capacity(): number {
    return this.#ring.capacity;
  }

  /** Receivers that are not closed. */
  get receivers(): number {
    return this.#ring.receivers;
  }

  get closed(): boolean {
    return this.#ring.closed;
  }

  /**
   * Sends `message` to every receiver that there is; never waits.
   * @returns how many receivers that are; with 0 the message is gone.
   * @throws MillraceError `ERR_MILLRACE_CHANNEL_CLOSED` if the sender was closed.
   */
  send(message: T): number {
    const ring = this.#ring;
    if (ring.closed) throw channelClosed('broadcast.send');
    if (ring.receivers > 0) ring.push(message);
    return ring.receivers;
  }

  /** A new receiver, for the messages that are sent from now on. */
  subscribe(): BroadcastReceiver<T> {
    return new BroadcastReceiver(this.#ring, this.#ring.tail);
  }

  /** Says that nothing more will be sent. Receivers get what they have not had, then `CLOSED`. */
  close(): void {
    const ring = this.#ring;
    ring.closed = true;
    for (let receiver = ring.idle.shift(); receiver !== null; receiver = ring.idle.shift()) receiver.end();
  }

  /** `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** One receiver of a broadcast: it gets every message since it was made, or is told how many it missed. */
export class BroadcastReceiver<T> implements AsyncIterable<T>, Idle {
  /** @internal */ previous: Idle | null = null;
  /** @internal */ following: Idle | null = null;
  /** @internal Missed, and not told yet. */
  missed = 0;
  readonly #ring: BroadcastRing<T>;
  readonly #waiting = new WaitQueue<BroadcastRecv<T>>();
  readonly #returned = new ReturnedMessages<T>();
  #position: number;
  #closed = false;

  /** @internal Use `broadcast` or `subscribe`. */
  constructor(ring: BroadcastRing<T>, position: number) {
    this.#ring = ring;
    this.#position = position;
    ring.receivers++;
  }

  /** Messages that can be received without waiting. */
  get length(): number {
    const ring = this.#ring;
    return this.#returned.length + (this.#closed ? 0 : ring.tail - Math.max(this.#position, ring.oldest));
  }

  /** True once this receiver or the sender was closed. */
  get closed(): boolean {
    return this.#closed || this.#ring.closed;
  }

  /**
   * Waits for the next message; `CLOSED` once the sender is closed and everything was received. Cancelled, or losing a
   * `select`, it loses nothing, neither a message nor the news of missed ones.
   *
   * @throws LaggedError `ERR_MILLRACE_CHANNEL_LAGGED` (from the operation) if more than `capacity` messages were sent
   * since the last `recv`; `missed` tells how many were lost, and the next `recv` gives the oldest that is left.
   * AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  recv(options?: SignalOption): Operation<T | Closed> {
    if (options !== undefined) return beginWith(options, () => this.recv());
    const recv = new BroadcastRecv(this);
    const missed = this.#lag();
    if (missed > 0) recv.reject(new LaggedError(missed));
    else if (this.length > 0) this.#give(recv);
    else if (this.closed) recv.fulfill(CLOSED);
    else this.#wait(recv);
    return recv;
  }

  /**
   * The next message if there is one: otherwise `EMPTY`, or `CLOSED` if none can come any more.
   * @throws LaggedError `ERR_MILLRACE_CHANNEL_LAGGED` as `recv` does.
   */
  tryRecv(): T | Empty | Closed {
    const missed = this.#lag();
    if (missed > 0) throw new LaggedError(missed);
    if (this.#returned.length > 0) return this.#returned.shift().message;
    if (this.length > 0) return this.#ring.read(this.#position++);
    return this.closed ? CLOSED : EMPTY;
  }

  /** The messages until the sender is closed. It throws the LaggedError; another loop goes on after it. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.recv().then(iteratorResult<T>) };
  }

  /** Receives no more; what it has not had is let go, and whoever waits gets `CLOSED`. */
  close(): void {
    if (this.#closed) return;
    const ring = this.#ring;
    while (this.#returned.length > 0) this.#returned.shift();
    for (let n = Math.max(this.#position, ring.oldest); n < ring.tail; n++) ring.read(n);
    this.#closed = true;
    this.missed = 0;
    ring.receivers--;
    if (this.#waiting.size > 0) {
      ring.idle.remove(this);
      this.end();
    }
  }

  /** `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal A message has come; this receiver was taken off the idle list. */
  serve(): void {
    const recv = this.length > 0 ? this.#waiting.shift() : null;
    if (this.#waiting.size > 0) this.#ring.idle.push(this);
    if (recv !== null) this.#give(recv);
  }

  /** @internal No message will come. */
  end(): void {
    for (let recv = this.#waiting.shift(); recv !== null; recv = this.#waiting.shift()) recv.fulfill(CLOSED);
  }

  /** @internal */
  leave(recv: BroadcastRecv<T>): void {
    this.#waiting.remove(recv);
    if (this.#waiting.size === 0) this.#ring.idle.remove(this);
  }

  /** @internal A message that a `recv` was given and that nobody took. */
  putBack(message: T, number: number): void {
    if (this.#closed) return;
    const recv = this.#waiting.first;
    if (recv === null) {
      this.#returned.put(number, message);
      return;
    }
    this.leave(recv);
    recv.number = number;
    recv.fulfill(message);
  }

  /** What was missed since this was asked last; messages that came back are older, and come first. */
  #lag(): number {
    if (this.#returned.length > 0 || this.#closed) return 0;
    const missed = this.missed + Math.max(0, this.#ring.oldest - this.#position);
    this.missed = 0;
    this.#position = Math.max(this.#position, this.#ring.oldest);
    return missed;
  }

  #give(recv: BroadcastRecv<T>): void {
    let message: T;
    if (this.#returned.length > 0) {
      const returned = this.#returned.shift();
      recv.number = returned.number;
      message = returned.message;
    } else {
      recv.number = this.#position++;
      message = this.#ring.read(recv.number);
    }
    if (recv.state !== FULFILLED) recv.fulfill(message);
  }

  #wait(recv: BroadcastRecv<T>): void {
    this.#waiting.push(recv);
    if (this.#waiting.size === 1) this.#ring.idle.push(this);
  }
}

/**
 * Makes a channel whose every receiver gets every message. The sender never waits: the last `capacity` messages are kept,
 * and a receiver that is slower than that is told how many it missed.
 *
 * @param capacity 1 to 16,777,215 messages.
 * @example
 * ```ts
 * const [news, reader] = broadcast<string>(16);
 * const other = news.subscribe();
 * news.send('rain');
 * console.log(await reader.recv(), await other.recv()); // rain rain
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) or RangeError (`ERR_OUT_OF_RANGE`) for a wrong `capacity`.
 */
export function broadcast<T>(capacity: number): [BroadcastSender<T>, BroadcastReceiver<T>] {
  checkInteger(capacity, 'capacity', 1, CAPACITY_MAX);
  const ring = new BroadcastRing<T>(capacity);
  return [new BroadcastSender(ring), new BroadcastReceiver(ring, 0)];
}
