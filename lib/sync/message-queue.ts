// The state that the two ends of a channel share.
//
// Invariants:
// - `used` counts what takes room: queued messages, those that came back included, and permits. Nobody waits for room
//   while there is some, so a sender that finds room overtakes nobody. Only a message that comes back may exceed it.
// - Receivers wait only while nothing is queued; then a message goes straight to the first of them.
// - A message that a receiver gives back stands before everything that was sent after it.
// - Closed means that no send begins any more. What was queued, promised by a permit, or already waiting for room when
//   the sender closed still arrives; then every receiver gets CLOSED.
import { Operation } from '../internal/operation.js';
import { CLOSED, type Closed, channelClosed } from './closed.js';
import { ReturnedMessages, Ring } from './ring.js';
import { SendPermit } from './send-permit.js';
import { type Linked, WaitQueue } from './wait-queue.js';

/** Room without a limit: more messages than memory holds, and still a small integer to the engine. */
export const UNBOUNDED = 0x3fff_ffff;

export class MessageQueue<T> {
  readonly capacity: number;
  used = 0;
  permits = 0;
  closed = false;
  readonly ring = new Ring<T>();
  readonly returned = new ReturnedMessages<T>();
  readonly senders = new WaitQueue<Sending<T>>();
  readonly receivers = new WaitQueue<Receiving<T>>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get length(): number {
    return this.used - this.permits;
  }

  /** True once no message can come any more: none is queued or promised, hence nobody waits for room either. */
  get drained(): boolean {
    return this.closed && this.used === 0;
  }

  /** Takes `message` if there is room. */
  offer(message: T): boolean {
    if (this.used >= this.capacity || this.closed) return false;
    this.deliver(message);
    return true;
  }

  deliver(message: T): void {
    if (this.receivers.first === null) {
      this.used++;
      this.ring.push(message);
    } else {
      (this.receivers.shift() as Receiving<T>).receive(message, this.ring.skip());
    }
  }

  /** The number of the message that was taken last. */
  number = 0;

  /** Takes the first message; there must be one. */
  take(): T {
    this.used--;
    let message: T;
    if (this.returned.length === 0) {
      this.number = this.ring.head;
      message = this.ring.shift();
    } else {
      const returned = this.returned.shift();
      this.number = returned.number;
      message = returned.message;
    }
    if (this.senders.first !== null) this.admit();
    return message;
  }

  /** A message that was given to a receiver and not taken. */
  putBack(message: T, number: number): void {
    const receiver = this.receivers.shift();
    if (receiver !== null) {
      receiver.receive(message, number);
    } else {
      this.used++;
      this.returned.put(number, message);
    }
  }

  /** Lets in who waits for room, as far as there is room. */
  admit(): void {
    while (this.used < this.capacity) {
      const sender = this.senders.shift();
      if (sender === null) return;
      sender.admit();
    }
  }

  usePermit(message: T): void {
    this.permits--;
    this.used--;
    this.deliver(message);
    this.admit();
    this.settleIfDrained();
  }

  releasePermit(): void {
    this.permits--;
    this.used--;
    this.admit();
    this.settleIfDrained();
  }

  /** @param receiving true where the receiver closes, so that what waits for room is refused. */
  close(receiving: boolean): void {
    this.closed = true;
    const refused: Sending<T>[] = [];
    for (let sender = this.senders.first; sender !== null; sender = sender.following) {
      if (receiving || sender instanceof Reserve) refused.push(sender);
    }
    for (const sender of refused) {
      // Refusing one may have cancelled another: the arms of a select.
      if (sender.state !== 0) continue;
      this.senders.remove(sender);
      sender.reject(channelClosed(sender.kind));
    }
    this.settleIfDrained();
  }

  settleIfDrained(): void {
    if (!this.drained) return;
    for (let receiver = this.receivers.shift(); receiver !== null; receiver = this.receivers.shift()) receiver.end();
  }
}

