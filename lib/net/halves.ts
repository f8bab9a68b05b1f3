// The two halves of a socket, for two tasks: each owns its side and ends it without the other's leave.
import type { Buffer } from 'node:buffer';
import { MillraceError } from '../internal/errors.js';
import type { Operation } from '../internal/operation.js';
import type { Data } from './data.js';
import type { Socket } from './socket.js';
import type { WriteResult } from './written.js';

/** What a half needs of its socket: one of `millrace/net`, or of `millrace/tls`. */
export type ReadSide = Pick<
  Socket,
  'read' | 'readInto' | 'readExact' | 'readUntil' | 'endReads' | typeof Symbol.asyncIterator
>;
export type WriteSide = Pick<Socket, 'write' | 'writev' | 'shutdown'>;

/** The reading half. `close()` discards what comes; the socket is closed when both halves are. */
export class ReadHalf implements AsyncIterable<Buffer> {
  readonly socket: ReadSide;
  #closed = false;

  /** @internal Use `socket.split()`. */
  constructor(socket: ReadSide) {
    this.socket = socket;
  }

  /** As `socket.read`. */
  read(limit?: number): Operation<Buffer | null> {
    return this.#open().read(limit);
  }

  /** As `socket.readInto`. */
  readInto(target: Uint8Array): Operation<number> {
    return this.#open().readInto(target);
  }

  /** As `socket.readExact`. */
  readExact(count: number): Operation<Buffer> {
    return this.#open().readExact(count);
  }

  /** As `socket.readUntil`. */
  readUntil(delimiter: string | Uint8Array, limit: number): Operation<Buffer | null> {
    return this.#open().readUntil(delimiter, limit);
  }

  /** Leaving the loop early closes this half. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    const steps = this.#open()[Symbol.asyncIterator]();
    return {
      next: () => steps.next(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** What is not read yet and what comes from now on is discarded; reads that wait throw `ERR_MILLRACE_SOCKET_CLOSED`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.socket.endReads();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): ReadSide {
    if (this.#closed) throw new MillraceError('ERR_MILLRACE_SOCKET_CLOSED', 'This half of the socket is closed');
    return this.socket;
  }
}

/** The writing half. `close()` sends our end (FIN) after what was written; the socket is closed when both halves are. */
export class WriteHalf {
  readonly socket: WriteSide;

  /** @internal Use `socket.split()`. */
  constructor(socket: WriteSide) {
    this.socket = socket;
  }

  /** As `socket.write`. */
  write(data: Data | readonly Data[]): WriteResult {
    return this.socket.write(data);
  }

  /** As `socket.writev`. */
  writev(list: readonly Data[]): WriteResult {
    return this.socket.writev(list);
  }

  close(): void {
    this.socket.shutdown();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
