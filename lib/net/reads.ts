// The reads of a socket as operations. What they have in common: a read that was given bytes and is then cancelled, or
// loses a select, puts them back.
import { Buffer } from 'node:buffer';
import { MillraceError } from '../internal/errors.js';
import { Operation } from '../internal/operation.js';
import type { Delimiter } from './delimiter.js';
import { ReadLimitError, UnexpectedEndError } from './read-errors.js';
import { READ_BYTES_MAX, type Reader, type ReadQueue } from './read-queue.js';

abstract class QueueRead<T> extends Operation<T> implements Reader {
  /** @internal */
  readonly takesUpTo: number;
  protected readonly queue: ReadQueue;
  protected position = 0;

  constructor(queue: ReadQueue, takesUpTo: number) {
    super();
    this.queue = queue;
    this.takesUpTo = takesUpTo;
  }

  get kind(): string {
    return 'socket.read';
  }

  get needs(): number {
    return 0;
  }

  /** @internal */
  arrive(memory: Buffer, offset: number, length: number, position: number): void {
    const bytes = Buffer.allocUnsafe(length);
    memory.copy(bytes, 0, offset, offset + length);
    this.receive(bytes, position);
  }

  /** Given bytes of its own. */
  protected abstract receive(bytes: Buffer, position: number): void;

  /** @internal */
  abstract tryTake(queue: ReadQueue): boolean;

  protected onCancel(): void {
    this.queue.drop(this);
  }
}

/** `read(n)`: whatever is there, at most `limit` bytes; null at the end. */
export class Read extends QueueRead<Buffer | null> {
  constructor(queue: ReadQueue, limit: number) {
    super(queue, limit);
    queue.add(this);
  }

  protected receive(bytes: Buffer, position: number): void {
    this.position = position;
    this.fulfill(bytes);
  }

  /** @internal */
  tryTake(queue: ReadQueue): boolean {
    if (queue.bytes > 0) {
      const { position } = queue;
      this.receive(queue.take(this.takesUpTo), position);
    } else if (queue.error !== null) {
      this.reject(queue.error);
    } else if (queue.ended) {
      this.fulfill(null);
      queue.endRead();
    } else {
      return false;
    }
    return true;
  }

  protected override giveBack(bytes: Buffer | null): void {
    if (bytes !== null) this.queue.putBack(bytes, this.position);
  }
}

/** `readInto(target)`: the number of bytes, 0 at the end. */
export class ReadInto extends QueueRead<number> {
  readonly #target: Uint8Array;

  constructor(queue: ReadQueue, target: Uint8Array) {
    super(queue, target.length);
    this.#target = target;
    queue.add(this);
  }

  override get kind(): string {
    return 'socket.readInto';
  }

