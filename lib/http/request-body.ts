// The body of a request: queued as it comes, read by whoever wants it.
//
// - A body that came whole with its head is not even copied while the handler runs (`inline`): its bytes lie where the
//   socket received them.
// - What comes later is copied into pieces that are filled up: many small chunks cost no more memory than a large one.
// - Above HIGH_BYTES the connection is told to hold, and goes on when it was read down to LOW_BYTES. A read of the whole
//   body never holds, but fails above its limit.
// - Nobody has to read a body: `discard` drops what came and what comes.
import { Buffer } from 'node:buffer';
import { MillraceError } from '../internal/errors.js';
import { Failed, Operation, Ready } from '../internal/operation.js';
import { UnexpectedEndError } from '../net/read-errors.js';
import { bodyTooLarge, type HttpError } from './http-errors.js';

const HIGH_BYTES = 64 * 1024;
const LOW_BYTES = HIGH_BYTES / 4;
/** Pieces below this size share one. */
const SMALL_BYTES = 4096;
/** Memory that is taken because of what Content-Length says: the system gives it as it is written to. */
const ROOM_BYTES = 4 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** What a body belongs to. */
export interface BodySource {
  /** Bytes, as far as they are announced; -1 for an unknown number. */
  readonly contentLength: number;
  /** Somebody reads for the first time. */
  bodyWanted(): void;
  /** More was queued than should be, or it was read down again. */
  holdBody(hold: boolean): void;
}

/** How a whole body is wanted. `isOwn`: the memory is the body's, and may be given away. */
export type Convert<T> = (memory: Buffer, offset: number, length: number, isOwn: boolean) => T;

/** The body of a request. While nobody reads it, little of it is received. */
export class RequestBody implements AsyncIterable<Buffer> {
  /** Bytes that have come. */
  received = 0;
  readonly #source: BodySource;
  #parts: Buffer[] | null = null;
  #queued = 0;
  /** The last part, when it is not full. */
  #tail: Buffer | null = null;
  #tailBytes = 0;
  #memory: Buffer | null = null;
  #offset = 0;
  #ended = false;
  #error: Error | null = null;
  #wanted = false;
  #held = false;
  #discards = false;
  #taken = false;
  #waiting: BodyRead | BodyWhole<unknown> | null = null;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** True when all of it has come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True when somebody has begun to read it. */
  get used(): boolean {
    return this.#taken;
  }

