// A TCP or Unix socket, with two faces: handlers for speed, and reads and writes to wait for. Here is its life: what the
// addon tells of it, who takes it over, and how it ends. The Closed completion is the last thing that is heard of a handle;
// only then is the endpoint forgotten.
import type { Buffer } from 'node:buffer';
import { border } from '../internal/border.js';
import { checkObject, invalidType, MillraceError } from '../internal/errors.js';
import {
  COMPLETION_CLOSED,
  COMPLETION_DATA,
  COMPLETION_DRAIN,
  COMPLETION_END,
  COMPLETION_ERROR,
  RESET,
  SUBMISSION_CLOSE,
  SUBMISSION_DETACH,
  SUBMISSION_SHUTDOWN,
} from '../internal/layout.js';
import type { Operation } from '../internal/operation.js';
import { type Runnable, scheduler } from '../internal/scheduler.js';
import { handlerContext, type Snapshot } from '../internal/task-context.js';
import { Chunk } from './chunk.js';
import { SocketDuplex, type SocketDuplexOptions } from './duplex.js';
import { type Endpoint, endpoints } from './endpoints.js';
import { ReadHalf, WriteHalf } from './halves.js';
import type { DataHandler, SocketHandlers } from './handlers.js';
import { checkBoolean, checkHandlers, type SocketOptions } from './options.js';
import { Detached } from './rare.js';
import { READ_BYTES_MAX } from './read-queue.js';
import { SocketReading } from './socket-reading.js';
import { CLOSED, CLOSING, Closed, HAS_OUTBOX, NOT_WRITABLE, noReads, OPEN, type SocketOwner } from './socket-state.js';
import { systemError } from './system-error.js';
import { WebFace, type WebStreams } from './web.js';

export type { SocketAddress } from './address.js';
export type { Data } from './data.js';
export type { SocketHandlers } from './handlers.js';
export { HIGH_WATER_MARK, type KeepAlive, type SocketOptions, WRITE_LIMIT } from './options.js';
export type { SocketOwner } from './socket-state.js';

/**
 * A connection. Made by `connect` and `listen`.
 *
 * Without a `data` handler it is read from: `read`, `readExact`, `readUntil`, `for await`. Such a socket stays half open
 * after the peer's end until that end has been read, or it is closed.
 */
export class Socket extends SocketReading implements Endpoint, Runnable {
  /** @internal Use `connect` or `listen`. */
  constructor(
    handle: number,
    options: SocketHandlers & SocketOptions,
    context: Snapshot | null,
    owner: SocketOwner | null = null,
  ) {
    super(handle, options, context, owner);
    endpoints.add(this);
    this.apply(options);
  }