  /** @internal */
  override arrive(memory: Buffer, offset: number, length: number, position: number): void {
    if (this.#isGone()) {
      // The next read's, then.
      this.queue.putBack(Buffer.from(memory.subarray(offset, offset + length)), position);
      return;
    }
    this.position = position;
    memory.copy(this.#target, 0, offset, offset + length);
    this.fulfill(length);
  }

  protected receive(bytes: Buffer, position: number): void {
    this.arrive(bytes, 0, bytes.length, position);
  }

  /** @internal */
  tryTake(queue: ReadQueue): boolean {
    if (this.#isGone()) return true;
    if (queue.bytes > 0) {
      const { position } = queue;
      this.receive(queue.take(this.takesUpTo), position);
    } else if (queue.error !== null) {
      this.reject(queue.error);
    } else if (queue.ended) {
      this.fulfill(0);
      queue.endRead();
    } else {
      return false;
    }
    return true;
  }

  /** Its memory was transferred or shrunk while it waited: then it is told so. */
  #isGone(): boolean {
    if (this.#target.length >= this.takesUpTo) return false;
    this.reject(new MillraceError('ERR_MILLRACE_INVALID_STATE', 'Memory was transferred while a read waited for it'));
    return true;
  }

  protected override giveBack(length: number): void {
    if (length > 0) this.queue.putBack(Buffer.from(this.#target.subarray(0, length)), this.position);
  }
}

type Step = IteratorResult<Buffer, undefined>;

/** One step of `for await`: a read whose result is in the iterator's form at once, which saves a promise a chunk. */
export class ReadNext extends QueueRead<Step> {
  constructor(queue: ReadQueue) {
    super(queue, READ_BYTES_MAX);
    queue.add(this);
  }

  protected receive(bytes: Buffer, position: number): void {
    this.position = position;
    this.fulfill({ done: false, value: bytes });
  }

  /** @internal */
  tryTake(queue: ReadQueue): boolean {
    if (queue.bytes > 0) {
      const { position } = queue;
      this.receive(queue.take(READ_BYTES_MAX), position);
    } else if (queue.error !== null) {
      this.reject(queue.error);
    } else if (queue.ended) {
      this.fulfill({ done: true, value: undefined });
      queue.endRead();
    } else {
      return false;
    }
    return true;
  }

  protected override giveBack(step: Step): void {
    if (!step.done) this.queue.putBack(step.value, this.position);
  }
}

/** `readExact(n)`. */
export class ReadExact extends QueueRead<Buffer> {
  readonly #count: number;

  constructor(queue: ReadQueue, count: number) {
    super(queue, 0);
    this.#count = count;
    queue.add(this);
  }

  override get kind(): string {
    return 'socket.readExact';
  }

  override get needs(): number {
    return this.#count;
  }

  protected receive(bytes: Buffer, position: number): void {
    this.position = position;
    this.fulfill(bytes);
  }

  /** @internal */
  tryTake(queue: ReadQueue): boolean {
    if (queue.bytes >= this.#count) {
      const { position } = queue;
      this.receive(queue.takeExact(this.#count), position);
    } else if (queue.error !== null) {
      this.reject(queue.error);
    } else if (queue.ended) {
      this.reject(new UnexpectedEndError(queue.bytes, `readExact(${this.#count}) wants more`));
      queue.endRead();
    } else {
      return false;
    }
    return true;
  }

  protected override giveBack(bytes: Buffer): void {
    this.queue.putBack(bytes, this.position);
  }
}

/** `readUntil(delimiter, limit)`: looks at every byte once, however many pieces it comes in. */
export class ReadUntil extends QueueRead<Buffer | null> {
  readonly #delimiter: Delimiter;
  readonly #limit: number;
  /** Bytes from the front of the queue that were looked at, and how much of the delimiter they end with. */
  #scanned = 0;
  #matched = 0;
  /** Where the front was then: what a cancelled read put back before it has to be looked at too. */
  #front: number;

  constructor(queue: ReadQueue, delimiter: Delimiter, limit: number) {
    super(queue, 0);
    this.#delimiter = delimiter;
    this.#limit = limit;
    this.#front = queue.position;
    queue.add(this);
  }

  override get kind(): string {
    return 'socket.readUntil';
  }

  protected receive(bytes: Buffer, position: number): void {
    this.position = position;
    this.fulfill(bytes);
  }

  /** @internal */
  tryTake(queue: ReadQueue): boolean {
    const length = this.#search(queue);
    if (length > 0) {
      const { position } = queue;
      this.receive(queue.takeExact(length), position);
    } else if (this.#scanned >= this.#limit) {
      this.reject(new ReadLimitError(this.#limit));
    } else if (queue.error !== null) {
      this.reject(queue.error);
    } else if (queue.ended) {
      if (queue.bytes === 0) this.fulfill(null);
      else this.reject(new UnexpectedEndError(queue.bytes, 'no delimiter is among them'));
      queue.endRead();
    } else {
      return false;
    }
    return true;
  }

  protected override giveBack(bytes: Buffer | null): void {
    if (bytes !== null) this.queue.putBack(bytes, this.position);
  }

  /** How many bytes there are up to the delimiter's end, or 0. */
  #search(queue: ReadQueue): number {
    if (queue.position !== this.#front) {
      this.#front = queue.position;
      this.#scanned = 0;
      this.#matched = 0;
    }
    const delimiter = this.#delimiter;
    const found = queue.scan(this.#scanned, (bytes, from, to) => {
      const end = Math.min(to, from + this.#limit - this.#scanned);
      this.#matched = delimiter.search(bytes, from, end, this.#matched);
      if (this.#matched === delimiter.length) return this.#scanned + delimiter.foundAt - from;
      this.#scanned += end - from;
      return this.#scanned >= this.#limit ? 0 : -1;
    });
    return found > 0 ? found : 0;
  }
}
