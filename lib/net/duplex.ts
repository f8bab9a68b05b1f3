// The face of a net.Socket: a stream.Duplex over one of our sockets, for libraries that were written for Node's own.
//
// - Once attached the Duplex owns the socket, which is half-open by itself: when it is closed is decided by the stream
//   (autoDestroy, allowHalfOpen), as in net.Socket.
// - Bytes are copied out of the receive arena before anybody sees them. While the consumer is slow the socket is paused.
// - Two ways past the machinery of streams, which costs more than the socket does: a chunk is emitted at once where
//   'data' flows and nothing is buffered, and a write goes to the socket at once where nothing is buffered and the socket
//   will not tell to wait. Neither touches what the stream knows of itself; everything else goes its way.
// - The callback of a write waits while more than the socket's high watermark is unsent, and then the stream buffers what
//   follows: memory is bounded by the stream's own watermark and the socket's.
// - The socket's handlers run in the middle of a tick. What a listener throws is thrown again in a turn of its own, as an
//   uncaught exception: it ends neither the tick nor the socket.
// - As in net.Socket 'close' is emitted here, not by the stream: after the addon's last word on the socket.
import type { Buffer } from 'node:buffer';
import type { AddressInfo, SocketConnectOpts } from 'node:net';
import { Duplex } from 'node:stream';
import { checkFunction, outOfRange } from '../internal/errors.js';
import { type Operation, PENDING, REJECTED } from '../internal/operation.js';
import { DELAY_MS_MAX } from '../internal/timers.js';
import type { SocketAddress } from './address.js';
import { Alarm } from './alarm.js';
import type { Chunk } from './chunk.js';
import { connect } from './connect.js';
import type { SocketHandlers } from './handlers.js';
import { type ConnectTarget, connectOptions, placeOf, type StreamSettings } from './net-arguments.js';
import type { Socket } from './socket.js';
import { closedBeforeConnection, closedError, endedByPeer, lost, writeError } from './stream-errors.js';
import { applyKeepAlive, applyNoDelay, bufferOf, bytesOf, type Held, isData, sizeOf } from './stream-terms.js';
import { StreamTimer } from './stream-timer.js';

export interface SocketDuplexOptions {
  /** Keep our side open when the peer has ended its own. Default: false. */
  allowHalfOpen?: boolean;
  /** Of the stream's own buffers, in bytes. Default: Node's, which is 16 KiB or 64 KiB. */
  highWaterMark?: number;
  /** Destroys the stream with an AbortError. */
  signal?: AbortSignal;
}

type Callback = (error?: Error | null) => void;

/** How long a destroyed stream may try to send what was written before. */
const LINGER_MS = 2000;

/**
 * A `stream.Duplex` that has the members, events and errors of a `net.Socket`, over a Millrace socket. Made by
 * `socket.toDuplex()` and by the connectors of `millrace/node`.
 */
export class SocketDuplex extends Duplex {
  /** True from `connect` to the 'connect' event. */
  connecting = false;
  /** What `setTimeout` was given last, in milliseconds. */
  timeout?: number;
  /** Stays empty: for the type of net.Socket. */
  readonly autoSelectFamilyAttemptedAddresses: string[] = [];

  #socket: Socket | null = null;
  #connect: Operation<Socket> | null = null;
  #paused = false;
  #peerEnded = false;
  /** Something was pushed: the stream knows that it is read from. */
  #flowed = false;
  #hadError = false;
  #reset = false;
  #referenced = true;
  #noDelay: boolean | null = null;
  #keepAlive: { enable: boolean; initialDelay: number } | null = null;
  /** The callback of the write that waits for the socket. */
  #written: Callback | null = null;
  #finished: Callback | null = null;
  #timer: StreamTimer | null = null;
  #linger: Alarm | null = null;
  #defaultEncoding: BufferEncoding = 'utf8';
  /** In the write that waits for the connection. */
  #earlyBytes = 0;

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
    return this.#socket === null;
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
    let bytes = (this.#socket?.bytesWritten ?? 0) + this.#earlyBytes;
    if (this.writableLength > 0) for (const { chunk, encoding } of bufferOf(this)) bytes += sizeOf(chunk, encoding);
    return bytes;
  }

  /** The same as `writableLength`. */
  get bufferSize(): number {
    return this.writableLength;
  }

  get remoteAddress(): string | undefined {
    return this.#name(true)?.address;
  }

  get remoteFamily(): string | undefined {
    return this.#name(true)?.family;
  }

  get remotePort(): number | undefined {
    return this.#name(true)?.port;
  }

  get localAddress(): string | undefined {
    return this.#name(false)?.address;
  }

  get localFamily(): string | undefined {
    return this.#name(false)?.family;
  }

  get localPort(): number | undefined {
    return this.#name(false)?.port;
  }

  address(): AddressInfo | Record<string, never> {
    const own = this.#name(false);
    return own === null ? {} : { address: own.address, family: own.family, port: own.port };
  }

