// A TCP socket, with two faces: handlers for speed, and reads and writes to wait for.
//
// States: open -> closing -> closed. The addon's Closed completion is the last thing that is heard of a
// handle; only then is the endpoint forgotten. A socket without a `data` handler queues what it receives; above the high
// watermark the addon stops reading for it.
import { Buffer } from 'node:buffer';
import { border } from '../internal/border.js';
import { DONE } from '../internal/done.js';
import { invalidType, MillraceError, shown } from '../internal/errors.js';
import {
  COMPLETION_CLOSED,
  COMPLETION_DATA,
  COMPLETION_DRAIN,
  COMPLETION_END,
  COMPLETION_ERROR,
  FROM_RECEIVE_ARENA,
  RESET,
  SEND_BLOCK_BYTES,
  SLOT_MASK,
  SUBMISSION_CLOSE,
  SUBMISSION_NOTIFY_DRAIN,
  SUBMISSION_PAUSE,
  SUBMISSION_RESUME,
  SUBMISSION_SEND,
  SUBMISSION_SHUTDOWN,
  SUBMISSION_SOCKET_REF,
} from '../internal/layout.js';
import { type Operation, Ready, SharedOperation } from '../internal/operation.js';
import { scheduler } from '../internal/scheduler.js';
import type { Snapshot } from '../internal/task-context.js';
import { type Arenas, openArenas } from './arenas.js';
import { Chunk } from './chunk.js';
import { SocketDuplex, type SocketDuplexOptions } from './duplex.js';
import { type Endpoint, endpoints } from './endpoints.js';
import { Read, ReadNext, ReadQueue } from './read-queue.js';
import { systemError } from './system-error.js';

/** Where one end of a connection is. */
export interface SocketAddress {
  address: string;
  family: string;
  port: number;
}

/** What can be written. Strings are sent as UTF-8. */
export type Data = string | Chunk | ArrayBufferView | ArrayBuffer;

/** Called with the socket's events. What one of them throws destroys the socket and goes to `error`. */
export interface SocketHandlers {
  /** The connection stands: accepted, or connected. */
  open?(socket: Socket): void;
  /** Bytes have come. The chunk is on loan until the handler returns. Without this handler, `read` gets the bytes. */
  data?(socket: Socket, chunk: Chunk): void;
  /** All that was written has left, after a write that was told to wait. */
  drain?(socket: Socket): void;
  /** The peer has ended its side. Unless `allowHalfOpen`, ours is ended too. */
  end?(socket: Socket): void;
  /** Something failed; `close` follows. Without this handler, the reads and writes that wait are thrown the error. */
  error?(socket: Socket, error: Error): void;
  /** The last thing. `lostBytes` were written and never sent. */
  close?(socket: Socket, lostBytes: number): void;
}

export interface SocketOptions {
  /** Bytes that may wait to be sent before a write is told to wait; and of received ones before reading pauses. */
  highWaterMark?: number;
  /** Bytes that wait to be sent above which a write throws, because nobody heeds the high watermark. */
  writeLimit?: number;
  /** Keep our side open when the peer has ended its own. Default: false. */
  allowHalfOpen?: boolean;
}

type DataHandler = NonNullable<SocketHandlers['data']>;

export const HIGH_WATER_MARK = 64 * 1024;
export const WRITE_LIMIT = 16 * 1024 * 1024;

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const WRITTEN: Operation<void> = new Ready<void>(undefined);

/** What a write that need not wait gives. Where a task is cancelled, it may be this one, and has to be told. */
function written(): Operation<void> {
  return scheduler.cancelled === 0 ? DONE : WRITTEN;
}

/** Waits until what was written has left. Its error is the socket's, which is told elsewhere. */
class Drained extends SharedOperation<void> {
  get kind(): string {
    return 'socket.write';
  }
  protected onCancel(): void {}
  protected override unobserved(): void {}
}

class Closed extends SharedOperation<void> {
  get kind(): string {
    return 'socket.close';
  }
  protected onCancel(): void {}
}

