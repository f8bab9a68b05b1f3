// The face of a net.Socket: a stream.Duplex over one of our sockets, for libraries that were written for Node's own.
//
// - From `connected` on the Duplex owns the socket, which is half-open by itself: when it is closed is decided by the
//   stream (autoDestroy, allowHalfOpen), as in net.Socket.
// - Bytes are copied out of the receive arena before anybody sees them. While the consumer is slow the socket is paused.
// - At most one write is under way. Its callback waits while more than the socket's high watermark is unsent, and then
//   the stream buffers what follows: so memory is bounded by the stream's own watermark and the socket's.
// - The socket's handlers run in the middle of a tick. What a listener throws is thrown again in a turn of its own, as an
//   uncaught exception: it neither ends the tick nor the socket.
// - As in net.Socket 'close' is emitted here, not by the stream: after the addon's last word on the socket.
import { Buffer } from 'node:buffer';
import type { AddressInfo, SocketConnectOpts } from 'node:net';
import { Duplex } from 'node:stream';
import { now } from '../internal/clock.js';
import { checkFunction, outOfRange, SystemError } from '../internal/errors.js';
import { type Operation, PENDING, REJECTED } from '../internal/operation.js';
import { type Snapshot, snapshot } from '../internal/task-context.js';
import { arm, DELAY_MS_MAX, disarm } from '../internal/timers.js';
import type { Chunk } from './chunk.js';
import { connect } from './connect.js';
import type { Socket, SocketAddress, SocketHandlers } from './socket.js';

export interface SocketDuplexOptions {
  /** Keep our side open when the peer has ended its own. Default: false. */
  allowHalfOpen?: boolean;
  /** Of the stream's own buffers, in bytes. Default: Node's, which is 16 KiB or 64 KiB. */
  highWaterMark?: number;
  /** Destroys the stream with an AbortError. */
  signal?: AbortSignal;
}

/** A write of which not all has been given to the socket yet. */
interface Unwritten {
  readonly parts: readonly (Buffer | Uint8Array)[];
  /** The first part that is not whole in the socket, and how much of it is. */
  at: number;
  offset: number;
}

type Callback = (error?: Error | null) => void;

/** Of a large write, so much at a time: what is unsent stays bounded. */
const PART_BYTES = 256 * 1024;
/** Of a string, so many characters at once; longer ones are made bytes first. */
const STRING_MAX = 16 * 1024;
/** How long a destroyed stream may try to send what was written before. */
const LINGER_MS = 2000;

const NO_BYTES = Buffer.alloc(0);

/**
 * A `stream.Duplex` that has the members, events and errors of a `net.Socket`, over a Millrace socket. Made by
 * `socket.toDuplex()` and by the connectors of `millrace/node`.
 */
export class SocketDuplex extends Duplex {
  /** True from `connect` to the 'connect' event. */
  connecting = false;
  /** What `setTimeout` was given last, in milliseconds. */
  timeout?: number;
  /** Not filled: for the type of net.Socket. */
  readonly autoSelectFamilyAttemptedAddresses: string[] = [];

  #socket: Socket | null = null;
  #connect: Operation<Socket> | null = null;
  #paused = false;
  #peerEnded = false;
  #hadError = false;
  #reset = false;
  #referenced = true;
  #unwritten: Unwritten | null = null;
  #written: Callback | null = null;
  #finished: Callback | null = null;
  #peerName: SocketAddress | null = null;
  #ownName: SocketAddress | null = null;
  #idle: IdleTimer | null = null;
  #linger: Linger | null = null;

  /** @internal */
  constructor(options: SocketDuplexOptions = {}) {
    super({
      ...options,
      allowHalfOpen: options.allowHalfOpen === true,
      autoDestroy: true,
      decodeStrings: false,
      emitClose: false,
    });
  }

  /** @internal */
  static over(socket: Socket, options: SocketDuplexOptions): SocketDuplex {
    const duplex = new SocketDuplex(options);
    duplex.#attach(socket);
    return duplex;
  }