  /**
   * As net.Socket's: options, or a port and a host, or a path. 'connect' and 'ready' follow, or 'error'. Once for a
   * stream.
   * @throws TypeError, RangeError naming the option.
   */
  connect(options: SocketConnectOpts, connectionListener?: () => void): this;
  connect(port: number, host: string, connectionListener?: () => void): this;
  connect(port: number, connectionListener?: () => void): this;
  connect(path: string, connectionListener?: () => void): this;
  connect(target: ConnectTarget, host?: string | (() => void), listener?: () => void): this {
    const place = placeOf(target, typeof host === 'string' ? host : undefined);
    const operation = connect({ ...connectOptions(place), open: (socket) => guard(() => this.#onConnect(socket)) });
    const then = typeof host === 'function' ? host : listener;
    if (then !== undefined) this.once('connect', then);
    this.#settings(place);
    this.connecting = true;
    this.#connect = operation;
    const ended = (): void => this.#connectEnded(operation);
    if (operation.state === PENDING) operation.addWaiter({ wake: ended });
    else process.nextTick(ended);
    return this;
  }

  /** A TCP connection sends small writes at once unless told otherwise; net.Socket's waits for more. */
  setNoDelay(noDelay = true): this {
    this.#noDelay = noDelay;
    if (this.#socket !== null) applyNoDelay(this.#socket, noDelay);
    return this;
  }

  /** @param initialDelay in milliseconds, rounded down to seconds; 0 is the system's. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    this.#keepAlive = { enable, initialDelay };
    if (this.#socket !== null) applyKeepAlive(this.#socket, enable, initialDelay);
    return this;
  }

  /**
   * Emits 'timeout' when nothing was received or written for `timeout` milliseconds; the stream goes on. 0 turns it off.
   * @throws TypeError, RangeError naming the argument.
   */
  setTimeout(timeout: number, callback?: () => void): this {
    if (this.destroyed) return this;
    if (typeof timeout !== 'number' || !(timeout >= 0 && timeout <= DELAY_MS_MAX)) {
      throw outOfRange('timeout', `a number from 0 to ${DELAY_MS_MAX}`, timeout);
    }
    if (callback !== undefined) checkFunction(callback, 'callback');
    this.timeout = timeout;
    this.#timer?.stop();
    if (timeout === 0) {
      this.#timer = null;
      if (callback !== undefined) this.removeListener('timeout', callback);
    } else {
      this.#timer = new StreamTimer(timeout, () => guard(() => this.emit('timeout')));
      if (callback !== undefined) this.once('timeout', callback);
    }
    return this;
  }

  ref(): this {
    this.#referenced = true;
    this.#socket?.ref();
    return this;
  }

  /** Holds from the connection on: while it is being made the process stays alive. */
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
      this.destroy(closedError());
    } else {
      this.#reset = true;
      this.destroy();
    }
    return this;
  }

  override setDefaultEncoding(encoding: BufferEncoding): this {
    this.#defaultEncoding = encoding;
    return super.setDefaultEncoding(encoding);
  }

  override write(data: unknown, encoding?: BufferEncoding | null | Callback, callback?: Callback): boolean {
    const socket = this.#socket;
    if (socket !== null && this.writableLength === 0 && this.writable && this.writableCorked === 0 && isData(data)) {
      const bytes = bytesOf(data, typeof encoding === 'string' ? encoding : this.#defaultEncoding);
      const most = typeof bytes === 'string' ? bytes.length * 3 : bytes.length;
      if (socket.writable && socket.bytesQueued + most <= socket.highWaterMark) {
        if (this.#timer !== null) this.#timer.touch();
        socket.write(bytes);
        const then = typeof encoding === 'function' ? encoding : callback;
        if (typeof then === 'function') process.nextTick(then, null);
        return true;
      }
    }
    if (this.writableEnded && this.readableEnded && !this.allowHalfOpen) {
      return this.#writeAfterEnd(typeof encoding === 'function' ? encoding : callback);
    }
    return super.write(data, encoding as BufferEncoding, callback as Callback);
  }

  /** @internal */
  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  /** @internal */
  override _write(data: Uint8Array | string, encoding: BufferEncoding, callback: Callback): void {
    const socket = this.#socket;
    if (socket === null) this.#whenConnected([{ chunk: data, encoding }], callback);
    else this.#send(socket, bytesOf(data, encoding), callback);
  }

  /** @internal */
  override _writev(chunks: Held[], callback: Callback): void {
    const socket = this.#socket;
    if (socket === null) {
      this.#whenConnected(chunks, callback);
    } else {
      const list = chunks.map(({ chunk, encoding }) => bytesOf(chunk, encoding));
      this.#send(socket, list, callback);
    }
  }

  /** @internal */
  override _final(callback: Callback): void {
    const socket = this.#socket;
    if (socket === null) {
      this.once('connect', () => this._final(callback));
    } else if (!socket.open) {
      callback();
    } else {
      // Asked before the shutdown: with both sides ended the socket closes by itself, and nothing drains any more.
      if (socket.notifyDrain()) this.#finished = callback;
      socket.shutdown();
      if (this.#finished === null) callback();
    }
  }

  /** @internal */
  override _destroy(error: Error | null, callback: Callback): void {
    this.connecting = false;
    this.#hadError = error !== null;
    this.#timer?.stop();
    this.#timer = null;
    this.#connect?.cancel();
    this.#connect = null;
    const written = this.#written;
    this.#written = null;
    this.#finished = null;
    // First: its 'error' comes before our 'close'.
    callback(error);
    const socket = this.#socket;
    if (socket === null || socket.closed) {
      process.nextTick(emitClose, this, this.#hadError);
    } else if (this.#reset || written !== null) {
      // With a backlog bytes are lost anyway; a reset tells the peer so.
      socket.destroy();
    } else {
      if (socket.bytesQueued > 0) {
        // A peer that does not read must not keep it for ever.
        this.#linger = new Alarm(() => socket.destroy(), true);
        this.#linger.set(LINGER_MS);
      }
      socket.close();
    }
    written?.(error ?? closedError());
  }

  #settings({ noDelay, keepAlive, keepAliveInitialDelay, timeout }: StreamSettings): void {
    if (noDelay !== undefined) this.setNoDelay(noDelay);
    if (keepAlive !== undefined) this.setKeepAlive(keepAlive, keepAliveInitialDelay);
    if (timeout) this.setTimeout(timeout);
  }

  #onConnect(socket: Socket): void {
    if (this.destroyed) {
      socket.destroy();
      return;
    }
    this.#connect = null;
    this.connecting = false;
    if (this.#noDelay !== null) applyNoDelay(socket, this.#noDelay);
    if (this.#keepAlive !== null) applyKeepAlive(socket, this.#keepAlive.enable, this.#keepAlive.initialDelay);
    if (!this.#referenced) socket.unref();
    this.#attach(socket);
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
    if (ended) this.#onEnd();
    // As net.Socket: reading begins by itself, so that the peer's end is seen even when nobody reads.
    else this.read(0);
  }

  #handlers(): SocketHandlers {
    return {
      data: (_socket, chunk) => {
        try {
          this.#onData(chunk);
        } catch (error) {
          process.nextTick(rethrow, error);
        }
      },
      drain: () => guard(() => this.#onDrain()),
      end: () => guard(() => this.#onEnd()),
      error: (_socket, error) => guard(() => this.destroy(error)),
      close: (_socket, lostBytes) => guard(() => this.#onClose(lostBytes)),
    };
  }

  #onData(chunk: Chunk): void {
    if (this.#timer !== null) this.#timer.touch();
    const bytes = chunk.copy();
    const flows =
      this.#flowed &&
      this.readableFlowing === true &&
      this.readableLength === 0 &&
      this.readableEncoding === null &&
      this.listenerCount('data') > 0;
    if (flows) this.emit('data', bytes);
    else this.#push(bytes);
  }

  #push(bytes: Buffer): void {
    this.#flowed = true;
    if (this.push(bytes) || this.#paused) return;
    this.#paused = true;
    this.#socket?.pause();
  }

  #onEnd(): void {
    this.#peerEnded = true;
    this.push(null);
    // With nothing left to read, 'end' comes without anybody reading.
    this.read(0);
  }

  #onDrain(): void {
    const finished = this.#finished;
    const written = this.#written;
    this.#finished = null;
    this.#written = null;
    if (this.#timer !== null) this.#timer.touch();
    written?.();
    finished?.();
  }

  #onClose(lostBytes: number): void {
    this.#linger?.clear();
    if (this.destroyed) {
      // After 'error', which the stream has queued.
      process.nextTick(emitClose, this, this.#hadError);
    } else if (lostBytes > 0 || this.#written !== null || !this.#peerEnded) {
      // Somebody has closed the socket under the stream.
      this.destroy(lostBytes > 0 ? lost(lostBytes) : undefined);
    }
    this.#finished?.();
    this.#finished = null;
  }

  #send(socket: Socket, data: Uint8Array | string | (Uint8Array | string)[], callback: Callback): void {
    if (this.#timer !== null) this.#timer.touch();
    let queued: boolean;
    try {
      ({ queued } = socket.write(data));
    } catch (error) {
      callback(writeError(error));
      return;
    }
    if (queued) {
      this.#written = callback;
    } else {
      callback();
    }
  }

  /** The peer's end has ended our side too. */
  #writeAfterEnd(callback: Callback | undefined): boolean {
    const error = endedByPeer();
    if (typeof callback === 'function') process.nextTick(callback, error);
    this.destroy(error);
    return false;
  }

  /** Writes wait for the connection; without one they fail. */
  #whenConnected(chunks: Held[], callback: Callback): void {
    if (!this.connecting) {
      callback(closedError());
      return;
    }
    for (const { chunk, encoding } of chunks) this.#earlyBytes += sizeOf(chunk, encoding);
    const onClose = (): void => callback(closedBeforeConnection());
    this.once('connect', () => {
      this.off('close', onClose);
      this.#earlyBytes = 0;
      this._writev(chunks, callback);
    });
    this.once('close', onClose);
  }

  #name(peer: boolean): SocketAddress | null {
    try {
      if (this.#socket === null) return null;
      return peer ? this.#socket.remoteAddress : this.#socket.localAddress;
    } catch {
      return null;
    }
  }
}

function guard(handler: () => void): void {
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