export class Socket implements Endpoint, AsyncIterable<Buffer> {
  /** @internal */
  readonly handle: number;
  /** For the user: whatever belongs to this connection. */
  data: unknown = undefined;
  /** Bytes received, as far as they were delivered. */
  bytesRead = 0;
  /** Bytes given to `write`. */
  bytesWritten = 0;

  readonly #arenas: Arenas;
  readonly #slot: number;
  #handlers: SocketHandlers;
  #onData: DataHandler | null;
  readonly #highWaterMark: number;
  readonly #writeLimit: number;
  #allowHalfOpen: boolean;
  /** The async context of the `listen` or `connect` that was given the handlers. */
  readonly #context: Snapshot | null;
  #state = OPEN;
  /** Bytes submitted, modulo 2^32: what `bytesSent` of the arenas is compared with. */
  #submitted: number;
  #shutDown = false;
  #peerEnded = false;
  #paused = false;
  /** Paused because too much was received that nobody has read yet. */
  #full = false;
  #error: Error | null = null;
  #drained: Drained | null = null;
  #closed: Closed | null = null;
  #destroyed = false;
  #reads: ReadQueue | null = null;
  #duplex: SocketDuplex | null = null;

  /** @internal Use `connect` or `listen`. */
  constructor(handle: number, options: SocketHandlers & SocketOptions, context: Snapshot | null) {
    this.handle = handle;
    this.#context = context;
    this.#arenas = openArenas();
    this.#slot = handle & SLOT_MASK;
    this.#submitted = this.#arenas.bytesSent[this.#slot] as number;
    this.#handlers = options;
    this.#onData = options.data ?? null;
    this.#highWaterMark = options.highWaterMark ?? HIGH_WATER_MARK;
    this.#writeLimit = options.writeLimit ?? WRITE_LIMIT;
    this.#allowHalfOpen = options.allowHalfOpen === true;
    endpoints.add(this);
  }

  /** True from the moment that the connection stands until `close`, `destroy` or an error. */
  get open(): boolean {
    return this.#state === OPEN;
  }

  /** True when everything about this socket is over. */
  get closed(): boolean {
    return this.#state === CLOSED;
  }

