// What a socket has received and nobody has read yet, and the reads that wait for more. One of the two is empty.
import type { Buffer } from 'node:buffer';
import { Operation } from '../internal/operation.js';

/** A read that waits: given its bytes, or null at the end. */
interface Reader {
  receive(chunk: Buffer | null): void;
  reject(error: unknown): void;
}

export class ReadQueue {
  /** Bytes that nobody has read yet. */
  bytes = 0;
  #chunks: Buffer[] = [];
  #first = 0;
  #waiting: Reader[] = [];
  #ended = false;
  #error: Error | null = null;
  #onEnded: (() => void) | null = null;
  readonly #onTaken: () => void;

  /** @param onTaken called when bytes have been taken: reading may go on. */
  constructor(onTaken: () => void) {
    this.#onTaken = onTaken;
  }

  push(chunk: Buffer): void {
    const read = this.#waiting.shift();
    if (read !== undefined) {
      read.receive(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }

  /** No more will come; reads get null when all has been read. */
  end(): void {
    if (this.#ended || this.#error !== null) return;
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const read of waiting) read.receive(null);
    if (waiting.length > 0) this.#reachedEnd();
  }

  /** No more will come because of `error`; what has been received can still be read. */
  fail(error: Error): void {
    if (this.#ended || this.#error !== null) return;
    this.#error = error;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const read of waiting) read.reject(error);
  }

  /** All that nobody has read yet. Reads that wait stay where they are until the end. @internal */
  takeAll(): Buffer[] {
    const chunks = this.#chunks.slice(this.#first);
    this.#chunks = [];
    this.#first = 0;
    this.bytes = 0;
    return chunks;
  }

  /** Calls `then` when a read has been told of the end. */
  whenEnded(then: () => void): void {
    this.#onEnded = then;
    if (this.#ended && this.#told) this.#reachedEnd();
  }

  /** Serves a read at once, or lets it wait. @internal */
  take(read: Reader): void {
    if (this.#first < this.#chunks.length) {
      const chunk = this.#chunks[this.#first] as Buffer;
      this.#first++;
      if (this.#first === this.#chunks.length) {
        this.#chunks = [];
        this.#first = 0;
      }
      this.bytes -= chunk.length;
      read.receive(chunk);
      this.#onTaken();
    } else if (this.#error !== null) {
      read.reject(this.#error);
    } else if (this.#ended) {
      read.receive(null);
      this.#reachedEnd();
    } else {
      this.#waiting.push(read);
    }
  }

  /** @internal */
  drop(read: Reader): void {
    const at = this.#waiting.indexOf(read);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** Bytes that a cancelled read had been given and nobody took. @internal */
  putBack(chunk: Buffer): void {
    const read = this.#waiting.shift();
    if (read !== undefined) {
      read.receive(chunk);
      return;
    }
    this.#chunks = [chunk, ...this.#chunks.slice(this.#first)];
    this.#first = 0;
    this.bytes += chunk.length;
  }

  #told = false;

  #reachedEnd(): void {
    this.#told = true;
    const then = this.#onEnded;
    this.#onEnded = null;
    if (then !== null) then();
  }
}

/** One step of `for await`: a read whose result is in the iterator's form at once, which saves a promise a chunk. */
export class ReadNext extends Operation<IteratorResult<Buffer, undefined>> implements Reader {
  readonly #queue: ReadQueue;

  constructor(queue: ReadQueue) {
    super();
    this.#queue = queue;
    queue.take(this);
  }

  get kind(): string {
    return 'socket.read';
  }

  /** @internal */
  receive(chunk: Buffer | null): void {
    this.fulfill(chunk === null ? { done: true, value: undefined } : { done: false, value: chunk });
  }

  protected onCancel(): void {
    this.#queue.drop(this);
  }

  protected override giveBack(result: IteratorResult<Buffer, undefined>): void {
    if (!result.done) this.#queue.putBack(result.value);
  }
}

/** One `read()`. Losing a select with it loses no byte. */
export class Read extends Operation<Buffer | null> implements Reader {
  readonly #queue: ReadQueue;

  constructor(queue: ReadQueue) {
    super();
    this.#queue = queue;
    queue.take(this);
  }

  get kind(): string {
    return 'socket.read';
  }

  /** @internal */
  receive(chunk: Buffer | null): void {
    this.fulfill(chunk);
  }

  protected onCancel(): void {
    this.#queue.drop(this);
  }

  protected override giveBack(chunk: Buffer | null): void {
    if (chunk !== null) this.#queue.putBack(chunk);
  }
}
