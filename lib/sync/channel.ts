import type { SignalOption } from '../internal/cancel.js';
import { checkInteger, invalidType } from '../internal/errors.js';
import type { Operation } from '../internal/operation.js';
import { beginWith, Done, refused, refusedByTask } from './begin.js';
import { CLOSED, type Closed, channelClosed, EMPTY, type Empty } from './closed.js';
import { MessageQueue, Recv, RecvMany, Reserve, Send, UNBOUNDED } from './message-queue.js';
import { SendPermit } from './send-permit.js';

/** A send that found room: one object for all of them, since there is nothing to cancel and nothing to give back. */
const SENT = new Done('channel.send');

/** The end of a channel that messages go into. Any number of tasks may share it. */
export class Sender<T> {
  readonly #queue: MessageQueue<T>;

  /** @internal Use `channel`. */
  constructor(queue: MessageQueue<T>) {
    this.#queue = queue;
  }

  /** How many messages the channel holds before `send` waits; Infinity for an unbounded one. */
  get capacity(): number {
    return publicCapacity(this.#queue);
  }

  /** Messages that nobody has received yet. */
  get length(): number {
    return this.#queue.length;
  }

  /** True once either end was closed: sending is an error then. */
  get closed(): boolean {
    return this.#queue.closed;
  }

  /**
   * Sends `message`: at once if there is room, otherwise when the receiver has made some, first come first served.
   *
   * An operation that is cancelled while it waits has not sent its message. One that found room has sent it, whatever
   * happens afterwards; where a send is an arm of a `select`, use `reserve`, which can be undone.
   *
   * @example
   * ```ts
   * const [sender, receiver] = channel<number>(2);
   * const consumer = spawn(async () => {
   *   for await (const n of receiver) console.log(n);
   * });
   * for (let n = 0; n < 10; n++) await sender.send(n);
   * sender.close();
   * await consumer;
   * ```
   * @throws MillraceError `ERR_MILLRACE_CHANNEL_CLOSED` (from the operation) if the channel is closed, or the receiver
   * closes it while this waits. AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`, and
   * for `CLOSED` or `EMPTY` as a message.
   */
  send(message: T, options?: SignalOption): Operation<void> {
    if (options !== undefined) return beginWith(options, () => this.send(message));
    checkMessage(message);
    const aborted = refusedByTask();
    if (aborted !== null) return aborted;
    const queue = this.#queue;
    if (queue.offer(message)) return SENT;
    return queue.closed ? refused(channelClosed('channel.send')) : new Send(queue, message);
  }

  /**
   * Sends `message` if there is room.
   * @returns false if there is none.
   * @throws MillraceError `ERR_MILLRACE_CHANNEL_CLOSED` if the channel is closed. TypeError (`ERR_INVALID_ARG_TYPE`) for
   * `CLOSED` or `EMPTY` as a message.
   */
  trySend(message: T): boolean {
    checkMessage(message);
    if (this.#queue.offer(message)) return true;
    if (this.#queue.closed) throw channelClosed('channel.trySend');
    return false;
  }

  /**
   * Waits for room for one message, and keeps it: the permit's `send` never waits. Cancelled or losing a `select`, it
   * leaves no trace.
   *
   * @example
   * ```ts
   * const [sender] = channel<string>(1);
   * const { key, value } = await select({ room: sender.reserve(), late: sleep(50) });
   * if (key === 'room') value.send('in time');
   * ```
   * @throws MillraceError `ERR_MILLRACE_CHANNEL_CLOSED` (from the operation) if the channel is closed, or is closed
   * while this waits. AbortError if cancelled.
   */
  reserve(options?: SignalOption): Operation<SendPermit<T>> {
    if (options !== undefined) return beginWith(options, () => this.reserve());
    const queue = this.#queue;
    return queue.closed ? refused(channelClosed('channel.reserve')) : new Reserve(queue);
  }

  /**
   * A permit if there is room now, otherwise null.
   * @throws MillraceError `ERR_MILLRACE_CHANNEL_CLOSED` if the channel is closed.
   */
  tryReserve(): SendPermit<T> | null {
    const queue = this.#queue;
    if (queue.closed) throw channelClosed('channel.tryReserve');
    return queue.used < queue.capacity ? new SendPermit(queue) : null;
  }

  /**
   * Says that nothing more will be sent. What was sent, what waits for room in `send`, and what a permit was given for
   * still arrives; then the receiver gets `CLOSED`. Closing twice does nothing.
   */
  close(): void {
    if (!this.#queue.closed) this.#queue.close(false);
  }

  /** `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The end of a channel that messages come out of. Several tasks may receive: each message goes to one, in turn. */
export class Receiver<T> implements AsyncIterable<T> {
  readonly #queue: MessageQueue<T>;

  /** @internal Use `channel`. */
  constructor(queue: MessageQueue<T>) {
    this.#queue = queue;
  }

  /** How many messages the channel holds before `send` waits; Infinity for an unbounded one. */
  get capacity(): number {
    return publicCapacity(this.#queue);
  }

  /** Messages that wait to be received. */
  get length(): number {
    return this.#queue.length;
  }

  /** True once either end was closed. Messages may be left: `recv` tells when there are none. */
  get closed(): boolean {
    return this.#queue.closed;
  }

  /**
   * Waits for the next message; `CLOSED` once the channel is closed and drained. Several that wait are served in order.
   *
   * Cancelling it, or losing a `select`, loses nothing: a message that it had already goes back to its place before all
   * later ones.
   *
   * @example
   * ```ts
   * function* consumer(receiver: Receiver<string>) {
   *   for (;;) {
   *     const message = yield* receiver.recv();
   *     if (message === CLOSED) break;
   *     console.log(message);
   *   }
   * }
   * const [sender, receiver] = channel<string>(4);
   * const done = spawn(consumer(receiver));
   * await sender.send('hello');
   * sender.close();
   * await done;
   * ```
   * @throws AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  recv(options?: SignalOption): Operation<T | Closed> {
    if (options !== undefined) return beginWith(options, () => this.recv());
    return new Recv(this.#queue);
  }

  /** The next message if there is one: otherwise `EMPTY`, or `CLOSED` if none can come any more. */
  tryRecv(): T | Empty | Closed {
    const queue = this.#queue;
    if (queue.length > 0) return queue.take();
    return queue.drained ? CLOSED : EMPTY;
  }

  /**
   * Waits for a message and takes all that are there, at most `limit`: cheaper than one by one. An empty array means
   * closed and drained. Cancelled, it gives back all of them in order.
   *
   * @param limit 1 to 1,073,741,823 messages.
   * @throws RangeError (`ERR_OUT_OF_RANGE`) or TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `limit`. AbortError if
   * cancelled.
   */
  recvMany(limit: number, options?: SignalOption): Operation<T[]> {
    checkInteger(limit, 'limit', 1, UNBOUNDED);
    if (options !== undefined) return beginWith(options, () => this.recvMany(limit));
    return new RecvMany(this.#queue, limit);
  }

  /**
   * Says that no more is wanted: every later `send`, and each that waits for room, fails with
   * `ERR_MILLRACE_CHANNEL_CLOSED`. What was sent before, and what permits were given for, can still be received.
   */
  close(): void {
    // Closed by the sender: those that wait for room are refused all the same.
    this.#queue.close(true);
  }

  /** `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The messages until the channel is closed and drained. Leaving the loop early leaves the channel open. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return new Messages(this.#queue);
  }
}

/** One loop over the messages; an async generator would make three promises where this makes two. */
class Messages<T> implements AsyncIterator<T, undefined> {
  readonly #queue: MessageQueue<T>;

  constructor(queue: MessageQueue<T>) {
    this.#queue = queue;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Recv(this.#queue).promise().then(iteratorResult);
  }
}

/** @internal */
export function iteratorResult<T>(message: T | Closed): IteratorResult<T, undefined> {
  return message === CLOSED ? { done: true, value: undefined } : { done: false, value: message };
}

/**
 * Makes a channel: many may send, and each message is received once, in the order in which they were sent.
 *
 * Each end can be closed; there is no count of senders as in Rust, so the last one says when it is over.
 *
 * @param capacity how many messages wait before `send` does: 1 to 1,073,741,822. Left out: as many as memory holds.
 * @example
 * ```ts
 * const [sender, receiver] = channel<number>(16);
 * const sum = spawn(async () => {
 *   let total = 0;
 *   for await (const n of receiver) total += n;
 *   return total;
 * });
 * for (let n = 1; n <= 100; n++) await sender.send(n);
 * sender.close();
 * console.log(await sum); // 5050
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) or RangeError (`ERR_OUT_OF_RANGE`) for a wrong `capacity`.
 */
export function channel<T>(capacity?: number): [Sender<T>, Receiver<T>] {
  if (capacity !== undefined) checkInteger(capacity, 'capacity', 1, UNBOUNDED - 1);
  const queue = new MessageQueue<T>(capacity ?? UNBOUNDED);
  return [new Sender(queue), new Receiver(queue)];
}

function checkMessage(message: unknown): void {
  if (message === CLOSED || message === EMPTY) throw invalidType('message', 'anything but CLOSED and EMPTY', message);
}

function publicCapacity(queue: MessageQueue<unknown>): number {
  return queue.capacity === UNBOUNDED ? Number.POSITIVE_INFINITY : queue.capacity;
}