  /** Bytes that were written and have not left yet. */
  get bytesQueued(): number {
    if (this.#state === CLOSED) return 0;
    return (this.#submitted - (this.#arenas.bytesSent[this.#slot] as number)) >>> 0;
  }

  /** @throws SystemError when the socket is closed. */
  get remoteAddress(): SocketAddress {
    return this.#name(true);
  }

  /** @throws SystemError when the socket is closed. */
  get localAddress(): SocketAddress {
    return this.#name(false);
  }

  /**
   * Sends `data`. What is returned is done already while few bytes wait to be sent; above the high watermark it is done
   * when they have left: `await` it, or stop writing until the `drain` handler is called.
   *
   * The bytes are copied, or taken from the receive buffer of a living chunk; the caller may use its memory again.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED`; `ERR_MILLRACE_SOCKET_LIMIT` when more than `writeLimit` bytes
   * wait; `ERR_MILLRACE_CHUNK_DEAD`; TypeError (`ERR_INVALID_ARG_TYPE`); the socket's own error after it has failed.
   */
  write(data: Data): Operation<void> {
    if (this.#state !== OPEN || this.#shutDown) this.#throwClosed();
    const queued = (this.#submitted - (this.#arenas.bytesSent[this.#slot] as number)) >>> 0;
    if (queued > this.#writeLimit) throw this.#overLimit(queued);
    const length = data instanceof Chunk ? this.#sendChunk(data) : this.#sendCopy(data);
    this.#submitted = (this.#submitted + length) >>> 0;
    this.bytesWritten += length;
    return queued + length <= this.#highWaterMark && this.#drained === null ? written() : this.#waitForDrain();
  }

  /**
   * The next bytes, or null at the end. Only for a socket without a `data` handler.
   * @throws the socket's error; MillraceError `ERR_MILLRACE_SOCKET_CLOSED` after `destroy()`.
   */
  read(): Operation<Buffer | null> {
    if (this.#onData !== null) {
      throw noReads();
    }
    return new Read(this.#readQueue());
  }

  #readNext(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#onData !== null) return Promise.reject(noReads());
    return new ReadNext(this.#readQueue()).promise();
  }

  /** Ends our side when all that was written has left; the peer may still send. Nothing can be written any more. */
  shutdown(): void {
    if (this.#state !== OPEN || this.#shutDown) return;
    this.#shutDown = true;
    border.submit(SUBMISSION_SHUTDOWN, this.handle, 0, 0);
    if (this.#peerEnded) this.close();
  }

  /** Closes when all that was written has left. Done when the socket is closed. Closing twice is the same as once. */
  close(): Operation<void> {
    this.#closed ??= new Closed();
    if (this.#state === CLOSED) this.#closed.fulfill(undefined);
    else if (this.#state !== CLOSING) this.#submitClose(0);
    return this.#closed;
  }

  /** Closes at once: what waits to be sent is lost, and the peer sees a reset. */
  destroy(): void {
    if (this.#state === CLOSED) return;
    this.#submitClose(RESET);
  }

  /**
   * The socket as a `stream.Duplex` with the members and events of a `net.Socket`, for libraries written for Node's own.
   * From then on it belongs to the stream: the handlers that it was made with are called no more, and `read` throws.
   * Calling it again gives the same one.
   *
   * @example
   * ```ts
   * const listener = await listen({ host: '127.0.0.1', data: (peer, chunk) => void peer.write(chunk) });
   * const stream = (await connect({ host: '127.0.0.1', port: listener.port })).toDuplex();
   * stream.write('over a stream');
   * stream.once('data', (bytes) => {
   *   console.log(String(bytes)); // over a stream
   *   stream.end();
   *   listener.close();
   * });
   * ```
   * @param options the stream's; `allowHalfOpen` is the socket's if not given.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED`, or the socket's own error, when it is not open any more.
   */
  toDuplex(options: SocketDuplexOptions = {}): SocketDuplex {
    if (this.#duplex === null) {
      if (this.#state !== OPEN) this.#throwClosed();
      this.#duplex = SocketDuplex.over(this, { allowHalfOpen: this.#allowHalfOpen, ...options });
    }
    return this.#duplex;
  }

  /**
   * @internal Another face takes the socket over, which is half-open from now on. Gives what was received and nobody has
   * read yet, and whether the end has come.
   */
  takeOver(handlers: SocketHandlers): { received: Buffer[]; ended: boolean } {
    const received = this.#reads?.takeAll() ?? [];
    this.#handlers = handlers;
    this.#onData = handlers.data ?? null;
    this.#allowHalfOpen = true;
    this.#hold(false, false);
    return { received, ended: this.#peerEnded };
  }

  /** @internal The `drain` handler is called when all that was written has left. False when that is so already. */
  notifyDrain(): boolean {
    if (this.#state !== OPEN || this.bytesQueued === 0) return false;
    this.#waitForDrain();
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Stops reading, after what has been received already. */
  pause(): void {
    this.#hold(true, this.#full);
  }

  /** Goes on reading; a socket that nobody reads still pauses by itself. */
  resume(): void {
    this.#hold(false, this.#full);
  }

  /** Keeps the process alive while the socket is open, which is the default. */
  ref(): this {
    if (this.#state !== CLOSED) border.submit(SUBMISSION_SOCKET_REF, this.handle, 1, 0);
    return this;
  }

  unref(): this {
    if (this.#state !== CLOSED) border.submit(SUBMISSION_SOCKET_REF, this.handle, 0, 0);
    return this;
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

  /** @internal The connection stands. */
  opened(): void {
    const { open } = this.#handlers;
    if (open !== undefined) this.#call(() => open.call(this.#handlers, this));
  }

  /** @internal */
  complete(kind: number, a: number, b: number): void {
    if (kind === COMPLETION_DATA) {
      this.bytesRead += b;
      if (this.#onData === null) this.#queueRead(a, b);
      else if (this.#state === OPEN) this.#deliver(a, b);
    } else if (kind === COMPLETION_CLOSED) {
      this.#finish(a);
    } else if (this.#state !== OPEN) {
      // A handler of this tick has closed or destroyed it: only its end is told any more.
    } else if (kind === COMPLETION_DRAIN) {
      this.#drain();
    } else if (kind === COMPLETION_END) {
      this.#end();
    } else if (kind === COMPLETION_ERROR) {
      this.#fail(systemError(a | 0, b));
    }
  }

  #deliver(offset: number, length: number): void {
    const chunk = new Chunk(this.#arenas.received, offset, length);
    if (this.#context !== null) {
      this.#call(() => (this.#onData as DataHandler).call(this.#handlers, this, chunk));
    } else {
      try {
        (this.#onData as DataHandler).call(this.#handlers, this, chunk);
      } catch (error) {
        this.#handlerThrew(error);
      }
    }
    chunk.alive = false;
  }

  #queueRead(offset: number, length: number): void {
    if (this.#state === CLOSED) return;
    const bytes = Buffer.allocUnsafe(length);
    this.#arenas.received.copy(bytes, 0, offset, offset + length);
    const reads = this.#readQueue();
    reads.push(bytes);
    if (reads.bytes > this.#highWaterMark) this.#hold(this.#paused, true);
  }

  /** Reading stops for either reason, and goes on when neither is left. */
  #hold(paused: boolean, full: boolean): void {
    const before = this.#paused || this.#full;
    this.#paused = paused;
    this.#full = full;
    const after = paused || full;
    if (before === after || this.#state !== OPEN) return;
    border.submit(after ? SUBMISSION_PAUSE : SUBMISSION_RESUME, this.handle, 0, 0);
  }

  #readQueue(): ReadQueue {
    if (this.#reads === null) {
      this.#reads = new ReadQueue(() => {
        if ((this.#reads as ReadQueue).bytes <= this.#highWaterMark / 2) this.#hold(this.#paused, false);
      });
      if (this.#error !== null) this.#reads.fail(this.#error);
      else if (this.#destroyed) this.#reads.fail(this.#closedError());
      else if (this.#peerEnded || this.#state >= CLOSING) this.#reads.end();
    }
    return this.#reads;
  }

  #drain(): void {
    const drained = this.#drained;
    if (drained === null) return;
    this.#drained = null;
    drained.fulfill(undefined);
    const { drain } = this.#handlers;
    if (drain !== undefined) this.#call(() => drain.call(this.#handlers, this));
  }

  #end(): void {
    this.#peerEnded = true;
    this.#reads?.end();
    const { end } = this.#handlers;
    if (end !== undefined) this.#call(() => end.call(this.#handlers, this));
    if (this.#state === OPEN && (!this.#allowHalfOpen || this.#shutDown)) {
      // Who reads as a stream may still want to answer what was read last.
      if (this.#onData !== null || this.#shutDown) this.close();
      else this.#closeWhenRead();
    }
  }

  /** The stream face ends our side when the reader has come to the end. */
  #closeWhenRead(): void {
    this.#readQueue().whenEnded(() => {
      if (this.#state === OPEN && !this.#allowHalfOpen) this.close();
    });
  }

  #fail(error: Error): void {
    if (this.#state === CLOSED || this.#error !== null) return;
    this.#error = error;
    this.#state = CLOSING;
    this.#reads?.fail(error);
    this.#drained?.reject(error);
    this.#drained = null;
    const handler = this.#handlers.error;
    if (handler !== undefined) this.#call(() => handler.call(this.#handlers, this, error));
  }

  #finish(lostBytes: number): void {
    this.#state = CLOSED;
    endpoints.remove(this);
    this.#reads?.end();
    if (this.#drained !== null) {
      if (lostBytes === 0) this.#drained.fulfill(undefined);
      else this.#drained.reject(this.#closedError());
      this.#drained = null;
    }
    this.#closed?.fulfill(undefined);
    const { close } = this.#handlers;
    if (close !== undefined) this.#call(() => close.call(this.#handlers, this, lostBytes));
  }

  #submitClose(flags: number): void {
    this.#state = CLOSING;
    border.submit(SUBMISSION_CLOSE | flags, this.handle, 0, 0);
    if (flags === RESET) {
      this.#destroyed = true;
      this.#reads?.fail(this.#closedError());
    }
  }

  #sendChunk(chunk: Chunk): number {
    if (!chunk.alive) return chunk.bytes.length;
    border.submit(SUBMISSION_SEND | FROM_RECEIVE_ARENA, this.handle, chunk.offset, chunk.length);
    return chunk.length;
  }

  #sendCopy(data: Exclude<Data, Chunk>): number {
    if (typeof data === 'string') return this.#sendString(data);
    if (data instanceof Uint8Array) return this.#sendBytes(data);
    if (ArrayBuffer.isView(data)) return this.#sendBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    if (data instanceof ArrayBuffer) return this.#sendBytes(new Uint8Array(data));
    throw invalidType('data', 'a string, a Buffer, a typed array, an ArrayBuffer or a Chunk', data);
  }

  #sendString(text: string): number {
    const bytesMax = text.length * 3;
    if (bytesMax > SEND_BLOCK_BYTES) return this.#sendBytes(Buffer.from(text));
    if (bytesMax === 0) return 0;
    const arenas = this.#arenas;
    const offset = arenas.reserve(bytesMax, true);
    const length = arenas.sends.write(text, offset, bytesMax, 'utf8');
    arenas.commit(length);
    border.submit(SUBMISSION_SEND, this.handle, offset, length);
    return length;
  }

  #sendBytes(bytes: Uint8Array): number {
    const arenas = this.#arenas;
    const { length } = bytes;
    for (let sent = 0; sent < length; ) {
      const offset = arenas.reserve(length - sent, false);
      const part = Math.min(length - sent, arenas.room);
      arenas.sends.set(part === length ? bytes : bytes.subarray(sent, sent + part), offset);
      arenas.commit(part);
      border.submit(SUBMISSION_SEND, this.handle, offset, part);
      sent += part;
    }
    return length;
  }

  #waitForDrain(): Operation<void> {
    if (this.#drained === null) {
      this.#drained = new Drained();
      border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, 0, 0);
    }
    return this.#drained;
  }

  #call(handler: () => void): void {
    try {
      if (this.#context === null) handler();
      else this.#context(handler, undefined);
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  /** A handler's bug ends its own connection and is told; the other connections never notice. */
  #handlerThrew(thrown: unknown): void {
    const error =
      thrown instanceof Error ? thrown : new Error(`A socket handler threw ${shown(thrown)}`, { cause: thrown });
    this.destroy();
    const told = this.#state !== CLOSED && this.#error === null && this.#handlers.error !== undefined;
    if (told) this.#fail(error);
    else process.nextTick(rethrow, error);
  }

  #name(peer: boolean): SocketAddress {
    const name = border.open().name(this.handle, peer);
    if (typeof name === 'number') throw systemError(name, peer ? 'getpeername' : 'getsockname');
    return name;
  }

  #throwClosed(): never {
    throw this.#error ?? this.#closedError();
  }

  #closedError(): MillraceError {
    return new MillraceError('ERR_MILLRACE_SOCKET_CLOSED', 'This socket is closed');
  }

  #overLimit(queued: number): MillraceError {
    return new MillraceError(
      'ERR_MILLRACE_SOCKET_LIMIT',
      `${queued} bytes wait to be sent, more than writeLimit (${this.#writeLimit}); await write(), or wait for drain`,
    );
  }
}

function noReads(): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_INVALID_STATE',
    'This socket has a data handler; read() would never get anything',
  );
}

function rethrow(error: unknown): never {
  throw error;
}