/** Waits for room. */
export abstract class Sending<T, R = unknown> extends Operation<R> implements Linked<Sending<T>> {
  /** @internal */ previous: Sending<T> | null = null;
  /** @internal */ following: Sending<T> | null = null;
  protected readonly queue: MessageQueue<T>;

  constructor(queue: MessageQueue<T>) {
    super();
    this.queue = queue;
  }

  /** There is room, and it is this one's turn; it is out of the list. */
  abstract admit(): void;

  protected onCancel(): void {
    this.queue.senders.remove(this as Sending<T>);
  }
}

export class Send<T> extends Sending<T, void> {
  readonly #message: T;

  constructor(queue: MessageQueue<T>, message: T) {
    super(queue);
    this.#message = message;
    queue.senders.push(this as Sending<T>);
  }

  get kind(): string {
    return 'channel.send';
  }

  admit(): void {
    this.queue.deliver(this.#message);
    this.fulfill(undefined);
  }

  /** It has been sent: an abort of the waiting task comes too late for it. */
  override get shielded(): boolean {
    return this.state !== 0;
  }
}

export class Reserve<T> extends Sending<T, SendPermit<T>> {
  constructor(queue: MessageQueue<T>) {
    super(queue);
    if (queue.used < queue.capacity) this.admit();
    else queue.senders.push(this as Sending<T>);
  }

  get kind(): string {
    return 'channel.reserve';
  }

  admit(): void {
    this.fulfill(new SendPermit(this.queue));
  }

  protected override giveBack(permit: SendPermit<T>): void {
    permit.release();
  }
}

/** Waits for messages. */
export abstract class Receiving<T, R = unknown> extends Operation<R> implements Linked<Receiving<T>> {
  /** @internal */ previous: Receiving<T> | null = null;
  /** @internal */ following: Receiving<T> | null = null;
  protected readonly queue: MessageQueue<T>;

  constructor(queue: MessageQueue<T>) {
    super();
    this.queue = queue;
  }

  /** A message for the first who waits, which is this one; it is out of the list. */
  abstract receive(message: T, number: number): void;

  /** No message will come any more. */
  abstract end(): void;

  protected onCancel(): void {
    this.queue.receivers.remove(this as Receiving<T>);
  }
}

export class Recv<T> extends Receiving<T, T | Closed> {
  #number = 0;

  constructor(queue: MessageQueue<T>) {
    super(queue);
    if (queue.used > queue.permits) {
      this.state = 1;
      this.value = queue.take();
      this.#number = queue.number;
    } else if (queue.drained) {
      this.end();
    } else {
      queue.receivers.push(this as Receiving<T>);
    }
  }

  get kind(): string {
    return 'channel.recv';
  }

  receive(message: T, number: number): void {
    this.#number = number;
    this.fulfill(message);
  }

  end(): void {
    this.fulfill(CLOSED);
  }

  protected override giveBack(message: T | Closed): void {
    if (message !== CLOSED) this.queue.putBack(message, this.#number);
  }
}

export class RecvMany<T> extends Receiving<T, T[]> {
  readonly #numbers: number[] = [];

  constructor(queue: MessageQueue<T>, limit: number) {
    super(queue);
    if (queue.length > 0) {
      const messages: T[] = [];
      while (messages.length < limit && queue.length > 0) {
        messages.push(queue.take());
        this.#numbers.push(queue.number);
      }
      this.fulfill(messages);
    } else if (queue.drained) {
      this.end();
    } else {
      queue.receivers.push(this as Receiving<T>);
    }
  }

  get kind(): string {
    return 'channel.recvMany';
  }

  receive(message: T, number: number): void {
    this.#numbers.push(number);
    this.fulfill([message]);
  }

  end(): void {
    this.fulfill([]);
  }

  protected override giveBack(messages: T[]): void {
    for (const [i, message] of messages.entries()) this.queue.putBack(message, this.#numbers[i] as number);
  }
}
