// What `req.socket` and `res.socket` are: one for each connection, made with its first request. A real Duplex, so that what
// Node's streams and apps do to a socket has its effect; but bytes of HTTP go by the exchanges, not through here.
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import type { SocketAddress } from '../../net/address.js';
import type { Socket } from '../../net/socket.js';
import { applyKeepAlive, applyNoDelay, bytesOf } from '../../net/stream-terms.js';
import { StreamTimer } from '../../net/stream-timer.js';
import { TlsSocket } from '../../tls/socket.js';
import type { ConnectionAdapter, HttpConnection } from '../connection.js';
import type { Callback } from './native.js';

/** Who is told of a connection's times. */
export interface SocketOwner {
  /** False: nobody has cared, and the socket is destroyed. */
  socketTimedOut(socket: ConnectionSocket): boolean;
  /** The peer's end is no reason to give up what is being answered. */
  readonly httpAllowHalfOpen: boolean;
  /** Milliseconds that a connection may be quiet, where nobody has said otherwise; 0: as long as it likes. */
  readonly timeout: number;
}

/** The replies whose bytes leave by this connection. */
interface Message {
  emit(event: string, ...values: unknown[]): boolean;
}

export class ConnectionSocket extends Duplex implements ConnectionAdapter {
  /** The server, where there is one: as Node has it. */
  server: unknown = null;
  /** The response whose bytes leave. */
  _httpMessage: Message | null = null;
  /** The request that came last. */
  incoming: (Message & { complete: boolean }) | null = null;
  readonly connecting = false;
  readonly pending = false;
  readonly encrypted: boolean;
  timeout?: number;
  readonly #connection: HttpConnection;
  readonly #owner: SocketOwner | null;
  #timer: StreamTimer | null = null;
  #gone = false;

  constructor(connection: HttpConnection, owner: SocketOwner | null) {
    super({ allowHalfOpen: true, autoDestroy: false, decodeStrings: false });
    this.#connection = connection;
    this.#owner = owner;
    this.encrypted = connection.socket instanceof TlsSocket;
    // Errors are told to the messages too; one that only this socket hears of must not end the process.
    this.on('error', ignore);
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

  get bytesRead(): number {
    return this.#connection.socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#connection.socket.bytesWritten;
  }

  /** Of a TLS connection: whether the client's certificate was asked for and is in order. */
  get authorized(): boolean {
    const { socket } = this.#connection;
    return socket instanceof TlsSocket && socket.authorized;
  }

  get readyState(): string {
    return this.destroyed ? 'closed' : 'open';
  }

  address(): AddressInfo | Record<string, never> {
    const own = this.#name(false);
    return own === null ? {} : { address: own.address, family: own.family, port: own.port };
  }

  /** Of a TLS connection; an empty object where there is none. */
  getPeerCertificate(): PeerCertificate | Record<string, never> {
    const { socket } = this.#connection;
    return socket instanceof TlsSocket ? ((socket.getPeerCertificate() as PeerCertificate | null) ?? {}) : {};
  }

  setNoDelay(noDelay = true): this {
    const { socket } = this.#connection;
    if (!(socket instanceof TlsSocket)) applyNoDelay(socket as Socket, noDelay);
    return this;
  }

  setKeepAlive(enable = false, initialDelayMs = 0): this {
    const { socket } = this.#connection;
    if (!(socket instanceof TlsSocket)) applyKeepAlive(socket as Socket, enable, initialDelayMs);
    return this;
  }

  /** Emits 'timeout' when for so many milliseconds nothing was asked or answered. 0: never. */
  setTimeout(timeoutMs: number, callback?: () => void): this {
    this.#timer?.stop();
    this.timeout = timeoutMs;
    this.#timer = timeoutMs > 0 && !this.#gone ? new StreamTimer(timeoutMs, () => this.#idle()) : null;
    if (callback !== undefined) {
      if (timeoutMs > 0) this.once('timeout', callback);
      else this.off('timeout', callback);
    }
    return this;
  }

  /** Something was asked or answered. */
  touch(): void {
    this.#timer?.touch();
  }

  /** Nothing is being answered any more. As node:http: a limit that was set meanwhile was for that alone. */
  rest(): void {
    const limitMs = this.#owner?.timeout ?? 0;
    if (this.timeout !== undefined && this.timeout !== limitMs) this.setTimeout(limitMs);
  }

  ref(): this {
    this.#connection.socket.ref();
    return this;
  }

  unref(): this {
    this.#connection.socket.unref();
    return this;
  }

  destroySoon(): void {
    this.destroy();
  }

  resetAndDestroy(): this {
    this.#connection.destroy(null);
    return this;
  }

  peerEnded(): void {
    if (this.#owner?.httpAllowHalfOpen === true) return;
    // As node:http: who has ended is taken for gone. An app that streams must hear of it.
    this.#connection.cut(null);
  }

  connectionGone(error: Error | null): void {
    this.#gone = true;
    this.#timer?.stop();
    this.#timer = null;
    if (!this.destroyed) this.destroy(error ?? undefined);
  }

  /** @internal */
  override _read(): void {}

  /** @internal */
  override _write(data: string | Uint8Array, encoding: BufferEncoding, callback: Callback): void {
    const bytes = bytesOf(data, encoding);
    const result = this.#connection.emit(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    if (result.queued)
      result.then(
        () => callback(),
        (error: unknown) => callback(error as Error),
      );
    else callback();
  }

  /** @internal */
  override _final(callback: Callback): void {
    const connection = this.#connection;
    // As node:http: what was not answered by now is not answered any more.
    if (connection.first === null) connection.finish();
    else connection.cut(null);
    callback();
  }

  /** @internal */
  override _destroy(error: Error | null, callback: Callback): void {
    if (!this.#gone) {
      this.#gone = true;
      this.#connection.cut(error);
    }
    callback(error);
  }

  #idle(): void {
    const { incoming, _httpMessage: outgoing } = this;
    // As node:http: who listens to the socket itself is told, but has not said that it may stay.
    this.emit('timeout');
    let heard = false;
    if (incoming !== null && !incoming.complete) heard = incoming.emit('timeout', this) || heard;
    if (outgoing !== null) heard = outgoing.emit('timeout', this) || heard;
    if (this.#owner !== null) heard = this.#owner.socketTimedOut(this) || heard;
    if (!heard) this.destroy();
  }

  #name(peer: boolean): SocketAddress | null {
    const { socket } = this.#connection;
    try {
      return peer ? socket.remoteAddress : socket.localAddress;
    } catch {
      return null;
    }
  }
}

function ignore(): void {}
