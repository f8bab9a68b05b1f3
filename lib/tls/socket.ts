// A TLS connection over a socket of millrace/net, with the same two faces: handlers, and reads and writes to wait for.
//
// - States: handshaking -> open -> closing -> closed. Nobody but the owner of the handshake sees it before it is open.
//   The last word is the plain socket's `close`.
// - The engine (engine.ts) encrypts and decrypts; here is what is not its affair: queues, watermarks, handlers, ending.
// - What is written is encrypted at once, as long as the plain socket has not too much to send; the rest waits in
//   `#unsent` (unsent.ts), and `shutdown` and `close` wait for it, so that nothing overtakes.
// - The end of the peer is its close_notify. An end of the transport without one may be an attack that cuts the
//   connection (RFC 8446, 6.1): it is an error.
import { Buffer } from 'node:buffer';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import { checkInteger, checkObject, invalidType, MillraceError, outOfRange, shown } from '../internal/errors.js';
import { type Operation, SharedOperation } from '../internal/operation.js';
import type { SocketAddress } from '../net/address.js';
import { Alarm } from '../net/alarm.js';
import { Chunk } from '../net/chunk.js';
import { bytesOf, type Data, sizeOf } from '../net/data.js';
import { Delimiter } from '../net/delimiter.js';
import { SocketDuplex, type SocketDuplexOptions } from '../net/duplex.js';
import { ReadHalf, WriteHalf } from '../net/halves.js';
import type { SocketHandlers } from '../net/handlers.js';
import { checkBoolean, type KeepAlive } from '../net/options.js';
import { READ_BYTES_MAX, type ReadOwner, ReadQueue } from '../net/read-queue.js';
import { Read, ReadExact, ReadInto, ReadNext, ReadUntil } from '../net/reads.js';
import type { Socket } from '../net/socket.js';
import type { SocketTimeoutError } from '../net/timeouts.js';
import { Drained, type WriteResult, written } from '../net/written.js';
import type { SecureContext } from './context.js';
import { createEngine } from './create-engine.js';
import type { EngineHost, HandshakeInfo, TlsEngine } from './engine.js';
import { checkHandlers, type TlsHandlers } from './handlers.js';
import { HandshakeTimeoutError, TruncatedError } from './handshake-errors.js';
import { type IdentityCheck, legacyCertificate, PeerIdentity } from './peer-identity.js';
import { UnsentBytes } from './unsent.js';
import { errorWithCode } from './verify-error.js';

type DataHandler = NonNullable<TlsHandlers['data']>;

const HANDSHAKING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** Writes of one call that are smaller together leave in one record. */
const GATHER_BYTES = 16 * 1024;
/** So much ciphertext may wait in the plain socket; more is encrypted when it has drained. */
const FEED_BYTES = 1024 * 1024;
/** What is larger is not copied when it has to wait. */
const COPIED_BYTES_MAX = 1024 * 1024;
/** What is smaller than this is made bytes in `scratch`; nothing in there outlives a call. */
const SCRATCH_BYTES = 48 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Who waits for a handshake. */
export interface HandshakeOwner {
  handshakeDone(socket: TlsSocket): void;
  /** The socket closes. */
  handshakeFailed(socket: TlsSocket, error: Error): void;
  /** A server: which context for this name? The answer goes to `socket.select`. */
  wantsContext(socket: TlsSocket, servername: string): void;
}

/** What a connection is made with, checked and complete. */
export interface TlsSettings {
  readonly server: boolean;
  readonly context: SecureContext;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  readonly selectContext: boolean;
  readonly servername: string;
  readonly alpnProtocols: readonly string[];
  readonly session: Buffer | null;
  readonly handshakeTimeout: number;
  readonly identity: IdentityCheck | null;
  readonly handlers: TlsHandlers;
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly writeLimit: number;
  readonly allowHalfOpen: boolean;
}

class Closed extends SharedOperation<void> {
  get kind(): string {
    return 'tls.close';
  }
  protected onCancel(): void {}
}

/** The handlers of the plain socket. */
class NetSide implements SocketHandlers {
  readonly #tls: TlsSocket;

  constructor(tls: TlsSocket) {
    this.#tls = tls;
  }