  /** Ends our side when all that was written has left; the peer may still send. Nothing can be written any more. */
  shutdown(): void {
    if (this.state !== OPEN || this.shutDown) return;
    this.shutDown = true;
    this.detour |= NOT_WRITABLE;
    this.submitLast(SUBMISSION_SHUTDOWN);
    if (this.ended || this.discards) this.close();
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
    if (this.state !== OPEN) this.throwClosed();
    if (this.onData !== null) throw noReads();
    const rare = this.ensureRare();
    if (rare.split || rare.successor !== null)
      throw new MillraceError('ERR_MILLRACE_INVALID_STATE', 'This socket was split already, or is given to handlers');
    rare.split = true;
    this.halfOpen = true;
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
    this.handlers = handlers;
    this.context = handlerContext();
    if (options.allowHalfOpen !== undefined) this.halfOpen = options.allowHalfOpen;
    const data = handlers.data ?? null;
    if (data === null || this.onData !== null || (this.reads === null && !this.ended)) {
      this.onData = data;
      if (this.rare !== null) this.rare.successor = null;
    } else {
      this.ensureRare().successor = data;
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
    const rare = this.ensureRare();
    if (rare.duplex === null) {
      this.#checkUntaken();
      rare.duplex = SocketDuplex.over(this, { allowHalfOpen: this.halfOpen, ...options });
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
    const rare = this.ensureRare();
    if (rare.web === null) {
      this.#checkUntaken();
      rare.web = new WebFace(this, options.allowHalfOpen ?? this.halfOpen);
    }
    return rare.web;
  }

  /**
   * @internal Another face takes the socket over, which is half-open from now on. Gives what was received and nobody has
   * read yet, and whether the end has come.
   */
  takeOver(handlers: SocketHandlers): { received: Buffer[]; ended: boolean } {
    const received = this.reads?.takeAll() ?? [];
    this.handlers = handlers;
    this.onData = handlers.data ?? null;
    this.halfOpen = true;
    if (this.rare !== null) this.rare.successor = null;
    this.hold(false, false);
    return { received, ended: this.ended };
  }

  /**
   * Closes when all that was written has left. Done when the socket is closed. Closing twice is the same as once.
   *
   * Nothing is read any more. Two ends that both close with more queued than the kernels hold wait for each other until a
   * `writeTimeout` or `destroy` ends it: where that can be, set the one or call the other.
   */
  close(): Operation<void> {
    this.closing ??= new Closed();
    if (this.state === CLOSED) this.closing.fulfill(undefined);
    else if (this.state !== CLOSING) this.beginClose(SUBMISSION_CLOSE);
    return this.closing;
  }

  /**
   * Closes at once: what waits to be sent is lost, and the peer sees a reset. With `error`, the reads and writes that wait
   * are thrown it, and the `error` handler is given it.
   * @throws TypeError when `error` is none.
   */
  destroy(error?: Error): void {
    if (error !== undefined && !(error instanceof Error)) throw invalidType('error', 'an Error', error);
    if (this.state === CLOSED) return;
    if (error !== undefined) this.fail(error);
    this.state = CLOSING;
    this.detour |= NOT_WRITABLE;
    border.submit(SUBMISSION_CLOSE | RESET, this.handle, 0, 0);
    this.destroyed = true;
    this.reads?.fail(this.closedError());
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
    if (this.state !== OPEN || this.shutDown) this.throwClosed();
    const rare = this.ensureRare();
    rare.detached = new Detached();
    this.beginClose(SUBMISSION_DETACH);
    return rare.detached;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal The connection stands. */
  opened(): void {
    const { open } = this.handlers;
    if (open !== undefined && this.state === OPEN) this.call(() => open.call(this.handlers, this));
  }

  /** @internal */
  complete(kind: number, a: number, b: number): void {
    if (kind === COMPLETION_DATA) {
      this.bytesRead += b;
      if (this.onData === null) this.receive(a, b);
      else if (this.state === OPEN || this.isDetaching) this.#deliver(this.arenas.received, a, b);
    } else if (kind === COMPLETION_CLOSED) {
      this.#finish(a, b);
    } else if (kind === COMPLETION_DRAIN) {
      this.onDrain();
    } else if (this.state !== OPEN) {
      // A handler of this tick has closed or destroyed it: only its end is told any more.
    } else if (kind === COMPLETION_END) {
      this.onEnd();
    } else if (kind === COMPLETION_ERROR) {
      this.handOver();
      this.fail(systemError(a | 0, b));
    }
  }

  /** @internal */
  run(): void {
    this.handOver();
  }

  #deliver(memory: Buffer, offset: number, length: number): void {
    const chunk = new Chunk(memory, offset, length);
    if (this.context !== null) {
      this.call(() => (this.onData as DataHandler).call(this.handlers, this, chunk));
    } else {
      try {
        (this.onData as DataHandler).call(this.handlers, this, chunk);
      } catch (error) {
        this.handlerThrew(error);
      }
    }
    chunk.alive = false;
  }

  protected onEnd(): void {
    this.ended = true;
    this.reads?.end();
    if (this.rare !== null && this.rare.successor !== null) {
      // What is queued goes before the end.
      this.handOver();
      return;
    }
    const { end } = this.handlers;
    if (end !== undefined) this.call(() => end.call(this.handlers, this));
    if (this.state !== OPEN) return;
    // Who reads as a stream may still want to answer what was read last: `endRead`.
    if (this.shutDown || (this.onData !== null && !this.halfOpen)) this.close();
  }

  protected fail(error: Error): void {
    if (this.state === CLOSED || this.failure !== null) return;
    this.failure = error;
    this.state = CLOSING;
    this.detour |= NOT_WRITABLE;
    this.reads?.fail(error);
    this.drained?.reject(error);
    this.drained = null;
    const handler = this.handlers.error;
    if (handler !== undefined) this.call(() => handler.call(this.handlers, this, error));
  }

  #finish(unsent: number, descriptor: number): void {
    const lostBytes = unsent + ((this.detour & HAS_OUTBOX) === 0 ? 0 : (this.rare?.outbox?.bytes ?? 0));
    this.state = CLOSED;
    endpoints.remove(this);
    this.reads?.end();
    if (this.drained !== null) {
      if (lostBytes === 0) this.drained.fulfill(undefined);
      else this.drained.reject(this.failure ?? this.closedError());
      this.drained = null;
    }
    if (this.rare !== null) {
      this.rare.timeouts?.end();
      this.rare.outbox = null;
      this.rare.detached?.arrive(descriptor - 1, this.failure ?? this.closedError());
    }
    this.closing?.fulfill(undefined);
    this.owner?.socketClosed();
    const { close } = this.handlers;
    if (close !== undefined) this.call(() => close.call(this.handlers, this, lostBytes));
  }

  /** Gives the successor what is queued, and then the socket. */
  protected handOver(): void {
    const rare = this.rare;
    if (rare === null || rare.successor === null) return;
    while (this.reads !== null && this.reads.bytes > 0) {
      const { successor } = rare;
      if (this.paused || successor === null || !(this.state === OPEN || this.isDetaching)) return;
      const bytes = this.reads.take(READ_BYTES_MAX);
      const chunk = new Chunk(bytes, 0, bytes.length);
      this.call(() => successor.call(this.handlers, this, chunk));
      chunk.alive = false;
    }
    if (rare.successor === null || this.state !== OPEN) return;
    this.onData = rare.successor;
    rare.successor = null;
    this.reads = null;
    this.hold(this.paused, false);
    if (this.ended) this.onEnd();
  }

  #checkUntaken(): void {
    if (this.state !== OPEN) this.throwClosed();
    if (this.reads?.waited || this.rare?.split || this.rare?.duplex || this.rare?.web)
      throw new MillraceError(
        'ERR_MILLRACE_INVALID_STATE',
        'A read waits on this socket, or it was split or made a stream',
      );
  }
}
