// A TCP or Unix socket, with two faces: handlers for speed, and reads and writes to wait for.
//
// - States: open -> closing -> closed. The addon's Closed completion is the last thing that is heard of a handle; only
//   then is the endpoint forgotten.
// - A socket without a `data` handler queues what it receives (read-queue.ts); above the high watermark the addon stops
//   reading for it, unless a read waits for more.
// - What is written goes into the send arena at once (sending.ts). Where that has no room, and for very large writes,
//   there is an outbox: while it is not empty every write goes through it, and `shutdown`, `close` and `detach` wait for
//   it, so that nothing overtakes.
// - `#detour` is 0 for a socket that can simply be written to: one comparison on the hot path for all that is rare.
import type { Buffer } from 'node:buffer';
import { border } from '../internal/border.js';
import { checkDelay } from '../internal/cancel.js';
import { checkInteger, checkObject, invalidType, MillraceError, outOfRange, shown } from '../internal/errors.js';
import {
  COMPLETION_CLOSED,
  COMPLETION_DATA,
  COMPLETION_DRAIN,
  COMPLETION_END,
  COMPLETION_ERROR,
  RESET,
  SLOT_MASK,
  SOCKET_OPTION_LINGER,
  SOCKET_OPTION_NO_DELAY,
  SOCKET_OPTION_RECEIVE_BUFFER,
  SOCKET_OPTION_SEND_BUFFER,
  SUBMISSION_CLOSE,
  SUBMISSION_DETACH,
  SUBMISSION_NOTIFY_DRAIN,
  SUBMISSION_PAUSE,
  SUBMISSION_RESUME,
  SUBMISSION_SHUTDOWN,
  SUBMISSION_SOCKET_REF,
} from '../internal/layout.js';
import { type Operation, SharedOperation } from '../internal/operation.js';
import { type Runnable, scheduler } from '../internal/scheduler.js';
import { handlerContext, type Snapshot } from '../internal/task-context.js';
import type { SocketAddress } from './address.js';
import { type Arenas, openArenas } from './arenas.js';
import { Chunk } from './chunk.js';
import { bytesOf, type Data, sizeOf } from './data.js';
import { Delimiter } from './delimiter.js';
import { SocketDuplex, type SocketDuplexOptions } from './duplex.js';
import { type Endpoint, endpoints } from './endpoints.js';
import { ReadHalf, WriteHalf } from './halves.js';
import type { DataHandler, SocketHandlers } from './handlers.js';
import {
  applyOptions,
  checkBoolean,
  checkBufferSize,
  checkHandlers,
  checkKeepAlive,
  getKeepAlive,
  getOption,
  HIGH_WATER_MARK,
  type KeepAlive,
  lowWaterMarkOf,
  type SocketOptions,
  setKeepAlive,
  setOption,
  WRITE_LIMIT,
} from './options.js';
import { COPIED_BYTES_MAX, FEED_LOW_BYTES, Outbox } from './outbox.js';
import { Detached, Rare } from './rare.js';
import { READ_BYTES_MAX, type ReadOwner, ReadQueue } from './read-queue.js';
import { Read, ReadExact, ReadInto, ReadNext, ReadUntil } from './reads.js';
import { isReceived, sendBytes, sendChunk, sendText, TEXT_LENGTH_MAX } from './sending.js';
import { systemError } from './system-error.js';
import { type SocketTimeoutError, SocketTimeouts, type Watched } from './timeouts.js';
import { WebFace, type WebStreams } from './web.js';
import { Drained, type WriteResult, written } from './written.js';

export type { SocketAddress } from './address.js';
export type { Data } from './data.js';
export type { SocketHandlers } from './handlers.js';
export { HIGH_WATER_MARK, type KeepAlive, type SocketOptions, WRITE_LIMIT } from './options.js';

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** Why a write has to look closer: it may not be written to any more; what is written goes into the outbox; a timeout. */
const NOT_WRITABLE = 1;
const HAS_OUTBOX = 2;
const WATCHED = 4;

/** A listener. */
export interface SocketOwner {
  socketClosed(): void;
}

class Closed extends SharedOperation<void> {
  get kind(): string {
    return 'socket.close';
  }
  protected onCancel(): void {}
}

/**
 * A connection. Made by `connect` and `listen`.
 *
 * Without a `data` handler it is read from: `read`, `readExact`, `readUntil`, `for await`. Such a socket stays half open
 * after the peer's end until that end has been read, or it is closed.
 */