  data(_socket: Socket, chunk: Chunk): void {
    this.#tls.netData(chunk.memory, chunk.offset, chunk.length);
  }
  drain(): void {
    this.#tls.netDrained();
  }
  end(): void {
    this.#tls.netEnded();
  }
  timeout(_socket: Socket, error: SocketTimeoutError): void {
    this.#tls.netTimedOut(error);
  }
  error(_socket: Socket, error: Error): void {
    this.#tls.netFailed(error);
  }
  close(_socket: Socket, lostBytes: number): void {
    this.#tls.netClosed(lostBytes);
  }
}

/**
 * A TLS connection. Made by `connect`, `listen` and `upgrade` of `millrace/tls`, when the handshake has ended. Handlers,
 * reads and writes are those of a `Socket` of `millrace/net`; lengths are those of what is said, not of what is sent.
 */
export class TlsSocket implements EngineHost, ReadOwner, AsyncIterable<Buffer> {
  /** True, unlike a plain socket's. */
  readonly encrypted = true;
  /** For the user: whatever belongs to this connection. */
  data: unknown = undefined;
  /** Bytes received and decrypted, as far as they were delivered. */
  bytesRead = 0;
  /** Bytes given to `write`. */
  bytesWritten = 0;
  /** The peer's certificate was asked for and is in order. A client's `checkServerIdentity` is part of that. */
  authorized = false;
  /** What is wrong with the peer's certificate, where `rejectUnauthorized` lets that pass; null for nothing. */
  authorizationError: Error | null = null;

  readonly #net: Socket;
  readonly #settings: TlsSettings;
  readonly #engine: TlsEngine;
  readonly #identity: PeerIdentity;
  #handlers: TlsHandlers;
  #onData: DataHandler | null;
  #owner: HandshakeOwner | null;
  #limit: Alarm | null = null;
  #info: HandshakeInfo | null = null;
  #session: Buffer | undefined = undefined;

  #state = HANDSHAKING;
  #allowHalfOpen: boolean;
  #shutDown = false;
  #closeNotifySent = false;
  #peerEnded = false;
  #paused = false;
  #full = false;
  #discards = false;
  #destroyed = false;
  /** The plain socket has told to wait, and has not drained yet. */
  #congested = false;
  #unsent: UnsentBytes | null = null;
  #error: Error | null = null;
  #drained: Drained | null = null;
  #flushes = false;
  #closed: Closed | null = null;
  #reads: ReadQueue | null = null;
  /** The `data` handler that takes over when it has been given what is queued. */
  #successor: DataHandler | null = null;
  #duplex: SocketDuplex | null = null;
  #split = false;

  /** @internal Use `connect`, `listen` or `upgrade`; then `start`. */
  constructor(net: Socket, settings: TlsSettings, owner: HandshakeOwner) {
    this.#net = net;
    this.#settings = settings;
    this.#owner = owner;
    this.#handlers = settings.handlers;
    this.#onData = settings.handlers.data ?? null;
    this.#allowHalfOpen = settings.allowHalfOpen;
    this.#engine = createEngine(this, settings);
    this.#identity = new PeerIdentity(this.#engine);
  }

  /** @internal Takes the plain socket over and begins the handshake. `head` was read from it already. */
  start(head: Uint8Array | null): void {
    this.#net.data = this;
    const { received, ended } = this.#net.takeOver(new NetSide(this));
    if (this.#settings.handshakeTimeout > 0) {
      this.#limit = new Alarm(() => this.#failHandshake(new HandshakeTimeoutError(this.#settings.handshakeTimeout)));
      this.#limit.set(this.#settings.handshakeTimeout);
    }
    this.#engine.start();
    if (head !== null && head.length > 0) this.netData(Buffer.from(head), 0, head.length);
    for (const bytes of received) this.netData(bytes, 0, bytes.length);
    if (ended) this.netEnded();
  }

  /** True from the end of the handshake until `close`, `destroy` or an error. */
  get open(): boolean {
    return this.#state === OPEN;
  }

  /** True when everything about this socket is over. */
  get closed(): boolean {
    return this.#state === CLOSED;
  }

  /** True while it can be written to. */
  get writable(): boolean {
    return this.#state === OPEN && !this.#shutDown;
  }

  /** True when the peer has ended its side, by its close_notify. */
  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** What it failed with; null while it has not. */
  get error(): Error | null {
    return this.#error;
  }

  /** Bytes that have not left yet: encrypted ones, and those that wait for that. */
  get bytesQueued(): number {
    return this.#net.bytesQueued + this.#engine.held + (this.#unsent?.bytes ?? 0);
  }

  /** Bytes that were received and that nobody has read. */
  get bytesUnread(): number {
    return this.#reads === null ? 0 : this.#reads.bytes;
  }

