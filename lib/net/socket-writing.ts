// The writing side. What is written goes into the send arena at once (sending.ts). Where that has no room, and for very
// large writes, there is an outbox: while it is not empty every write goes through it, and `shutdown`, `close` and `detach`
// wait for it, so that nothing overtakes.
import { Buffer } from 'node:buffer';
import { border } from '../internal/border.js';
import { invalidType, MillraceError } from '../internal/errors.js';
import { SEND_BLOCK_BYTES, SUBMISSION_NOTIFY_DRAIN, SUBMISSION_PAUSE, SUBMISSION_SEND } from '../internal/layout.js';
import { Chunk } from './chunk.js';
import { bytesOf, type Data, sizeOf } from './data.js';
import { COPIED_BYTES_MAX, FEED_LOW_BYTES, Outbox } from './outbox.js';
import type { Rare } from './rare.js';
import {
  ASCII_LENGTH_MAX,
  isReceived,
  sendAscii,
  sendBytes,
  sendChunk,
  sendLatin1,
  sendText,
  TEXT_LENGTH_MAX,
} from './sending.js';
import { SocketControls } from './socket-controls.js';
import { CLOSING, HAS_OUTBOX, NOT_WRITABLE, OPEN, WATCHED } from './socket-state.js';
import { Drained, type WriteResult, written } from './written.js';

export abstract class SocketWriting extends SocketControls {
  /**
   * Sends `data`, or each of a list in one system call. What is returned is done already, with `queued` false, while at
   * most `highWaterMark` bytes wait to be sent; above that it is done when no more than `lowWaterMark` wait: `await` it,
   * or stop writing until the `drain` handler is called.
   *
   * The memory is yours again when the write is done. Up to 1 MiB has left or is copied before `write` returns; a larger
   * write is taken from your memory piece by piece as the socket drains. What is written in one tick leaves together, but
   * for a write of 16 KiB or more while nothing waits: that leaves at once. Cancelling the wait takes nothing back.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED`; `ERR_MILLRACE_SOCKET_LIMIT` when more than `writeLimit` bytes
   * wait; `ERR_MILLRACE_CHUNK_DEAD`; TypeError (`ERR_INVALID_ARG_TYPE`), also for memory that was transferred; the socket's own error after it has failed.
   * Then nothing of `data` is sent.
   */
  write(data: Data | readonly Data[]): WriteResult {
    if (this.detour !== 0) return this.#writeByDetour(data);
    const queued = (this.submitted - this.bytesLeft) >>> 0;
    if (queued > this.writeLimit) throw this.#overLimit(queued);
    const length =
      data instanceof Chunk && data.alive && isReceived(this.arenas, data)
        ? sendChunk(this.handle, data)
        : this.#send(data, queued === 0);
    this.submitted = (this.submitted + length) >>> 0;
    this.bytesWritten += length;
    return queued + length <= this.highWaterMark && this.drained === null ? written() : this.#waitForDrain();
  }

  /** @internal As `write`, of text whose code units are below 256: a byte each. */
  writeLatin1(text: string): WriteResult {
    const { length } = text;
    const queued = (this.submitted - this.bytesLeft) >>> 0;
    if (this.detour === 0 && length <= SEND_BLOCK_BYTES && queued <= this.writeLimit) {
      const sent = sendLatin1(this.arenas, this.handle, text);
      if (sent >= 0) {
        this.submitted = (this.submitted + sent) >>> 0;
        this.bytesWritten += sent;
        return queued + sent <= this.highWaterMark && this.drained === null ? written() : this.#waitForDrain();
      }
    }
    return this.write(Buffer.from(text, 'latin1'));
  }

  /** @internal `head`, and behind it `text`, as one write; null: `text` is not all ASCII, or there is no room just now. */
  writeAscii(head: Uint8Array, text: string): WriteResult | null {
    const queued = (this.submitted - this.bytesLeft) >>> 0;
    if (this.detour !== 0 || queued > this.writeLimit || text.length > ASCII_LENGTH_MAX) return null;
    const sent = sendAscii(this.arenas, this.handle, head, text);
    if (sent < 0) return null;
    this.submitted = (this.submitted + sent) >>> 0;
    this.bytesWritten += sent;
    return queued + sent <= this.highWaterMark && this.drained === null ? written() : this.#waitForDrain();
  }