export class Socket implements Endpoint, AsyncIterable<Buffer>, ReadOwner, Watched, Runnable {
  /** @internal */
  readonly handle: number;
  /** @internal Who accepted it, and is told when it has ended. */
  readonly owner: SocketOwner | null;
  /** For the user: whatever belongs to this connection. */
  data: unknown = undefined;
  /** Bytes received, as far as they were delivered. */
  bytesRead = 0;
  /** Bytes given to `write`. */
  bytesWritten = 0;
  /** In bytes: see the options. */
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly writeLimit: number;

  readonly #arenas: Arenas;
  #handlers: SocketHandlers;
  #onData: DataHandler | null;
  /** The async context of the `listen` or `connect` that was given the handlers. */
  #context: Snapshot | null;
  #state = OPEN;
  #detour = 0;
  /** Bytes submitted, modulo 2^32: what `bytesSent` of the arenas is compared with. */
  #submitted: number;
  #allowHalfOpen: boolean;
  #shutDown = false;
  #peerEnded = false;
  #paused = false;
  /** Paused because too much was received that nobody has read yet. */
  #full = false;
  /** What comes is not wanted any more. */
  #discards = false;
  #destroyed = false;
  #error: Error | null = null;
  #drained: Drained | null = null;
  #closed: Closed | null = null;
  #reads: ReadQueue | null = null;
  #rare: Rare | null = null;

  /** @internal Use `connect` or `listen`. */
  constructor(
    handle: number,
    options: SocketHandlers & SocketOptions,
    context: Snapshot | null,
    owner: SocketOwner | null = null,
  ) {
    this.handle = handle;
    this.owner = owner;
    this.#context = context;
    this.#arenas = openArenas();
    this.#submitted = this.#arenas.bytesSent[handle & SLOT_MASK] as number;
    this.#handlers = options;
    this.#onData = options.data ?? null;
    this.highWaterMark = options.highWaterMark ?? HIGH_WATER_MARK;
    this.lowWaterMark = lowWaterMarkOf(this.highWaterMark, options.lowWaterMark);
    this.writeLimit = options.writeLimit ?? WRITE_LIMIT;
    this.#allowHalfOpen = options.allowHalfOpen === true;
    endpoints.add(this);
    this.#apply(options);
  }

  /** True from the moment that the connection stands until `close`, `destroy` or an error. */
  get open(): boolean {
    return this.#state === OPEN;
  }

  /** True when everything about this socket is over. */
  get closed(): boolean {
    return this.#state === CLOSED;
  }