  get highWaterMark(): number {
    return this.#settings.highWaterMark;
  }

  get lowWaterMark(): number {
    return this.#settings.lowWaterMark;
  }

  get writeLimit(): number {
    return this.#settings.writeLimit;
  }

  /** @throws SystemError when the socket is closed, unless it was asked before. */
  get remoteAddress(): SocketAddress {
    return this.#net.remoteAddress;
  }

  /** @throws SystemError when the socket is closed, unless it was asked before. */
  get localAddress(): SocketAddress {
    return this.#net.localAddress;
  }

  // What the handshake has led to

  /** 'TLSv1.2', 'TLSv1.3'. */
  get protocol(): string {
    return this.#handshake.protocol;
  }

  /** The cipher suite: OpenSSL's name, the RFC's, and the oldest protocol that has it. */
  get cipher(): HandshakeInfo['cipher'] {
    return this.#handshake.cipher;
  }

  /** The application protocol that both have chosen (ALPN, RFC 7301); null without one. */
  get alpnProtocol(): string | null {
    return this.#handshake.alpnProtocol;
  }

  /** The name that the client has asked for (SNI); null without one. */
  get servername(): string | null {
    return this.#handshake.servername;
  }

  /** Whether the handshake was shortened by an earlier session. */
  get isSessionReused(): boolean {
    return this.#handshake.reused;
  }

  /**
   * A client: the latest session that the server has given, for `connect`'s `session`. With TLSv1.3 it comes after the
   * handshake: see the handler `newSession`.
   */
  get session(): Buffer | undefined {
    return this.#session;
  }

