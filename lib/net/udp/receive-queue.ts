// What a socket without a message handler has received and nobody has taken yet, and who waits for it. Errors stand in the
// order of events too, but only one at a time: whoever never receives must not collect them.
import { SystemError } from '../../internal/errors.js';
import { Operation } from '../../internal/operation.js';
import type { Datagram } from './datagram.js';

/** What a datagram counts beside its bytes, so that empty ones are not free. */
const OVERHEAD_BYTES = 64;

type Item = Datagram | Error;

interface Waiting {
  /** At least one, or null at the end. */
  receive(datagrams: Datagram[] | null): void;
  readonly most: number;
  reject(error: unknown): void;
}

export class ReceiveQueue {
  /** Of what waits, and 64 for each datagram. */
  bytes = 0;
  #items: Item[] = [];
  #first = 0;
  #waiting: Waiting[] = [];
  #hasError = false;
  #ended = false;
  readonly #onTaken: () => void;

  /** @param onTaken called when datagrams have been taken: receiving may go on. */
  constructor(onTaken: () => void) {
    this.#onTaken = onTaken;
  }

  /** Gives what has come to those who wait, and keeps the rest. */
  push(datagrams: Datagram[]): void {
    for (const datagram of datagrams) this.bytes += datagram.length + OVERHEAD_BYTES;
    this.#items.push(...datagrams);
    this.#serve();
  }

  fail(error: Error): void {
    if (this.#hasError || this.#ended) return;
    this.#hasError = true;
    this.#items.push(error);
    this.#serve();
  }

  /** No more will come: what waits is told null. What has been received can still be taken. */
  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting.receive(null);
  }

  /** @internal */
  take(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#serve();
    if (this.#ended) for (const left of this.#waiting.splice(0)) left.receive(null);
  }

  /** @internal */
  drop(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** What a cancelled receive had been given and nobody took. @internal */
  putBack(items: Item[]): void {
    for (const item of items) {
      if (item instanceof Error) this.#hasError = true;
      else this.bytes += item.length + OVERHEAD_BYTES;
    }
    this.#items = [...items, ...this.#items.slice(this.#first)];
    this.#first = 0;
    this.#serve();
  }

  #serve(): void {
    let taken = false;
    while (this.#waiting.length > 0 && this.#first < this.#items.length) {
      const waiting = this.#waiting.shift() as Waiting;
      const next = this.#items[this.#first] as Item;
      if (next instanceof Error) {
        this.#first++;
        this.#hasError = false;
        waiting.reject(next);
        continue;
      }
      const given: Datagram[] = [];
      while (given.length < waiting.most && this.#first < this.#items.length) {
        const item = this.#items[this.#first] as Item;
        if (item instanceof Error) break;
        this.bytes -= item.length + OVERHEAD_BYTES;
        given.push(item);
        this.#first++;
      }
      taken = true;
      waiting.receive(given);
    }
    if (this.#first === this.#items.length) {
      this.#items = [];
      this.#first = 0;
    } else if (this.#first >= 1024) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    if (taken) this.#onTaken();
  }
}

/** One `receive()`. Losing a select with it loses no datagram. */
export class Receive extends Operation<Datagram | null> implements Waiting {
  readonly most = 1;
  readonly #queue: ReceiveQueue;

  constructor(queue: ReceiveQueue) {
    super();
    this.#queue = queue;
    queue.take(this);
  }

  get kind(): string {
    return 'udp.receive';
  }

  receive(datagrams: Datagram[] | null): void {
    this.fulfill(datagrams === null ? null : (datagrams[0] as Datagram));
  }

  protected onCancel(): void {
    this.#queue.drop(this);
  }

  protected override giveBack(datagram: Datagram | null): void {
    if (datagram !== null) this.#queue.putBack([datagram]);
  }

  /** An error of the network, not that of an earlier cancellation. */
  protected override giveBackError(error: unknown): void {
    if (error instanceof SystemError) this.#queue.putBack([error]);
  }
}

/** One `receiveMany()`. */
export class ReceiveMany extends Operation<Datagram[] | null> implements Waiting {
  readonly most: number;
  readonly #queue: ReceiveQueue;

  constructor(queue: ReceiveQueue, most: number) {
    super();
    this.most = most;
    this.#queue = queue;
    queue.take(this);
  }

  get kind(): string {
    return 'udp.receiveMany';
  }

  receive(datagrams: Datagram[] | null): void {
    this.fulfill(datagrams);
  }

  protected onCancel(): void {
    this.#queue.drop(this);
  }

  protected override giveBack(datagrams: Datagram[] | null): void {
    if (datagrams !== null) this.#queue.putBack(datagrams);
  }

  /** An error of the network, not that of an earlier cancellation. */
  protected override giveBackError(error: unknown): void {
    if (error instanceof SystemError) this.#queue.putBack([error]);
  }
}