  /** @internal Bytes that had not come were asked for. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** The next bytes that have come; null at the end. @throws what the body failed with, MillraceError `ERR_MILLRACE_INVALID_STATE` while another read waits. */
  read(): Operation<Buffer | null> {
    if (this.#waiting !== null) return new Failed(busy());
    if (this.#discards) return new Failed(used());
    this.#taken = true;
    this.#want();
    this.#own();
    const part = this.#shift();
    if (part !== null) return new Ready(part);
    if (this.#error !== null) return new Failed(this.#error);
    if (this.#ended) return new Ready(null);
    const read = new BodyRead(this);
    this.#waiting = read as BodyRead;
    return read;
  }

  /** @internal All of it, converted. @throws HttpError 413 above `limit` bytes. */
  whole<T>(limit: number, convert: Convert<T>): Operation<T> {
    if (this.#taken || this.#discards) return new Failed(used());
    this.#taken = true;
    // At once, before a peer that waits to be asked is told to send it.
    if (Math.max(this.received, this.#source.contentLength) > limit) return new Failed(this.#tooLarge(limit));
    this.#want();
    const memory = this.#memory;
    if (memory !== null) {
      this.#memory = null;
      return settled(convert, memory, this.#offset, this.received, false);
    }
    if (this.#error !== null) return new Failed(this.#error);
    if (this.#ended) {
      const all = this.#takeAll();
      return settled(convert, all, 0, all.length, true);
    }
    const whole = new BodyWhole(this, limit, convert);
    this.#waiting = whole as BodyWhole<unknown>;
    this.#makeRoom(Math.min(this.#source.contentLength, ROOM_BYTES));
    this.#hold(false);
    return whole;
  }

  /** The body piece by piece; leaving the loop drops the rest. @throws as `read`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const part = await this.read();
        if (part === null) return;
        yield part;
      }
    } finally {
      this.discard();
    }
  }

  /** @internal All of it came with the head, and lies there while the handler runs. */
  inline(memory: Buffer, offset: number, length: number): void {
    this.#memory = memory;
    this.#offset = offset;
    this.received = length;
    this.#ended = true;
  }

  /** @internal The memory of the handler's first turn goes: what is still wanted is copied. */
  detach(): void {
    if (!this.#discards) this.#own();
    this.#memory = null;
  }

  /** @internal More of it has come. */
  push(memory: Buffer, offset: number, length: number): void {
    this.received += length;
    if (this.#discards || this.#error !== null) return;
    const waiting = this.#waiting;
    if (waiting instanceof BodyRead) {
      this.#waiting = null;
      waiting.fulfill(Buffer.from(memory.subarray(offset, offset + length)));
      return;
    }
    this.#append(memory, offset, length);
    if (waiting === null) {
      if (this.#queued > HIGH_BYTES) this.#hold(true);
    } else if (this.received > waiting.limit) {
      this.#waiting = null;
      waiting.reject(this.#tooLarge(waiting.limit));
    }
  }

  /** @internal */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting instanceof BodyRead) waiting.fulfill(null);
    else waiting?.complete(this.#takeAll());
  }

  /** @internal It will not come to its end. */
  fail(error: Error): void {
    if (this.#ended || this.#error !== null) return;
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = null;
    this.#dropAll();
  }

  /** @internal What has not been read, and what still comes, is nobody's. */
  discard(): void {
    if (this.#discards) return;
    this.#discards = true;
    this.#memory = null;
    this.#dropAll();
    this.#hold(false);
    this.#waiting?.reject(used());
    this.#waiting = null;
  }

  /** @internal Nobody waits for it any more. */
  stopWaiting(waiting: Operation<unknown>): void {
    if (this.#waiting === waiting) this.#waiting = null;
  }

  #want(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    if (!this.#ended) this.#source.bodyWanted();
  }

  /** Bytes that lie in memory of others become ours. */
  #own(): void {
    const memory = this.#memory;
    if (memory === null) return;
    this.#memory = null;
    this.#parts = [Buffer.from(memory.subarray(this.#offset, this.#offset + this.received))];
    this.#queued = this.received;
  }

  #append(memory: Buffer, offset: number, length: number): void {
    let tail = this.#tail;
    if (tail === null || length > tail.length - this.#tailBytes) {
      this.#closeTail();
      this.#parts ??= [];
      // The first piece is mostly the only one.
      const bytes = this.#parts.length === 0 ? length : Math.max(length, SMALL_BYTES);
      tail = Buffer.allocUnsafe(bytes);
      this.#parts.push(tail);
      if (length < bytes) this.#tail = tail;
    }
    memory.copy(tail, this.#tailBytes, offset, offset + length);
    if (this.#tail !== null) this.#tailBytes += length;
    this.#queued += length;
  }

  /** What is left of a body whose length is known goes into one piece, as far as that may be taken on the peer's word. */
  #makeRoom(length: number): void {
    if (length <= this.received) return;
    const room = Buffer.allocUnsafeSlow(length);
    const had = this.#parts === null ? NOTHING : this.#takeAll();
    had.copy(room);
    this.#parts = [room];
    this.#tail = room;
    this.#tailBytes = had.length;
    this.#queued = had.length;
  }

  /** The last part has no more than what is in it. */
  #closeTail(): void {
    if (this.#tail === null) return;
    const parts = this.#parts as Buffer[];
    parts[parts.length - 1] = this.#tail.subarray(0, this.#tailBytes);
    this.#tail = null;
    this.#tailBytes = 0;
  }

  #shift(): Buffer | null {
    if (this.#parts === null) return null;
    if (this.#parts.length === 1) this.#closeTail();
    const part = this.#parts.shift();
    if (part === undefined) return null;
    this.#queued -= part.length;
    if (this.#queued <= LOW_BYTES) this.#hold(false);
    return part;
  }

  #takeAll(): Buffer {
    this.#closeTail();
    const parts = this.#parts;
    this.#parts = null;
    this.#queued = 0;
    if (parts === null) return NOTHING;
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  #dropAll(): void {
    this.#parts = null;
    this.#tail = null;
    this.#tailBytes = 0;
    this.#queued = 0;
  }

  #hold(hold: boolean): void {
    if (this.#held === hold) return;
    this.#held = hold;
    this.#source.holdBody(hold);
  }

  #tooLarge(limit: number): HttpError {
    this.discard();
    return bodyTooLarge('The body', limit);
  }
}

class BodyRead extends Operation<Buffer | null> {
  readonly #body: RequestBody;

  constructor(body: RequestBody) {
    super();
    this.#body = body;
  }

  get kind(): string {
    return 'http.body.read';
  }

  protected onCancel(): void {
    this.#body.stopWaiting(this);
  }
}

class BodyWhole<T> extends Operation<T> {
  readonly limit: number;
  readonly #body: RequestBody;
  readonly #convert: Convert<T>;

  constructor(body: RequestBody, limit: number, convert: Convert<T>) {
    super();
    this.#body = body;
    this.limit = limit;
    this.#convert = convert;
  }

  get kind(): string {
    return 'http.body';
  }

  complete(bytes: Buffer): void {
    try {
      this.fulfill(this.#convert(bytes, 0, bytes.length, true));
    } catch (error) {
      this.reject(error);
    }
  }

  protected onCancel(): void {
    this.#body.stopWaiting(this);
  }
}

function settled<T>(convert: Convert<T>, memory: Buffer, offset: number, length: number, isOwn: boolean): Operation<T> {
  try {
    return new Ready(convert(memory, offset, length, isOwn));
  } catch (error) {
    return new Failed(error);
  }
}

/** The peer has ended or gone in the middle of a body. */
export function bodyCut(received: number): Error {
  return new UnexpectedEndError(received, 'the body of the request is longer');
}

function used(): MillraceError {
  return new MillraceError('ERR_MILLRACE_CONSUMED', 'This body was read already, or given up; it can be read once');
}

function busy(): MillraceError {
  return new MillraceError('ERR_MILLRACE_INVALID_STATE', 'Another read of this body waits already');
}