  /**
   * @internal Room in the send arena for `bytes`, at most a block, to be filled before anything else is written: the offset,
   * or -1 where there is none just now.
   */
  reserve(bytes: number): number {
    const queued = (this.submitted - this.bytesLeft) >>> 0;
    return this.detour !== 0 || queued > this.highWaterMark ? -1 : this.arenas.reserve(bytes, true);
  }

  /** @internal Sends the first `length` bytes of what was reserved at `offset`. */
  sendReserved(offset: number, length: number): WriteResult {
    const queued = (this.submitted - this.bytesLeft) >>> 0;
    this.arenas.commit(length);
    border.submit(SUBMISSION_SEND, this.handle, offset, length);
    this.submitted = (this.submitted + length) >>> 0;
    this.bytesWritten += length;
    return queued + length <= this.highWaterMark && this.drained === null ? written() : this.#waitForDrain();
  }

  /** @internal What `reserve` reserves in. */
  get sendArena(): Buffer {
    return this.arenas.sends;
  }

  /** @internal What its chunks lie in. */
  get receiveArena(): Buffer {
    return this.arenas.received;
  }

  /** The same as `write` of a list. */
  writev(list: readonly Data[]): WriteResult {
    if (!Array.isArray(list)) throw invalidType('list', 'an array', list);
    return this.write(list);
  }