  /** True until the connection stands. */
  get pending(): boolean {
    return this.#socket === null || this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  /** What was written, also what the stream still holds. */
  get bytesWritten(): number {
    let held = this.writableLength;
    const unwritten = this.#unwritten;
    if (this.#written !== null) {
      // The stream counts the write under way as held, as a whole.
      const current = unwritten ?? { parts: [], at: 0, offset: 0 };
      for (let i = 0; i < current.at; i++) held -= (current.parts[i] as Uint8Array).length;
      held -= current.offset;
    }
    return (this.#socket?.bytesWritten ?? 0) + Math.max(held, 0);
  }

  /** The same as `writableLength`. */
  get bufferSize(): number {
    return this.writableLength;
  }

  get remoteAddress(): string | undefined {
    return this.#peer()?.address;
  }

  get remoteFamily(): string | undefined {
    return this.#peer()?.family;
  }

  get remotePort(): number | undefined {
    return this.#peer()?.port;
  }

  get localAddress(): string | undefined {
    return this.#own()?.address;
  }

  get localFamily(): string | undefined {
    return this.#own()?.family;
  }

  get localPort(): number | undefined {
    return this.#own()?.port;
  }

  address(): AddressInfo | Record<string, never> {
    const own = this.#own();
    return own === null ? {} : { address: own.address, family: own.family, port: own.port };
  }

  /** As in net.Socket: options, or a port and a host, or a path. */
  connect(options: SocketConnectOpts, connectionListener?: () => void): this;
  connect(port: number, host: string, connectionListener?: () => void): this;
  connect(port: number, connectionListener?: () => void): this;
  connect(path: string, connectionListener?: () => void): this;
  connect(target: SocketConnectOpts | number | string, host?: string | (() => void), listener?: () => void): this {
    const then = typeof host === 'function' ? host : listener;
    if (then !== undefined) this.once('connect', then);
    const options = {
      ...connectOptions(target, typeof host === 'string' ? host : undefined),
      open: (socket: Socket) => guarded(() => this.#connected(socket)),
    };
    this.connecting = true;
    const operation = connect(options);
    this.#connect = operation;
    operation.addWaiter({ wake: () => this.#connectEnded(operation) });
    if (operation.state !== PENDING) process.nextTick(() => this.#connectEnded(operation));
    return this;
  }

  setNoDelay(_noDelay = true): this {
    return this;
  }

  /** @param _initialDelay in milliseconds, rounded down to seconds. */
  setKeepAlive(_enable = false, _initialDelay = 0): this {
    return this;
  }

  /**
   * Emits 'timeout' when nothing was received or written for `timeout` milliseconds; the stream goes on. 0 turns it off.
   */
  setTimeout(timeout: number, callback?: () => void): this {
    if (this.destroyed) return this;
    if (typeof timeout !== 'number' || !(timeout >= 0 && timeout <= DELAY_MS_MAX)) {
      throw outOfRange('timeout', `a number from 0 to ${DELAY_MS_MAX}`, timeout);
    }
    if (callback !== undefined) checkFunction(callback, 'callback');
    this.timeout = timeout;
    this.#idle?.stop();
    if (timeout === 0) {
      this.#idle = null;
      if (callback !== undefined) this.removeListener('timeout', callback);
    } else {
      this.#idle = new IdleTimer(timeout, () => this.emit('timeout'));
      if (callback !== undefined) this.once('timeout', callback);
    }
    return this;
  }

  ref(): this {
    this.#referenced = true;
    this.#socket?.ref();
    return this;
  }

  unref(): this {
    this.#referenced = false;
    this.#socket?.unref();
    return this;
  }

  /** Ends, and destroys when all has left. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Destroys, and the peer sees a reset (ECONNRESET). */
  resetAndDestroy(): this {
    if (this.connecting) {
      this.once('connect', () => this.resetAndDestroy());
    } else if (this.#socket === null) {
      this.destroy(closedError('ERR_SOCKET_CLOSED', 'Socket is closed'));
    } else {
      this.#reset = true;
      this.destroy();
    }
    return this;
  }

  /** @internal */
  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  /** @internal */
  override _write(data: Buffer | string, encoding: BufferEncoding, callback: Callback): void {
    const socket = this.#socket;
    if (socket === null || this.connecting) {
      this.#whenConnected(() => this._write(data, encoding, callback), callback);
      return;
    }
    if (typeof data === 'string' && data.length <= STRING_MAX && (encoding === 'utf8' || encoding === 'utf-8')) {
      this.#idle?.touch();
      this.#send(socket, data, callback);
    } else {
      const bytes = typeof data === 'string' ? Buffer.from(data, encoding) : data;
      this.#begin(socket, [bytes], callback);
    }
  }

  /** @internal */
  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], callback: Callback): void {
    const socket = this.#socket;
    if (socket === null || this.connecting) {
      this.#whenConnected(() => this._writev(chunks, callback), callback);
      return;
    }
    const parts = chunks.map(({ chunk, encoding }) =>
      typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk,
    );
    this.#begin(socket, parts, callback);
  }

  /** @internal */
  override _final(callback: Callback): void {
    if (this.pending) {
      this.once('connect', () => this._final(callback));
      return;
    }
    const socket = this.#socket;
    if (socket === null || !socket.open) {
      callback();
      return;
    }
    // Before the shutdown: with both sides ended the socket closes by itself, and then nothing drains any more.
    if (socket.notifyDrain()) this.#finished = callback;
    socket.shutdown();
    if (this.#finished === null) callback();
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.connecting = false;
    this.#hadError = error !== null;
    this.#idle?.stop();
    this.#idle = null;
    const connecting = this.#connect;
    this.#connect = null;
    connecting?.cancel();
    const backlogged = this.#unwritten !== null || this.#written !== null;
    const written = this.#written;
    this.#written = null;
    this.#unwritten = null;
    this.#finished = null;
    const socket = this.#socket;
    callback(error);
    if (socket === null || socket.closed) {
      process.nextTick(emitClose, this, this.#hadError);
    } else if (this.#reset || backlogged) {
      // What is lost is lost either way; a reset tells the peer.
      socket.destroy();
    } else {
      if (socket.bytesQueued > 0) this.#linger = new Linger(socket);
      socket.close();
    }
    written?.(error ?? closedError('ERR_SOCKET_CLOSED', 'Socket is closed'));
  }

  #connected(socket: Socket): void {
    if (this.destroyed) {
      socket.destroy();
      return;
    }
    this.#connect = null;
    this.connecting = false;
    this.#attach(socket);
    if (!this.#referenced) socket.unref();
    this.emit('connect');
    this.emit('ready');
  }

  #connectEnded(operation: Operation<Socket>): void {
    if (operation.state !== REJECTED || this.#connect !== operation) return;
    this.#connect = null;
    this.destroy(operation.value as unknown as Error);
  }

  #attach(socket: Socket): void {
    this.#socket = socket;
    const { received, ended } = socket.takeOver(this.#handlers());
    for (const bytes of received) this.#push(bytes);
    if (ended) this.#ended();
    // As net.Socket: reading begins by itself, so that the peer's end is seen even when nobody reads.
    else this.read(0);
  }

  #handlers(): SocketHandlers {
    return {
      data: (_socket, chunk) => guarded(() => this.#received(chunk)),
      drain: () => guarded(() => this.#drained()),
      end: () => guarded(() => this.#ended()),
      error: (_socket, error) => guarded(() => this.destroy(error)),
      close: (_socket, lostBytes) => guarded(() => this.#closed(lostBytes)),
    };
  }

  #received(chunk: Chunk): void {
    this.#idle?.touch();
    this.#push(chunk.copy());
  }

  #push(bytes: Buffer): void {
    if (this.push(bytes) || this.#paused) return;
    this.#paused = true;
    this.#socket?.pause();
  }

  #ended(): void {
    this.#peerEnded = true;
    if (!this.allowHalfOpen) this.write = writeAfterEnd as typeof this.write;
    this.push(null);
    // With nothing left to read, 'end' comes without anybody reading.
    this.read(0);
  }

  #drained(): void {
    const finished = this.#finished;
    if (finished !== null) {
      this.#finished = null;
      finished();
      return;
    }
    const { destroyed } = this;
    const callback = this.#written;
    const socket = this.#socket;
    if (destroyed || callback === null || socket === null) return;
    this.#idle?.touch();
    this.#written = null;
    if (this.#unwritten === null) callback();
    else this.#continue(socket, this.#unwritten, callback);
  }

  #closed(lostBytes: number): void {
    this.#linger?.stop();
    this.#linger = null;
    if (this.destroyed) {
      // After 'error', which the stream has queued.
      process.nextTick(emitClose, this, this.#hadError);
    } else if (lostBytes > 0 || this.#written !== null || !this.#peerEnded) {
      // Somebody has closed the socket under the stream.
      this.destroy(lostBytes > 0 ? closedError('ECONNRESET', `${lostBytes} bytes were not sent`) : undefined);
    }
  }

  #begin(socket: Socket, parts: readonly (Buffer | Uint8Array)[], callback: Callback): void {
    this.#idle?.touch();
    const [first] = parts;
    if (parts.length === 1 && first !== undefined && first.length <= PART_BYTES) this.#send(socket, first, callback);
    else this.#continue(socket, { parts, at: 0, offset: 0 }, callback);
  }

  /** The last of a write, or all of it. */
  #send(socket: Socket, data: Buffer | Uint8Array | string, callback: Callback): void {
    let waits: boolean;
    try {
      waits = socket.write(data).state === PENDING;
    } catch (error) {
      callback(writeError(error));
      return;
    }
    if (waits) this.#written = callback;
    else callback();
  }

  /** As much as the socket takes before it tells to wait. */
  #continue(socket: Socket, unwritten: Unwritten, callback: Callback): void {
    this.#unwritten = unwritten;
    const { parts } = unwritten;
    while (unwritten.at < parts.length) {
      const part = parts[unwritten.at] ?? NO_BYTES;
      const end = Math.min(part.length, unwritten.offset + PART_BYTES);
      const bytes = part.subarray(unwritten.offset, end);
      if (end < part.length) {
        unwritten.offset = end;
      } else {
        unwritten.at++;
        unwritten.offset = 0;
      }
      let waits: boolean;
      try {
        waits = socket.write(bytes).state === PENDING;
      } catch (error) {
        this.#unwritten = null;
        callback(writeError(error));
        return;
      }
      if (waits) {
        if (unwritten.at === parts.length) this.#unwritten = null;
        this.#written = callback;
        return;
      }
    }
    this.#unwritten = null;
    callback();
  }

  /** Writes wait for the connection; without one they fail. */
  #whenConnected(then: () => void, callback: Callback): void {
    if (!this.connecting) {
      callback(closedError('ERR_SOCKET_CLOSED', 'Socket is closed'));
      return;
    }
    const onConnect = (): void => {
      this.off('close', onClose);
      then();
    };
    const onClose = (): void => {
      callback(
        closedError('ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'Socket closed before the connection was established'),
      );
    };
    this.once('connect', onConnect);
    this.once('close', onClose);
  }

  #peer(): SocketAddress | null {
    if (this.#peerName === null && this.#socket !== null) this.#peerName = nameOf(this.#socket, true);
    return this.#peerName;
  }

  #own(): SocketAddress | null {
    if (this.#ownName === null && this.#socket !== null) this.#ownName = nameOf(this.#socket, false);
    return this.#ownName;
  }
}

/** Counts from the last activity, on the wheel; keeps no process alive. Moving the deadline costs nothing until it comes. */
class IdleTimer {
  readonly #timeoutMs: number;
  readonly #tell: () => void;
  readonly #context: Snapshot | null = snapshot();
  #activeMs = now();
  #slot: number;

  constructor(timeoutMs: number, tell: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#tell = tell;
    this.#slot = arm(this.#activeMs + timeoutMs, this, true);
  }

  touch(): void {
    this.#activeMs = now();
    if (this.#slot === -1) this.#slot = arm(this.#activeMs + this.#timeoutMs, this, true);
  }

  stop(): void {
    if (this.#slot !== -1) disarm(this.#slot);
    this.#slot = -1;
  }

  /** @internal */
  timerFired(): void {
    this.#slot = -1;
    const deadlineMs = this.#activeMs + this.#timeoutMs;
    if (deadlineMs > now()) {
      this.#slot = arm(deadlineMs, this, true);
      return;
    }
    // A timer may only queue here.
    process.nextTick(() => {
      if (this.#context === null) this.#tell();
      else this.#context(this.#tell, undefined);
    });
  }
}

/** A destroyed stream whose last bytes a peer does not take is reset in the end. */
class Linger {
  readonly #socket: Socket;
  #slot: number;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#slot = arm(now() + LINGER_MS, this, true);
  }

  stop(): void {
    if (this.#slot !== -1) disarm(this.#slot);
    this.#slot = -1;
  }

  /** @internal */
  timerFired(): void {
    this.#slot = -1;
    this.#socket.destroy();
  }
}

function connectOptions(target: SocketConnectOpts | number | string, host: string | undefined) {
  if (typeof target === 'object' && target !== null) {
    const { port, host: name } = target as { port: number; host?: string };
    return { port: Number(port), ...(name === undefined || name === null ? {} : { host: name }) };
  }
  return { port: Number(target), ...(host === undefined ? {} : { host }) };
}

function nameOf(socket: Socket, peer: boolean): SocketAddress | null {
  try {
    return peer ? socket.remoteAddress : socket.localAddress;
  } catch {
    return null;
  }
}

function guarded(handler: () => void): void {
  try {
    handler();
  } catch (error) {
    process.nextTick(rethrow, error);
  }
}

function rethrow(error: unknown): never {
  throw error;
}

function emitClose(duplex: SocketDuplex, hadError: boolean): void {
  duplex.emit('close', hadError);
}

/** As net.Socket's: writing to a peer that has ended its side, where half-open is not allowed. */
function writeAfterEnd(
  this: SocketDuplex,
  _data: unknown,
  encoding?: BufferEncoding | Callback,
  callback?: Callback,
): boolean {
  const then = typeof encoding === 'function' ? encoding : callback;
  const error = closedError('EPIPE', 'This socket has been ended by the other party');
  if (typeof then === 'function') process.nextTick(then, error);
  this.destroy(error);
  return false;
}

/** What the socket throws when it is closed already, by Node's code. */
function writeError(error: unknown): Error {
  if (error instanceof SystemError) return error;
  if ((error as { code?: unknown }).code !== 'ERR_MILLRACE_SOCKET_CLOSED') return error as Error;
  const pipe = closedError('EPIPE', 'write EPIPE: this socket is closed');
  pipe.cause = error;
  return pipe;
}

function closedError(code: string, message: string): Error & { code: string } {
  const error = new Error(message) as Error & { code: string };
  error.code = code;
  return error;
}