  /** True while it can be written to. */
  get writable(): boolean {
    return (this.#detour & NOT_WRITABLE) === 0;
  }

  /** True when the peer has ended its side. */
  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** What it failed with; null while it has not. */
  get error(): Error | null {
    return this.#error;
  }

  /** Bytes that were written and have not left yet. */
  get bytesQueued(): number {
    if (this.#state === CLOSED) return 0;
    const queued = (this.#submitted - this.bytesLeft) >>> 0;
    return (this.#detour & HAS_OUTBOX) === 0 ? queued : queued + (this.#rare?.outbox?.bytes ?? 0);
  }

  /** @internal Bytes that left, modulo 2^32. */
  get bytesLeft(): number {
    return this.#arenas.bytesSent[this.handle & SLOT_MASK] as number;
  }

  /** Bytes that were received and that nobody has read. */
  get bytesUnread(): number {
    return this.#reads === null ? 0 : this.#reads.bytes;
  }

  /**
   * Where the peer is. Can be asked for after the close if it was before.
   * @throws SystemError when the socket is closed.
   */
  get remoteAddress(): SocketAddress {
    const rare = this.#ensureRare();
    rare.remote ??= this.#name(true);
    return rare.remote;
  }

  /**
   * Where we are. Can be asked for after the close if it was before.
   * @throws SystemError when the socket is closed.
   */
  get localAddress(): SocketAddress {
    const rare = this.#ensureRare();
    rare.local ??= this.#name(false);
    return rare.local;
  }

  /**
   * The process at the other end of a Unix socket, as it was when it connected or listened (SO_PEERCRED, unix(7)).
   * @throws SystemError `ENOTSUP` for TCP and where the system does not tell; `EBADF` when the socket is closed.
   */
  peerCredentials(): { pid: number; uid: number; gid: number } {
    const credentials = border.open().credentials(this.handle);
    if (typeof credentials === 'number') throw systemError(credentials, 'getsockopt');
    return credentials;
  }

  // Writing

  /**
   * Sends `data`, or each of a list in one system call. What is returned is done already, with `queued` false, while at
   * most `highWaterMark` bytes wait to be sent; above that it is done when no more than `lowWaterMark` wait: `await` it,
   * or stop writing until the `drain` handler is called.
   *
   * The memory is yours again when the write is done. Up to 1 MiB is copied before `write` returns; a larger write is
   * taken from your memory piece by piece as the socket drains. Cancelling the wait does not take back what was written.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED`; `ERR_MILLRACE_SOCKET_LIMIT` when more than `writeLimit` bytes
   * wait; `ERR_MILLRACE_CHUNK_DEAD`; TypeError (`ERR_INVALID_ARG_TYPE`); the socket's own error after it has failed.
   * Then nothing of `data` is sent.
   */
  write(data: Data | readonly Data[]): WriteResult {
    if (this.#detour !== 0) return this.#writeByDetour(data);
    const queued = (this.#submitted - this.bytesLeft) >>> 0;
    if (queued > this.writeLimit) throw this.#overLimit(queued);
    const length =
      data instanceof Chunk && data.alive && isReceived(this.#arenas, data)
        ? sendChunk(this.handle, data)
        : this.#send(data);
    this.#submitted = (this.#submitted + length) >>> 0;
    this.bytesWritten += length;
    return queued + length <= this.highWaterMark && this.#drained === null ? written() : this.#waitForDrain();
  }

  /** The same as `write` of a list. */
  writev(list: readonly Data[]): WriteResult {
    if (!Array.isArray(list)) throw invalidType('list', 'an array', list);
    return this.write(list);
  }

  /** Ends our side when all that was written has left; the peer may still send. Nothing can be written any more. */
  shutdown(): void {
    if (this.#state !== OPEN || this.#shutDown) return;
    this.#shutDown = true;
    this.#detour |= NOT_WRITABLE;
    this.#submitLast(SUBMISSION_SHUTDOWN);
    if (this.#peerEnded || this.#discards) this.close();
  }

  // Reading

  /**
   * The next bytes: what is there, at least one and at most `limit`; null at the end. Only for a socket without a `data`
   * handler. Reads are served in order, and one that is cancelled loses no byte.
   * @param limit 1 to 2^31 - 1; without it, as many as lie in one piece.
   * @throws the socket's error; MillraceError `ERR_MILLRACE_SOCKET_CLOSED` after `destroy()`,
   * `ERR_MILLRACE_INVALID_STATE` with a `data` handler; TypeError, RangeError.
   */
  read(limit?: number): Operation<Buffer | null> {
    if (limit !== undefined) checkInteger(limit, 'limit', 1, READ_BYTES_MAX);
    return new Read(this.#readQueue(), limit ?? READ_BYTES_MAX);
  }

  /**
   * The next bytes, at least one, into memory of yours: their number, 0 at the end. The fastest way to read much: nothing
   * is allocated. Leave `target` alone until the read is done.
   * @throws as `read`; TypeError, RangeError when `target` is no Uint8Array or has no room.
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
    return new ReadInto(this.#readQueue(), target);
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
    return new ReadExact(this.#readQueue(), count);
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
    return new ReadUntil(this.#readQueue(), Delimiter.of(delimiter), limit);
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

  #readNext(): Promise<IteratorResult<Buffer, undefined>> {
    if (!this.#isRead) return Promise.reject(noReads());
    return new ReadNext(this.#reads ?? this.#makeReadQueue()).promise();
  }

  /** Stops reading, after what has been received already. */
  pause(): void {
    this.#hold(true, this.#full);
  }

  /** Goes on reading; a socket that nobody reads still pauses by itself. */
  resume(): void {
    this.#hold(false, this.#full);
    if (this.#rare !== null && this.#rare.successor !== null) scheduler.enqueue(this);
  }

  /**
   * Two halves, for two tasks: neither needs the other to end its side. From now on the peer's end does not end ours.
   * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` for a socket with a `data` handler, or the second time;
   * `ERR_MILLRACE_SOCKET_CLOSED`.
   * @example
   * ```ts
   * async function pump(socket: Socket) {
   *   const { reader, writer } = socket.split();
   *   spawn(async () => {
   *     for await (const bytes of reader) console.log(bytes.length);
   *   });
   *   await writer.write('hello');
   *   writer.close();
   * }
   * ```
   */
  split(): { reader: ReadHalf; writer: WriteHalf } {
    if (this.#state !== OPEN) this.#throwClosed();
    if (this.#onData !== null) throw noReads();
    const rare = this.#ensureRare();
    if (rare.split || rare.successor !== null)
      throw new MillraceError('ERR_MILLRACE_INVALID_STATE', 'This socket was split already, or is given to handlers');
    rare.split = true;
    this.#allowHalfOpen = true;
    return { reader: new ReadHalf(this), writer: new WriteHalf(this) };
  }

  /**
   * Has an open socket driven by `handlers` from now on. What was received and nobody has read goes to `data` first, in a
   * later turn; then what comes. Handlers that it had are replaced; without `data` in `handlers` it stays as it is read.
   * `open` is not called.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED`, `ERR_MILLRACE_INVALID_STATE` while a read waits, or when it was
   * split or made a stream; TypeError.
   */
  setHandlers(handlers: SocketHandlers, options: { allowHalfOpen?: boolean } = {}): void {
    checkHandlers(handlers, 'handlers');
    checkObject(options, 'options');
    checkBoolean(options.allowHalfOpen, 'options.allowHalfOpen');
    this.#checkUntaken();
    this.#handlers = handlers;
    this.#context = handlerContext();
    if (options.allowHalfOpen !== undefined) this.#allowHalfOpen = options.allowHalfOpen;
    const data = handlers.data ?? null;
    if (data === null || this.#onData !== null || (this.#reads === null && !this.#peerEnded)) {
      this.#onData = data;
      if (this.#rare !== null) this.#rare.successor = null;
    } else {
      this.#ensureRare().successor = data;
      scheduler.enqueue(this);
    }
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
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED`, or the socket's own error, when it is not open any more;
   * `ERR_MILLRACE_INVALID_STATE` while a read waits, and after `split` or `toWeb`; TypeError naming the option.
   */
  toDuplex(options: SocketDuplexOptions = {}): SocketDuplex {
    checkObject(options, 'options');
    checkBoolean(options.allowHalfOpen, 'options.allowHalfOpen');
    const rare = this.#ensureRare();
    if (rare.duplex === null) {
      this.#checkUntaken();
      rare.duplex = SocketDuplex.over(this, { allowHalfOpen: this.#allowHalfOpen, ...options });
    }
    return rare.duplex;
  }

  /**
   * The socket as Web Streams. From then on it belongs to them, as with `toDuplex`. Calling it again gives the same ones.
   * With the peer's end `readable` is closed, and our side too when what was written has left, unless `allowHalfOpen`.
   *
   * @example
   * ```ts
   * const listener = await listen({ host: '127.0.0.1', data: (peer, chunk) => void peer.write(chunk) });
   * const { readable, writable } = (await connect({ host: '127.0.0.1', port: listener.port })).toWeb();
   * const writer = writable.getWriter();
   * await writer.write('over the web');
   * await writer.close();
   * for await (const bytes of readable) console.log(Buffer.from(bytes).toString()); // over the web
   * await listener.close();
   * ```
   * @param options `allowHalfOpen` is the socket's if not given.
   * @throws as `toDuplex` does.
   */
  toWeb(options: { allowHalfOpen?: boolean } = {}): WebStreams {
    checkObject(options, 'options');
    checkBoolean(options.allowHalfOpen, 'options.allowHalfOpen');
    const rare = this.#ensureRare();
    if (rare.web === null) {
      this.#checkUntaken();
      rare.web = new WebFace(this, options.allowHalfOpen ?? this.#allowHalfOpen);
    }
    return rare.web;
  }

  #checkUntaken(): void {
    if (this.#state !== OPEN) this.#throwClosed();
    if (this.#reads?.waited || this.#rare?.split || this.#rare?.duplex || this.#rare?.web)
      throw new MillraceError(
        'ERR_MILLRACE_INVALID_STATE',
        'A read waits on this socket, or it was split or made a stream',
      );
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
    if (this.#rare !== null) this.#rare.successor = null;
    this.#hold(false, false);
    return { received, ended: this.#peerEnded };
  }

  /** @internal The `drain` handler is called when all that was written has left. False when that is so already. */
  notifyDrain(): boolean {
    if (this.#state !== OPEN || this.bytesQueued === 0) return false;
    this.#ensureRare().flushes = true;
    this.#drained ??= new Drained();
    if ((this.#detour & HAS_OUTBOX) === 0) border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, 0, 0);
    return true;
  }

  // Ending

  /** Closes when all that was written has left. Done when the socket is closed. Closing twice is the same as once. */
  close(): Operation<void> {
    this.#closed ??= new Closed();
    if (this.#state === CLOSED) this.#closed.fulfill(undefined);
    else if (this.#state !== CLOSING) this.#beginClose(SUBMISSION_CLOSE);
    return this.#closed;
  }

  /**
   * Closes at once: what waits to be sent is lost, and the peer sees a reset. With `error`, the reads and writes that wait
   * are thrown it, and the `error` handler is given it.
   */
  destroy(error?: Error): void {
    if (this.#state === CLOSED) return;
    if (error !== undefined) this.#fail(error);
    this.#state = CLOSING;
    this.#detour |= NOT_WRITABLE;
    border.submit(SUBMISSION_CLOSE | RESET, this.handle, 0, 0);
    this.#destroyed = true;
    this.#reads?.fail(this.#closedError());
  }

  /** The same as `destroy()`. */
  reset(): void {
    this.destroy();
  }

  /**
   * Gives the descriptor away when all that was written has left: whoever gets it has to close it. The socket is closed
   * by that, and the connection lives on. What was received before is not lost: it can still be read here (or goes to
   * `data`, until `close`), and it is yours to hand it over too.
   * @throws the socket's error, MillraceError `ERR_MILLRACE_SOCKET_CLOSED`. Cancelled: the descriptor is closed when it
   * comes.
   */
  detach(): Operation<number> {
    if (this.#state !== OPEN || this.#shutDown) this.#throwClosed();
    const rare = this.#ensureRare();
    rare.detached = new Detached();
    this.#beginClose(SUBMISSION_DETACH);
    return rare.detached;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // Options

  /** Keeps the process alive while the socket is open, which is the default. */
  ref(): this {
    if (this.#state !== CLOSED) border.submit(SUBMISSION_SOCKET_REF, this.handle, 1, 0);
    return this;
  }

  unref(): this {
    if (this.#state !== CLOSED) border.submit(SUBMISSION_SOCKET_REF, this.handle, 0, 0);
    return this;
  }

  /**
   * The descriptor's number; it stays ours: see `detach`. -1 when the socket is closed.
   * @throws SystemError where there is none to tell.
   */
  get fd(): number {
    if (this.#state === CLOSED) return -1;
    const descriptor = border.open().descriptor(this.handle);
    if (descriptor < 0) throw systemError(descriptor, 'socket');
    return descriptor;
  }

  /** @throws SystemError when the socket is closed, or is none of TCP. */
  get noDelay(): boolean {
    return getOption(this.handle, SOCKET_OPTION_NO_DELAY) !== 0;
  }

  /** See the option `noDelay`. @throws as its getter. */
  setNoDelay(on = true): this {
    checkBoolean(on, 'on');
    setOption(this.handle, SOCKET_OPTION_NO_DELAY, on ? 1 : 0);
    return this;
  }

  /** False, or the times that the kernel goes by. @throws SystemError when the socket is closed, or is none of TCP. */
  get keepAlive(): false | Required<KeepAlive> {
    return getKeepAlive(this.handle);
  }

  /** See the option `keepAlive`. @throws as its getter; TypeError, RangeError. */
  setKeepAlive(keepAlive: boolean | KeepAlive = true): this {
    checkKeepAlive(keepAlive, 'keepAlive');
    setKeepAlive(this.handle, keepAlive);
    return this;
  }

  /** In seconds; null when it is off. @throws SystemError when the socket is closed. */
  get linger(): number | null {
    const seconds = getOption(this.handle, SOCKET_OPTION_LINGER);
    return seconds < 0 ? null : seconds;
  }

  /** See the option `linger`; null switches it off. @throws as its getter; TypeError, RangeError. */
  setLinger(seconds: number | null): this {
    if (seconds !== null) checkInteger(seconds, 'seconds', 0, 65_535);
    setOption(this.handle, SOCKET_OPTION_LINGER, seconds ?? -1);
    return this;
  }

  /** In bytes; Linux tells twice what was set. @throws SystemError when the socket is closed. */
  get sendBufferSize(): number {
    return getOption(this.handle, SOCKET_OPTION_SEND_BUFFER);
  }

  /** @throws as its getter; TypeError, RangeError. */
  setSendBufferSize(bytes: number): this {
    checkBufferSize(bytes, 'bytes');
    setOption(this.handle, SOCKET_OPTION_SEND_BUFFER, bytes);
    return this;
  }

  /** In bytes; Linux tells twice what was set. @throws SystemError when the socket is closed. */
  get receiveBufferSize(): number {
    return getOption(this.handle, SOCKET_OPTION_RECEIVE_BUFFER);
  }

  /** @throws as its getter; TypeError, RangeError. */
  setReceiveBufferSize(bytes: number): this {
    checkBufferSize(bytes, 'bytes');
    setOption(this.handle, SOCKET_OPTION_RECEIVE_BUFFER, bytes);
    return this;
  }

  /** In milliseconds; 0: off. */
  get idleTimeout(): number {
    return this.#rare?.timeouts?.idleMs ?? 0;
  }

  /**
   * When no byte comes or leaves for `limitMs` (at most a quarter of it later), the `timeout` handler is called, once
   * until a byte moves; without one the socket is destroyed with a SocketTimeoutError. Begins anew with each call.
   * @param limitMs 0 (off) to 7.2e10.
   * @throws TypeError, RangeError.
   */
  setIdleTimeout(limitMs: number): this {
    checkDelay(limitMs, 'limitMs');
    if (this.#state !== CLOSED && (limitMs > 0 || this.#rare?.timeouts)) this.#ensureTimeouts().idleMs = limitMs;
    return this;
  }

  /** In milliseconds; 0: off. */
  get writeTimeout(): number {
    return this.#rare?.timeouts?.writeMs ?? 0;
  }

  /**
   * As `setIdleTimeout`, for when bytes wait to be sent and none leaves: the peer does not read. Holds for a `close` that
   * waits for them too.
   */
  setWriteTimeout(limitMs: number): this {
    checkDelay(limitMs, 'limitMs');
    if (this.#state === CLOSED || (limitMs === 0 && !this.#rare?.timeouts)) return this;
    const timeouts = this.#ensureTimeouts();
    timeouts.writeMs = limitMs;
    if (limitMs > 0) this.#detour |= WATCHED;
    else this.#detour &= ~WATCHED;
    if (this.bytesQueued > 0) timeouts.wrote();
    return this;
  }

  // What the addon tells

  /** @internal The connection stands. */
  opened(): void {
    const { open } = this.#handlers;
    if (open !== undefined && this.#state === OPEN) this.#call(() => open.call(this.#handlers, this));
  }

  /** @internal */
  complete(kind: number, a: number, b: number): void {
    if (kind === COMPLETION_DATA) {
      this.bytesRead += b;
      if (this.#onData === null) this.#receive(a, b);
      else if (this.#state === OPEN || this.#isDetaching) this.#deliver(this.#arenas.received, a, b);
    } else if (kind === COMPLETION_CLOSED) {
      this.#finish(a, b);
    } else if (kind === COMPLETION_DRAIN) {
      this.#onDrain();
    } else if (this.#state !== OPEN) {
      // A handler of this tick has closed or destroyed it: only its end is told any more.
    } else if (kind === COMPLETION_END) {
      this.#end();
    } else if (kind === COMPLETION_ERROR) {
      this.#handOver();
      this.#fail(systemError(a | 0, b));
    }
  }

  /** @internal */
  timedOut(error: SocketTimeoutError): void {
    if (this.#state === CLOSED || this.#destroyed) return;
    const { timeout } = this.#handlers;
    if (timeout !== undefined) this.#call(() => timeout.call(this.#handlers, this, error));
    else this.destroy(error);
  }

  #deliver(memory: Buffer, offset: number, length: number): void {
    const chunk = new Chunk(memory, offset, length);
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

  #receive(offset: number, length: number): void {
    if (this.#state === CLOSED || this.#discards) return;
    const reads = this.#reads ?? this.#makeReadQueue();
    reads.push(this.#arenas.received, offset, length);
    if (reads.bytes > this.highWaterMark && !this.#full && !reads.waited) this.#hold(this.#paused, true);
  }

  /** Reading stops for either reason, and goes on when neither is left. */
  #hold(paused: boolean, full: boolean): void {
    const before = this.#paused || this.#full;
    this.#paused = paused;
    this.#full = full;
    if (this.#reads !== null) this.#reads.full = full;
    const after = paused || full;
    if (before === after || this.#state !== OPEN) return;
    border.submit(after ? SUBMISSION_PAUSE : SUBMISSION_RESUME, this.handle, 0, 0);
  }

  #readQueue(): ReadQueue {
    if (!this.#isRead) throw noReads();
    return this.#reads ?? this.#makeReadQueue();
  }

  #makeReadQueue(): ReadQueue {
    const reads = new ReadQueue(this);
    this.#reads = reads;
    if (this.#error !== null) reads.fail(this.#error);
    else if (this.#destroyed || this.#discards) reads.fail(this.#closedError());
    else if (this.#peerEnded || this.#state === CLOSED) reads.end();
    return reads;
  }

  /** @internal */
  readsTaken(): void {
    const reads = this.#reads as ReadQueue;
    if (reads.waited || reads.bytes <= this.highWaterMark / 2) this.#hold(this.#paused, false);
  }

  /** @internal The stream face ends our side when the reader has come to the end. */
  endRead(): void {
    if (this.#state === OPEN && this.#peerEnded && !this.#allowHalfOpen) this.close();
  }

  /** @internal Nothing is read any more: what comes is dropped. */
  endReads(): void {
    if (this.#state === CLOSED || this.#discards) return;
    this.#discards = true;
    this.#reads?.discard(this.#closedError());
    this.#reads?.fail(this.#closedError());
    this.#hold(false, false);
    if (this.#shutDown) this.close();
  }

  #end(): void {
    this.#peerEnded = true;
    this.#reads?.end();
    if (this.#rare !== null && this.#rare.successor !== null) {
      // What is queued goes before the end.
      this.#handOver();
      return;
    }
    const { end } = this.#handlers;
    if (end !== undefined) this.#call(() => end.call(this.#handlers, this));
    if (this.#state !== OPEN) return;
    // Who reads as a stream may still want to answer what was read last: `endRead`.
    if (this.#shutDown || (this.#onData !== null && !this.#allowHalfOpen)) this.close();
  }

  #fail(error: Error): void {
    if (this.#state === CLOSED || this.#error !== null) return;
    this.#error = error;
    this.#state = CLOSING;
    this.#detour |= NOT_WRITABLE;
    this.#reads?.fail(error);
    this.#drained?.reject(error);
    this.#drained = null;
    const handler = this.#handlers.error;
    if (handler !== undefined) this.#call(() => handler.call(this.#handlers, this, error));
  }

  #finish(unsent: number, descriptor: number): void {
    const lostBytes = unsent + ((this.#detour & HAS_OUTBOX) === 0 ? 0 : (this.#rare?.outbox?.bytes ?? 0));
    this.#state = CLOSED;
    endpoints.remove(this);
    this.#reads?.end();
    if (this.#drained !== null) {
      if (lostBytes === 0) this.#drained.fulfill(undefined);
      else this.#drained.reject(this.#error ?? this.#closedError());
      this.#drained = null;
    }
    if (this.#rare !== null) {
      this.#rare.timeouts?.end();
      this.#rare.outbox = null;
      this.#rare.detached?.arrive(descriptor - 1, this.#error ?? this.#closedError());
    }
    this.#closed?.fulfill(undefined);
    this.owner?.socketClosed();
    const { close } = this.#handlers;
    if (close !== undefined) this.#call(() => close.call(this.#handlers, this, lostBytes));
  }

  // Writing, by the parts that are not on every write's way

  #writeByDetour(data: Data | readonly Data[]): WriteResult {
    if ((this.#detour & NOT_WRITABLE) !== 0) this.#throwClosed();
    if ((this.#detour & WATCHED) !== 0) this.#rare?.timeouts?.wrote();
    const queued = this.bytesQueued;
    if (queued > this.writeLimit) throw this.#overLimit(queued);
    const length = this.#send(data);
    this.#submitted = (this.#submitted + length) >>> 0;
    this.bytesWritten += length;
    return queued + length <= this.highWaterMark && this.#drained === null ? written() : this.#waitForDrain();
  }

  /** How many bytes were submitted. What went into the outbox is counted there. */
  #send(data: Data | readonly Data[]): number {
    if (isList(data)) return this.#sendList(data);
    if ((this.#detour & HAS_OUTBOX) !== 0) return this.#park(data);
    if (data instanceof Uint8Array) return this.#sendBytes(data);
    if (typeof data === 'string' && data.length <= TEXT_LENGTH_MAX) {
      const length = sendText(this.#arenas, this.handle, data);
      if (length >= 0) return length;
    } else if (data instanceof Chunk && data.alive && isReceived(this.#arenas, data)) {
      return sendChunk(this.handle, data);
    }
    return this.#sendBytes(bytesOf(data, 'data'));
  }

  #sendBytes(bytes: Uint8Array): number {
    if (bytes.length > COPIED_BYTES_MAX) return this.#park(bytes);
    const length = sendBytes(this.#arenas, this.handle, bytes);
    if (length < bytes.length) this.#park(bytes.subarray(length));
    return length;
  }

  #sendList(list: readonly Data[]): number {
    // All are looked at before any is sent: an error must not leave half a list behind.
    let total = 0;
    for (let i = 0; i < list.length; i++) total += sizeOf(list[i] as Data, `data[${i}]`);
    if (total > COPIED_BYTES_MAX) this.#ensureOutbox();
    let length = 0;
    for (const data of list) {
      if ((this.#detour & HAS_OUTBOX) === 0) length += this.#send(data);
      else this.#push(data, total <= COPIED_BYTES_MAX);
    }
    if ((this.#detour & HAS_OUTBOX) !== 0) this.#feed();
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
    const rare = this.#ensureRare();
    rare.outbox ??= new Outbox();
    this.#detour |= HAS_OUTBOX;
    this.#drained ??= new Drained();
    return rare.outbox;
  }

  /** As much of the outbox as may be under way; the addon tells when there can be more. */
  #feed(): void {
    const outbox = this.#rare?.outbox;
    if (outbox === null || outbox === undefined || this.#destroyed || this.#error !== null) return;
    const fed = outbox.feed(this.#arenas, this.handle, (this.#submitted - this.bytesLeft) >>> 0);
    if (fed < 0) {
      this.destroy(
        new MillraceError('ERR_MILLRACE_INVALID_STATE', 'Memory was transferred while a write waited in it'),
      );
      return;
    }
    this.#submitted = (this.#submitted + fed) >>> 0;
    if (outbox.empty) {
      this.#detour &= ~HAS_OUTBOX;
      (this.#rare as Rare).outbox = null;
      if (outbox.end !== 0) border.submit(outbox.end, this.handle, 0, 0);
      if (this.#state === OPEN) border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, this.lowWaterMark, 0);
    } else {
      border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, FEED_LOW_BYTES, 0);
    }
  }

  #waitForDrain(): WriteResult {
    if (this.#drained === null) {
      this.#drained = new Drained();
      border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, this.lowWaterMark, 0);
    }
    return this.#drained;
  }

  #onDrain(): void {
    if ((this.#detour & HAS_OUTBOX) !== 0) {
      this.#feed();
      return;
    }
    const drained = this.#drained;
    if (drained === null || this.#state !== OPEN) return;
    const low = this.#rare?.flushes ? 0 : this.lowWaterMark;
    if (this.bytesQueued > low) {
      border.submit(SUBMISSION_NOTIFY_DRAIN, this.handle, low, 0);
      return;
    }
    this.#drained = null;
    if (this.#rare !== null) this.#rare.flushes = false;
    drained.fulfill(undefined);
    const { drain } = this.#handlers;
    if (drain !== undefined) this.#call(() => drain.call(this.#handlers, this));
  }

  /** Shutdown, Close or Detach: behind all that was written. */
  #submitLast(kind: number): void {
    const outbox = this.#rare?.outbox;
    if (outbox === null || outbox === undefined) border.submit(kind, this.handle, 0, 0);
    else outbox.end = kind;
  }

  #beginClose(kind: number): void {
    // As after a Close: nothing more is received while the outbox is sent.
    if ((this.#detour & HAS_OUTBOX) !== 0) border.submit(SUBMISSION_PAUSE, this.handle, 0, 0);
    this.#state = CLOSING;
    this.#detour |= NOT_WRITABLE;
    this.#submitLast(kind);
  }

  // The hand-over to handlers

  /** @internal */
  run(): void {
    this.#handOver();
  }

  /** Gives the successor what is queued, and then the socket. */
  #handOver(): void {
    const rare = this.#rare;
    if (rare === null || rare.successor === null) return;
    while (this.#reads !== null && this.#reads.bytes > 0) {
      const { successor } = rare;
      if (this.#paused || successor === null || !(this.#state === OPEN || this.#isDetaching)) return;
      const bytes = this.#reads.take(READ_BYTES_MAX);
      const chunk = new Chunk(bytes, 0, bytes.length);
      this.#call(() => successor.call(this.#handlers, this, chunk));
      chunk.alive = false;
    }
    if (rare.successor === null || this.#state !== OPEN) return;
    this.#onData = rare.successor;
    rare.successor = null;
    this.#reads = null;
    this.#hold(this.#paused, false);
    if (this.#peerEnded) this.#end();
  }

  #apply(options: SocketOptions): void {
    try {
      applyOptions(this.handle, options);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if (options.idleTimeout !== undefined) this.setIdleTimeout(options.idleTimeout);
    if (options.writeTimeout !== undefined) this.setWriteTimeout(options.writeTimeout);
  }

  #ensureRare(): Rare {
    this.#rare ??= new Rare();
    return this.#rare;
  }

  #ensureTimeouts(): SocketTimeouts {
    const rare = this.#ensureRare();
    rare.timeouts ??= new SocketTimeouts(this);
    return rare.timeouts;
  }

  /** Without a `data` handler. */
  get #isRead(): boolean {
    return this.#onData === null && (this.#rare === null || this.#rare.successor === null);
  }

  get #isDetaching(): boolean {
    return this.#rare !== null && this.#rare.detached !== null && !this.#destroyed;
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
      `${queued} bytes wait to be sent, more than writeLimit (${this.writeLimit}); await write(), or wait for drain`,
    );
  }
}

function isList(data: Data | readonly Data[]): data is readonly Data[] {
  return Array.isArray(data);
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