  /** @internal The `drain` handler is called when all that was written has left. False when that is so already. */
  notifyDrain(): boolean {
    if (this.state !== OPEN || this.bytesQueued === 0) return false;
    this.ensureRare().flushes = true;
    this.drained ??= new Drained();
    if ((this.detour & HAS_OUTBOX) === 0) border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, 0, 0);
    return true;
  }

  protected onDrain(): void {
    if ((this.detour & HAS_OUTBOX) !== 0) {
      this.#feed();
      return;
    }
    const drained = this.drained;
    if (drained === null || this.state !== OPEN) return;
    const low = this.rare?.flushes ? 0 : this.lowWaterMark;
    if (this.bytesQueued > low) {
      border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, low, 0);
      return;
    }
    this.drained = null;
    if (this.rare !== null) this.rare.flushes = false;
    drained.fulfill(undefined);
    const { drain } = this.handlers;
    if (drain !== undefined) this.call(() => drain.call(this.handlers, this.self));
  }

  /** Shutdown, Close or Detach: behind all that was written. */
  protected submitLast(kind: number): void {
    const outbox = this.rare?.outbox;
    if (outbox === null || outbox === undefined) border.submit(kind, this.handle, 0, 0);
    else outbox.end = kind;
  }

  protected beginClose(kind: number): void {
    // As after a Close: nothing more is received while the outbox is sent.
    if ((this.detour & HAS_OUTBOX) !== 0) border.submit(SUBMISSION_PAUSE, this.handle, 0, 0);
    this.state = CLOSING;
    this.detour |= NOT_WRITABLE;
    this.submitLast(kind);
  }

  #writeByDetour(data: Data | readonly Data[]): WriteResult {
    if ((this.detour & NOT_WRITABLE) !== 0) this.throwClosed();
    if ((this.detour & WATCHED) !== 0) this.rare?.timeouts?.wrote();
    const queued = this.bytesQueued;
    if (queued > this.writeLimit) throw this.#overLimit(queued);
    const length = this.#send(data, queued === 0);
    this.submitted = (this.submitted + length) >>> 0;
    this.bytesWritten += length;
    return queued + length <= this.highWaterMark && this.drained === null ? written() : this.#waitForDrain();
  }

  /**
   * How many bytes were submitted. What went into the outbox is counted there.
   * @param idle whether nothing is queued: then much may be sent at once.
   */
  #send(data: Data | readonly Data[], idle: boolean): number {
    if (isList(data)) return this.#sendList(data);
    if ((this.detour & HAS_OUTBOX) !== 0) return this.#park(data);
    if (data instanceof Uint8Array && data.length > 0) return this.#sendBytes(data, idle);
    if (typeof data === 'string' && data.length <= TEXT_LENGTH_MAX) {
      const length = sendText(this.arenas, this.handle, data);
      if (length >= 0) return length;
    } else if (data instanceof Chunk && data.alive && isReceived(this.arenas, data)) {
      return sendChunk(this.handle, data);
    }
    return this.#sendBytes(bytesOf(data, 'data'), idle);
  }

  #sendBytes(bytes: Uint8Array, idle: boolean): number {
    if (bytes.length > COPIED_BYTES_MAX) return this.#park(bytes);
    const length = sendBytes(this.arenas, this.handle, bytes, idle);
    if (length < bytes.length) this.#park(bytes.subarray(length));
    return length;
  }

  #sendList(list: readonly Data[]): number {
    // All are looked at before any is sent: an error must not leave half a list behind.
    let total = 0;
    for (let i = 0; i < list.length; i++) total += sizeOf(list[i] as Data, `data[${i}]`);
    if (total > COPIED_BYTES_MAX) this.#ensureOutbox();
    let length = 0;
    try {
      // By index, as above: an iterator might give others.
      for (let i = 0; i < list.length; i++) {
        const data = list[i] as Data;
        if ((this.detour & HAS_OUTBOX) === 0) length += this.#send(data, false);
        else this.#push(data, total <= COPIED_BYTES_MAX);
      }
    } catch (error) {
      // The list has changed while it was read: half of it has left, and nothing that follows would make sense.
      this.destroy(error as Error);
      throw error;
    }
    if ((this.detour & HAS_OUTBOX) !== 0) this.#feed();
    return length;
  }

  /** Into the outbox. Gives 0: nothing has been submitted that the caller would have to count. */
  #park(data: Data): number {
    this.#ensureOutbox();
    this.#push(data, sizeOf(data, 'data') <= COPIED_BYTES_MAX);
    this.#feed();
    return 0;
  }

  #push(data: Data, copied: boolean): void {
    const outbox = this.#ensureOutbox();
    const bytes = bytesOf(data, 'data');
    outbox.push(bytes, data instanceof Chunk || (copied && typeof data !== 'string'));
    this.bytesWritten += bytes.length;
  }

  #ensureOutbox(): Outbox {
    const rare = this.ensureRare();
    rare.outbox ??= new Outbox();
    this.detour |= HAS_OUTBOX;
    this.drained ??= new Drained();
    return rare.outbox;
  }

  /** As much of the outbox as may be under way; the addon tells when there can be more. */
  #feed(): void {
    const outbox = this.rare?.outbox;
    if (outbox === null || outbox === undefined || this.destroyed || this.failure !== null) return;
    const fed = outbox.feed(this.arenas, this.handle, (this.submitted - this.bytesLeft) >>> 0);
    if (fed < 0) {
      this.destroy(
        new MillraceError('ERR_MILLRACE_INVALID_STATE', 'Memory was transferred while a write waited in it'),
      );
      return;
    }
    this.submitted = (this.submitted + fed) >>> 0;
    if (outbox.empty) {
      this.detour &= ~HAS_OUTBOX;
      (this.rare as Rare).outbox = null;
      if (outbox.end !== 0) border.submit(outbox.end, this.handle, 0, 0);
      if (this.state === OPEN) border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, this.lowWaterMark, 0);
    } else {
      border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, FEED_LOW_BYTES, 0);
    }
  }

  #waitForDrain(): WriteResult {
    if (this.drained === null) {
      this.drained = new Drained();
      border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, this.lowWaterMark, 0);
    }
    return this.drained;
  }

  #overLimit(queued: number): MillraceError {
    return new MillraceError(
      'ERR_MILLRACE_SOCKET_LIMIT',
      `${queued} bytes wait to be sent, more than writeLimit (${this.writeLimit}); await write(), or wait for drain`,
    );
  }
}

function isList(data: Data | readonly Data[]): data is readonly Data[] {
  return Array.isArray(data);
}
