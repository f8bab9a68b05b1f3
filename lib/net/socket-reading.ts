// The reading side. A socket without a `data` handler queues what it receives (read-queue.ts); above the high watermark the
// addon stops reading for it, unless a read waits for more.
import type { Buffer } from 'node:buffer';
import { border } from '../internal/border.js';
import { checkInteger, invalidType, outOfRange } from '../internal/errors.js';
import { SUBMISSION_PAUSE, SUBMISSION_RESUME } from '../internal/layout.js';
import type { Operation } from '../internal/operation.js';
import { scheduler } from '../internal/scheduler.js';
import { Delimiter } from './delimiter.js';
import { READ_BYTES_MAX, type ReadOwner, ReadQueue } from './read-queue.js';
import { Read, ReadExact, ReadInto, ReadNext, ReadUntil } from './reads.js';
import { CLOSED, noReads, OPEN } from './socket-state.js';
import { SocketWriting } from './socket-writing.js';

export abstract class SocketReading extends SocketWriting implements ReadOwner, AsyncIterable<Buffer> {
  /**
   * The next bytes: what is there, at least one and at most `limit`; null at the end. Only for a socket without a `data`
   * handler. Reads are served in order, and one that is cancelled loses no byte.
   * @param limit 1 to 2^31 - 1; without it, as many as lie in one piece.
   * @throws the socket's error; MillraceError `ERR_MILLRACE_SOCKET_CLOSED` after `destroy()`,
   * `ERR_MILLRACE_INVALID_STATE` with a `data` handler; TypeError, RangeError.
   */
  read(limit?: number): Operation<Buffer | null> {
    if (limit !== undefined) checkInteger(limit, 'limit', 1, READ_BYTES_MAX);
    return new Read(this.readQueue(), limit ?? READ_BYTES_MAX);
  }

  /**
   * The next bytes, at least one, into memory of yours: their number, 0 at the end. The fastest way to read much: nothing
   * is allocated. Leave `target` alone until the read is done.
   * @throws as `read`; TypeError, RangeError when `target` is no Uint8Array or has no room; MillraceError
   * `ERR_MILLRACE_INVALID_STATE` when `target` has been transferred or shrunk since: the bytes can still be read.
   * @example
   * ```ts
   * async function echo(socket: Socket) {
   *   const buffer = Buffer.alloc(65_536);
   *   for (;;) {
   *     const length = await socket.readInto(buffer);
   *     if (length === 0) return;
   *     await socket.write(buffer.subarray(0, length));
   *   }
   * }
   * ```
   */
  readInto(target: Uint8Array): Operation<number> {
    if (!(target instanceof Uint8Array)) throw invalidType('target', 'a Uint8Array', target);
    if (target.length === 0) throw outOfRange('target', 'of at least one byte', target);
    return new ReadInto(this.readQueue(), target);
  }

  /**
   * The next `count` bytes, all of them.
   * @param count 0 to 2^31 - 1. Memory is taken as the bytes come, when there are more than 1 MiB.
   * @throws UnexpectedEndError (`ERR_MILLRACE_UNEXPECTED_END`) when the end comes first: its `received` bytes can still
   * be read; and as `read` does.
   * @example
   * ```ts
   * async function readFrame(socket: Socket) {
   *   const header = await socket.readExact(4);
   *   return socket.readExact(header.readUInt32BE());
   * }
   * ```
   */
  readExact(count: number): Operation<Buffer> {
    checkInteger(count, 'count', 0, READ_BYTES_MAX);
    return new ReadExact(this.readQueue(), count);
  }

  /**
   * The bytes up to and with `delimiter`, at most `limit` in all; null when the end comes and nothing is left.
   * @param delimiter a text (as UTF-8) or bytes, not empty.
   * @param limit 1 to 2^31 - 1, the delimiter included.
   * @throws ReadLimitError (`ERR_MILLRACE_READ_LIMIT`) when the first `limit` bytes hold no delimiter; UnexpectedEndError
   * (`ERR_MILLRACE_UNEXPECTED_END`) when the end comes after other bytes. Both leave the bytes to be read. And as `read`.
   * @example
   * ```ts
   * async function printLines(socket: Socket) {
   *   for (;;) {
   *     const line = await socket.readUntil('\n', 8192);
   *     if (line === null) return;
   *     console.log(String(line).trimEnd());
   *   }
   * }
   * ```
   */
  readUntil(delimiter: string | Uint8Array, limit: number): Operation<Buffer | null> {
    if (typeof delimiter !== 'string' && !(delimiter instanceof Uint8Array))
      throw invalidType('delimiter', 'a string or a Uint8Array', delimiter);
    if (delimiter.length === 0) throw invalidType('delimiter', 'not empty', delimiter);
    checkInteger(limit, 'limit', 1, READ_BYTES_MAX);
    return new ReadUntil(this.readQueue(), Delimiter.of(delimiter), limit);
  }

  /** `for await (const chunk of socket)`: leaving the loop early closes the socket. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: () => this.#readNext(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** Stops reading, after what has been received already. */
  pause(): void {
    this.hold(true, this.full);
  }

  /** Goes on reading; a socket that nobody reads still pauses by itself. */
  resume(): void {
    this.hold(false, this.full);
    if (this.rare !== null && this.rare.successor !== null) scheduler.enqueue(this);
  }

  /** @internal */
  readsTaken(): void {
    const reads = this.reads as ReadQueue;
    if (reads.waited || reads.bytes <= this.highWaterMark / 2) this.hold(this.paused, false);
  }

  /** @internal The stream face ends our side when the reader has come to the end. */
  endRead(): void {
    if (this.state === OPEN && this.ended && !this.halfOpen) this.close();
  }

  /** @internal Nothing is read any more: what comes is dropped. */
  endReads(): void {
    if (this.state === CLOSED || this.discards) return;
    this.discards = true;
    this.reads?.discard(this.closedError());
    this.reads?.fail(this.closedError());
    this.hold(false, false);
    if (this.shutDown) this.close();
  }

  protected receive(offset: number, length: number): void {
    if (this.state === CLOSED || this.discards) return;
    const reads = this.reads ?? this.#makeReadQueue();
    reads.push(this.arenas.received, offset, length);
    if (reads.bytes > this.highWaterMark && !this.full && !reads.waited) this.hold(this.paused, true);
  }

  /** Reading stops for either reason, and goes on when neither is left. */
  protected hold(paused: boolean, full: boolean): void {
    const before = this.paused || this.full;
    this.paused = paused;
    this.full = full;
    if (this.reads !== null) this.reads.full = full;
    const after = paused || full;
    if (before === after || this.state !== OPEN) return;
    border.submit(after ? SUBMISSION_PAUSE : SUBMISSION_RESUME, this.handle, 0, 0);
  }

  protected readQueue(): ReadQueue {
    if (!this.isRead) throw noReads();
    return this.reads ?? this.#makeReadQueue();
  }

  #readNext(): Promise<IteratorResult<Buffer, undefined>> {
    if (!this.isRead) return Promise.reject(noReads());
    return new ReadNext(this.reads ?? this.#makeReadQueue()).promise();
  }

  #makeReadQueue(): ReadQueue {
    const reads = new ReadQueue(this);
    this.reads = reads;
    if (this.failure !== null) reads.fail(this.failure);
    else if (this.destroyed || this.discards) reads.fail(this.closedError());
    else if (this.ended || this.state === CLOSED) reads.end();
    return reads;
  }

  abstract close(): Operation<void>;

  /** @internal */
  abstract run(): void;
}