  /**
   * The peer's certificate in Node's form; null where it has shown none. Ask while the socket is open.
   * @param detailed with `issuerCertificate`, the chain as the peer has sent it.
   */
  getPeerCertificate(detailed: true): DetailedPeerCertificate | null;
  getPeerCertificate(detailed?: boolean): PeerCertificate | null;
  getPeerCertificate(detailed = false): PeerCertificate | null {
    return legacyCertificate(this.#identity.certificates, detailed);
  }

  // Writing

  /** As `Socket.write` of `millrace/net`, encrypted. */
  write(data: Data | readonly Data[]): WriteResult {
    if (this.#state !== OPEN || this.#shutDown) this.#throwClosed();
    const queued = this.bytesQueued;
    if (queued > this.#settings.writeLimit) throw this.#overLimit(queued);
    const length = Array.isArray(data) ? this.#writeList(data as readonly Data[]) : this.#writeOne(data as Data);
    this.bytesWritten += length;
    if (this.#error !== null) throw this.#error;
    if (this.#drained === null && this.bytesQueued <= this.#settings.highWaterMark) return written();
    return this.#waitForDrain();
  }

  /** @internal As `write`, of text whose code units are below 256: a byte each. */
  writeLatin1(text: string): WriteResult {
    return this.write(Buffer.from(text, 'latin1'));
  }

  /** The same as `write` of a list. */
  writev(list: readonly Data[]): WriteResult {
    if (!Array.isArray(list)) throw invalidType('list', 'an array', list);
    return this.write(list);
  }

  #writeOne(data: Data): number {
    if (typeof data === 'string' && data.length * 3 <= SCRATCH_BYTES) {
      const length = scratch.write(data, 0, SCRATCH_BYTES, 'utf8');
      this.#encrypt(scratch, 0, length, true);
      return length;
    }
    if (data instanceof Chunk && data.alive) {
      this.#encrypt(data.memory, data.offset, data.length, true);
      return data.length;
    }
    const bytes = bytesOf(data, 'data');
    this.#encrypt(bytes, 0, bytes.length, bytes.length <= COPIED_BYTES_MAX);
    return bytes.length;
  }

  #writeList(list: readonly Data[]): number {
    // All are looked at before any is sent: an error must not leave half a list behind.
    for (let i = 0; i < list.length; i++) sizeOf(list[i] as Data, `data[${i}]`);
    const parts = list.map((data) => bytesOf(data, 'data'));
    let total = 0;
    for (const part of parts) total += part.length;
    if (total <= GATHER_BYTES) {
      let at = 0;
      for (const part of parts) {
        scratch.set(part, at);
        at += part.length;
      }
      this.#encrypt(scratch, 0, total, true);
    } else {
      for (const part of parts) this.#encrypt(part, 0, part.length, total <= COPIED_BYTES_MAX);
    }
    return total;
  }

  /** @param copied whether the memory is the caller's again when this returns. */
  #encrypt(bytes: Uint8Array, offset: number, length: number, copied: boolean): void {
    let sent = 0;
    if (this.#unsent === null) {
      while (sent < length && this.#hasRoom && this.#state === OPEN) {
        const part = Math.min(length - sent, FEED_BYTES / 4);
        this.#engine.write(bytes, offset + sent, part);
        sent += part;
      }
    }
    if (sent === length || this.#state !== OPEN) return;
    this.#unsent ??= new UnsentBytes();
    this.#unsent.push(bytes.subarray(offset + sent, offset + length), copied);
    this.#awaitRoom();
  }

  get #hasRoom(): boolean {
    const waits = this.#net.bytesQueued + this.#engine.held;
    return waits <= FEED_BYTES && waits <= this.#net.writeLimit - FEED_BYTES / 2;
  }

  /** The plain socket tells when it has drained. */
  #awaitRoom(): void {
    if (this.#congested || this.#engine.held > 0) return;
    this.#congested = this.#net.notifyDrain();
  }

  #waitForDrain(): WriteResult {
    if (this.#drained === null) {
      this.#drained = new Drained();
      this.#awaitRoom();
    }
    return this.#drained;
  }

  /** Goes on with what waits: writes, those who wait for them, and the end. */
  #advance(): void {
    const unsent = this.#unsent;
    if (unsent !== null) {
      while (!unsent.empty && this.#hasRoom && this.#engineWrites) {
        const part = unsent.next(FEED_BYTES / 4);
        if (part === null) {
          this.#fail(
            new MillraceError('ERR_MILLRACE_INVALID_STATE', 'Memory was transferred while a write waited in it'),
          );
          return;
        }
        this.#engine.write(part, 0, part.length);
      }
      if (!unsent.empty) {
        if (this.#engineWrites) this.#awaitRoom();
        return;
      }
      this.#unsent = null;
      if (this.#shutDown) this.#engine.shutdown();
    }
    const low = this.#flushes ? 0 : this.#settings.lowWaterMark;
    if (this.#drained === null || this.#state !== OPEN) return;
    if (this.bytesQueued > low) {
      this.#awaitRoom();
      return;
    }
    const drained = this.#drained;
    this.#drained = null;
    this.#flushes = false;
    drained.fulfill(undefined);
    const { drain } = this.#handlers;
    if (drain !== undefined) this.#call(() => drain.call(this.#handlers, this));
  }

  get #engineWrites(): boolean {
    return this.#error === null && !this.#destroyed && this.#state !== CLOSED;
  }

  /** Ends our side (close_notify, then FIN) when all that was written has left; the peer may still send. */
  shutdown(): void {
    if (this.#state !== OPEN || this.#shutDown) return;
    this.#endWrites();
    if (this.#peerEnded || this.#discards) this.close();
  }

  #endWrites(): void {
    if (this.#shutDown) return;
    this.#shutDown = true;
    if (this.#unsent === null) this.#engine.shutdown();
  }

  // Reading

  /** As `Socket.read` of `millrace/net`. */
  read(limit?: number): Operation<Buffer | null> {
    if (limit !== undefined) checkInteger(limit, 'limit', 1, READ_BYTES_MAX);
    return new Read(this.#readQueue(), limit ?? READ_BYTES_MAX);
  }

  /** As `Socket.readExact` of `millrace/net`. */
  readExact(count: number): Operation<Buffer> {
    checkInteger(count, 'count', 0, READ_BYTES_MAX);
    return new ReadExact(this.#readQueue(), count);
  }

  /** As `Socket.readInto` of `millrace/net`. */
  readInto(target: Uint8Array): Operation<number> {
    if (!(target instanceof Uint8Array)) throw invalidType('target', 'a Uint8Array', target);
    if (target.length === 0) throw outOfRange('target', 'of at least one byte', target);
    return new ReadInto(this.#readQueue(), target);
  }

  /** As `Socket.readUntil` of `millrace/net`. */
  readUntil(delimiter: string | Uint8Array, limit: number): Operation<Buffer | null> {
    if (typeof delimiter !== 'string' && !(delimiter instanceof Uint8Array)) {
      throw invalidType('delimiter', 'a string or a Uint8Array', delimiter);
    }
    if (delimiter.length === 0) throw invalidType('delimiter', 'not empty', delimiter);
    checkInteger(limit, 'limit', 1, READ_BYTES_MAX);
    return new ReadUntil(this.#readQueue(), Delimiter.of(delimiter), limit);
  }

  /** `for await (const chunk of socket)`: leaving the loop early closes the socket. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: () => {
        if (this.#onData !== null || this.#successor !== null) return Promise.reject(noReads());
        return new ReadNext(this.#readQueue()).promise();
      },
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** Stops reading, after what has been received already. */
  pause(): void {
    this.#hold(true, this.#full);
  }

  /** Goes on reading; a socket that nobody reads still pauses by itself. */
  resume(): void {
    this.#hold(false, this.#full);
    if (this.#successor !== null) queueMicrotask(() => this.#handOver());
  }

  #hold(paused: boolean, full: boolean): void {
    const before = this.#paused || this.#full;
    this.#paused = paused;
    this.#full = full;
    if (this.#reads !== null) this.#reads.full = full;
    if (before === (paused || full)) return;
    if (before) this.#net.resume();
    else this.#net.pause();
  }

  #readQueue(): ReadQueue {
    if (this.#onData !== null || this.#successor !== null) throw noReads();
    return this.#queue();
  }

  #queue(): ReadQueue {
    if (this.#reads === null) {
      const reads = new ReadQueue(this);
      this.#reads = reads;
      if (this.#error !== null) reads.fail(this.#error);
      else if (this.#destroyed || this.#discards) reads.fail(closedError());
      else if (this.#peerEnded || this.#state === CLOSED) reads.end();
    }
    return this.#reads;
  }

  /** @internal */
  readsTaken(): void {
    if (!this.#full) return;
    const reads = this.#reads as ReadQueue;
    if (reads.waited || reads.bytes <= this.#settings.highWaterMark / 2) this.#hold(this.#paused, false);
  }

  /** @internal The stream face ends our side when the reader has come to the end. */
  endRead(): void {
    if (this.#state === OPEN && this.#peerEnded && !this.#allowHalfOpen) this.close();
  }

  /** @internal Nothing is read any more: what comes is dropped. */
  endReads(): void {
    if (this.#state === CLOSED || this.#discards) return;
    this.#discards = true;
    this.#reads?.discard(closedError());
    this.#reads?.fail(closedError());
    this.#hold(false, false);
    if (this.#shutDown) this.close();
  }

  /**
   * Two halves, for two tasks, as `Socket.split` of `millrace/net`.
   * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` for a socket with a `data` handler, or the second time;
   * `ERR_MILLRACE_SOCKET_CLOSED`.
   */
  split(): { reader: ReadHalf; writer: WriteHalf } {
    if (this.#state !== OPEN) this.#throwClosed();
    if (this.#onData !== null || this.#successor !== null) throw noReads();
    if (this.#split) throw new MillraceError('ERR_MILLRACE_INVALID_STATE', 'This socket was split already');
    this.#split = true;
    this.#allowHalfOpen = true;
    return { reader: new ReadHalf(this), writer: new WriteHalf(this) };
  }

  // Other faces

  /**
   * Has an open socket driven by `handlers` from now on. What was received and nobody has read goes to `data` first, in a
   * later microtask. `open` is not called.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED`, `ERR_MILLRACE_INVALID_STATE` while a read waits, or when it was
   * split or made a stream; TypeError.
   */
  setHandlers(handlers: TlsHandlers, options: { allowHalfOpen?: boolean } = {}): void {
    checkHandlers(handlers, 'handlers');
    checkObject(options, 'options');
    checkBoolean(options.allowHalfOpen, 'options.allowHalfOpen');
    this.#checkUntaken();
    if (options.allowHalfOpen !== undefined) this.#allowHalfOpen = options.allowHalfOpen;
    this.#handlers = handlers;
    const data = handlers.data ?? null;
    this.#successor = this.#reads === null ? null : data;
    if (this.#successor === null) this.#onData = data;
    else queueMicrotask(() => this.#handOver());
  }

  /** What was queued goes to the handlers, then what comes. A handler that pauses has the rest after `resume`. */
  #handOver(): void {
    while (this.#successor !== null && !this.#paused && this.#state === OPEN) {
      const reads = this.#queue();
      if (reads.bytes > 0) {
        const bytes = reads.take(READ_BYTES_MAX);
        this.#deliver(this.#successor, bytes, 0, bytes.length);
        continue;
      }
      this.#onData = this.#successor;
      this.#successor = null;
      this.#reads = null;
      this.#hold(false, false);
      if (this.#peerEnded) this.#tellEnd();
    }
  }

  /**
   * The socket as a `stream.Duplex` with the members of a `tls.TLSSocket` that libraries look at. From then on it belongs
   * to the stream. Calling it again gives the same one.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED`, or the socket's own error, when it is not open any more;
   * `ERR_MILLRACE_INVALID_STATE` while a read waits, and after `split`; TypeError naming the option.
   */
  toDuplex(options: SocketDuplexOptions = {}): SocketDuplex {
    checkObject(options, 'options');
    checkBoolean(options.allowHalfOpen, 'options.allowHalfOpen');
    if (this.#duplex === null) {
      this.#checkUntaken();
      // It uses what both sockets have.
      const own = this as unknown as Socket;
      const duplex = SocketDuplex.over(own, { allowHalfOpen: this.#allowHalfOpen, ...options });
      this.#duplex = Object.assign(duplex, {
        encrypted: true,
        authorized: this.authorized,
        authorizationError: this.authorizationError,
        alpnProtocol: this.alpnProtocol ?? false,
        servername: this.servername ?? false,
        getProtocol: () => this.protocol,
        getCipher: () => this.cipher,
        getPeerCertificate: (detailed?: boolean) => this.getPeerCertificate(detailed) ?? {},
        getSession: () => this.session,
        isSessionReused: () => this.isSessionReused,
      });
    }
    return this.#duplex;
  }

  #checkUntaken(): void {
    if (this.#state !== OPEN) this.#throwClosed();
    if (this.#reads?.waited || this.#split || this.#duplex !== null) {
      throw new MillraceError(
        'ERR_MILLRACE_INVALID_STATE',
        'A read waits on this socket, or it was split or made a stream',
      );
    }
  }

  /** @internal As the plain socket's: another face takes it over. */
  takeOver(handlers: SocketHandlers): { received: Buffer[]; ended: boolean } {
    const received = this.#reads?.takeAll() ?? [];
    this.#handlers = handlers as unknown as TlsHandlers;
    this.#onData = this.#handlers.data ?? null;
    this.#successor = null;
    this.#allowHalfOpen = true;
    this.#hold(false, false);
    return { received, ended: this.#peerEnded };
  }

  /** @internal As the plain socket's: `drain` is called when all has left. False when that is so already. */
  notifyDrain(): boolean {
    if (this.#state !== OPEN || this.bytesQueued === 0) return false;
    this.#flushes = true;
    this.#drained ??= new Drained();
    this.#awaitRoom();
    return true;
  }

  // Ending

  /**
   * Sends close_notify and closes when all that was written has left. Done when the socket is closed. Closing twice is the
   * same as once.
   */
  close(): Operation<void> {
    this.#closed ??= new Closed();
    if (this.#state === CLOSED) {
      this.#closed.fulfill(undefined);
    } else if (this.#state === OPEN) {
      this.#state = CLOSING;
      this.#endWrites();
      if (this.#closeNotifySent) this.#net.close();
    } else if (this.#state === HANDSHAKING) {
      this.destroy();
    }
    return this.#closed;
  }

  /** Closes at once: what waits to be sent is lost, and the peer sees a reset. With `error`, `error` is told it. */
  destroy(error?: Error): void {
    if (this.#state === CLOSED) return;
    if (this.#state === HANDSHAKING) this.#failHandshake(error ?? closedError());
    else if (error !== undefined) this.#fail(error);
    this.#state = CLOSING;
    this.#destroyed = true;
    this.#reads?.fail(closedError());
    this.#net.destroy();
  }

  /** @internal Nobody wants it any more, and nobody is told. */
  abandon(): void {
    this.#owner = null;
    this.destroy();
  }

  /** The same as `destroy()`. */
  reset(): void {
    this.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // The plain socket's options

  /** Keeps the process alive while the socket is open, which is the default. */
  ref(): this {
    this.#net.ref();
    return this;
  }

  unref(): this {
    this.#net.unref();
    return this;
  }

  /** As `Socket.setNoDelay` of `millrace/net`. */
  setNoDelay(on = true): this {
    this.#net.setNoDelay(on);
    return this;
  }

  /** As `Socket.setKeepAlive` of `millrace/net`. */
  setKeepAlive(keepAlive: boolean | KeepAlive = true): this {
    this.#net.setKeepAlive(keepAlive);
    return this;
  }

  /** As `Socket.setIdleTimeout` of `millrace/net`. */
  setIdleTimeout(limitMs: number): this {
    this.#net.setIdleTimeout(limitMs);
    return this;
  }

  /** As `Socket.setWriteTimeout` of `millrace/net`. */
  setWriteTimeout(limitMs: number): this {
    this.#net.setWriteTimeout(limitMs);
    return this;
  }

  get idleTimeout(): number {
    return this.#net.idleTimeout;
  }

  get writeTimeout(): number {
    return this.#net.writeTimeout;
  }

  // What the plain socket tells

  /** @internal */
  netData(memory: Buffer, offset: number, length: number): void {
    if (this.#state === CLOSED || this.#destroyed || this.#error !== null) return;
    this.#engine.receive(memory, offset, length);
  }

  /** @internal */
  netDrained(): void {
    this.#congested = false;
    this.#advance();
  }

  /** @internal */
  netEnded(): void {
    if (this.#state !== CLOSED && !this.#destroyed && !this.#peerEnded) this.#engine.end();
  }

  /** @internal */
  netTimedOut(error: SocketTimeoutError): void {
    const { timeout } = this.#handlers;
    if (this.#state === HANDSHAKING) this.#failHandshake(error);
    else if (timeout !== undefined) this.#call(() => timeout.call(this.#handlers, this, error));
    else this.destroy(error);
  }

  /** @internal */
  netFailed(error: Error): void {
    if (this.#state === HANDSHAKING) this.#failHandshake(error);
    else this.#fail(error);
  }

  /** @internal */
  netClosed(lostBytes: number): void {
    const lost = lostBytes + (this.#unsent?.bytes ?? 0);
    if (this.#state === HANDSHAKING) this.#failHandshake(endedInHandshake());
    const told = this.#info !== null;
    this.#state = CLOSED;
    this.#limit?.clear();
    this.#engine.destroy();
    this.#unsent = null;
    this.#reads?.end();
    if (this.#drained !== null) {
      if (lost === 0) this.#drained.fulfill(undefined);
      else this.#drained.reject(this.#error ?? closedError());
      this.#drained = null;
    }
    this.#closed?.fulfill(undefined);
    const { close } = this.#handlers;
    if (close !== undefined && told) this.#call(() => close.call(this.#handlers, this, lost));
  }

  // What the engine tells

  /** @internal */
  onCipher(bytes: Uint8Array): void {
    if (!this.#net.writable) return;
    try {
      if (this.#net.write(bytes).queued) this.#congested = true;
    } catch (error) {
      // What was encrypted and not sent cannot be made up for.
      this.destroy(error as Error);
    }
  }

  /** @internal */
  onPlaintext(memory: Buffer, offset: number, length: number): void {
    if (this.#state === HANDSHAKING || this.#state === CLOSED || this.#destroyed || this.#error !== null) return;
    this.bytesRead += length;
    if (this.#discards) return;
    if (this.#onData !== null) {
      if (this.#state === OPEN) this.#deliver(this.#onData, memory, offset, length);
      return;
    }
    const reads = this.#queue();
    reads.push(memory, offset, length);
    if (reads.bytes > this.#settings.highWaterMark && !this.#full && !reads.waited) this.#hold(this.#paused, true);
  }

  /** @internal */
  onSecured(): void {
    if (this.#state !== HANDSHAKING) return;
    const { server, requestCert, rejectUnauthorized, identity } = this.#settings;
    const info = this.#engine.info();
    let error: Error | null = null;
    if (!server || requestCert) {
      error = this.#engine.verifyError() ?? (identity === null ? null : this.#identity.check(identity));
      this.authorized = error === null;
      this.authorizationError = error;
    }
    if (error !== null && rejectUnauthorized) {
      this.#failHandshake(error);
      return;
    }
    this.#limit?.clear();
    this.#limit = null;
    this.#info = info;
    this.#state = OPEN;
    const owner = this.#owner;
    this.#owner = null;
    owner?.handshakeDone(this);
  }

  /** @internal The handler `open` of a socket that its owner lets live. */
  opened(): void {
    const { open } = this.#handlers;
    if (open !== undefined && this.#state === OPEN) this.#call(() => open.call(this.#handlers, this));
  }

  /** @internal */
  onEnded(): void {
    if (this.#peerEnded || this.#error !== null) return;
    if (this.#state === HANDSHAKING) {
      this.#failHandshake(endedInHandshake());
      return;
    }
    this.#peerEnded = true;
    this.#reads?.end();
    // What is queued goes before the end.
    if (this.#state === OPEN && this.#successor === null) this.#tellEnd();
  }

  /** @internal */
  onTruncated(): void {
    if (this.#state === HANDSHAKING) this.#failHandshake(endedInHandshake());
    else if (this.#state === OPEN && !this.#peerEnded) this.#fail(new TruncatedError());
    else if (this.#state === CLOSING) this.#net.close();
  }

  /** @internal */
  onFailed(error: Error): void {
    if (this.#state === HANDSHAKING) this.#failHandshake(error);
    else this.#fail(error);
  }

  /** @internal */
  onCloseNotifySent(): void {
    // Close_notify, then FIN.
    this.#closeNotifySent = true;
    if (this.#state === OPEN) this.#net.shutdown();
    else this.#net.close();
  }

  /** @internal */
  onSession(session: Buffer): void {
    this.#session = session;
    const handler = this.#handlers.newSession;
    if (handler !== undefined && this.#state === OPEN) this.#call(() => handler.call(this.#handlers, this, session));
  }

  /** @internal */
  onWantsContext(servername: string): void {
    // Until the answer has come, nothing is to be done with more bytes.
    this.#net.pause();
    this.#owner?.wantsContext(this, servername);
  }

  /** @internal The answer; null: the context that there is. */
  select(context: SecureContext | null): void {
    if (this.#state !== HANDSHAKING) return;
    this.#net.resume();
    this.#engine.select(context);
  }

  /** @internal Whoever had to answer could not. */
  refuse(error: Error): void {
    if (this.#state === HANDSHAKING) this.#failHandshake(error);
  }

  /** @internal */
  onFlushed(): void {
    this.#advance();
  }

  #deliver(onData: DataHandler, memory: Buffer, offset: number, length: number): void {
    const chunk = new Chunk(memory, offset, length);
    try {
      onData.call(this.#handlers, this, chunk);
    } catch (error) {
      this.#handlerThrew(error);
    }
    chunk.alive = false;
  }

  #tellEnd(): void {
    const { end } = this.#handlers;
    if (end !== undefined) this.#call(() => end.call(this.#handlers, this));
    if (this.#state !== OPEN) return;
    // Who reads as a stream may still want to answer what was read last: `endRead`.
    if (this.#shutDown || (this.#onData !== null && !this.#allowHalfOpen)) this.close();
  }

  #failHandshake(error: Error): void {
    const owner = this.#owner;
    this.#owner = null;
    this.#limit?.clear();
    this.#error = error;
    this.#state = CLOSING;
    // An alert may be on its way, which a reset would overtake.
    this.#net.close();
    owner?.handshakeFailed(this, error);
  }

  #fail(error: Error): void {
    if (this.#state === CLOSED || this.#error !== null) return;
    this.#error = error;
    this.#state = CLOSING;
    this.#unsent = null;
    this.#reads?.fail(error);
    this.#drained?.reject(error);
    this.#drained = null;
    this.#net.close();
    const handler = this.#handlers.error;
    if (handler !== undefined) this.#call(() => handler.call(this.#handlers, this, error));
  }

  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  /** A handler's bug ends its own connection and is told; the other connections never notice. */
  #handlerThrew(thrown: unknown): void {
    const error =
      thrown instanceof Error ? thrown : new Error(`A TLS handler threw ${shown(thrown)}`, { cause: thrown });
    const told = this.#state !== CLOSED && this.#error === null && this.#handlers.error !== undefined;
    if (told) {
      this.destroy(error);
    } else {
      this.destroy();
      process.nextTick(rethrow, error);
    }
  }

  get #handshake(): HandshakeInfo {
    if (this.#info === null) {
      throw new MillraceError('ERR_MILLRACE_INVALID_STATE', 'The TLS handshake of this socket has not ended');
    }
    return this.#info;
  }

  #throwClosed(): never {
    throw this.#error ?? closedError();
  }

  #overLimit(queued: number): MillraceError {
    return new MillraceError(
      'ERR_MILLRACE_SOCKET_LIMIT',
      `${queued} bytes wait to be sent, more than writeLimit (${this.writeLimit}); await write(), or wait for drain`,
    );
  }
}

function closedError(): MillraceError {
  return new MillraceError('ERR_MILLRACE_SOCKET_CLOSED', 'This socket is closed');
}

/** With Node's code for it. */
function endedInHandshake(): Error {
  return errorWithCode('ECONNRESET', 'The connection was ended before the TLS handshake had ended');
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
