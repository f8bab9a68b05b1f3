// What the kernel is asked and told about one socket, and its timeouts.
import { border } from '../internal/border.js';
import { checkDelay } from '../internal/cancel.js';
import { checkInteger } from '../internal/errors.js';
import {
  SOCKET_OPTION_LINGER,
  SOCKET_OPTION_NO_DELAY,
  SOCKET_OPTION_RECEIVE_BUFFER,
  SOCKET_OPTION_SEND_BUFFER,
  SUBMISSION_SOCKET_REF,
} from '../internal/layout.js';
import type { SocketAddress } from './address.js';
import {
  applyOptions,
  checkBoolean,
  checkBufferSize,
  checkKeepAlive,
  getKeepAlive,
  getOption,
  type KeepAlive,
  type SocketOptions,
  setKeepAlive,
  setOption,
} from './options.js';
import { CLOSED, SocketState, WATCHED } from './socket-state.js';
import { systemError } from './system-error.js';
import { type SocketTimeoutError, SocketTimeouts, type Watched } from './timeouts.js';

export abstract class SocketControls extends SocketState implements Watched {
  /**
   * Where the peer is. Can be asked for after the close if it was before.
   * @throws SystemError when the socket is closed.
   */
  get remoteAddress(): SocketAddress {
    const rare = this.ensureRare();
    rare.remote ??= this.#name(true);
    return rare.remote;
  }

  /**
   * Where we are. Can be asked for after the close if it was before.
   * @throws SystemError when the socket is closed.
   */
  get localAddress(): SocketAddress {
    const rare = this.ensureRare();
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

  /** Keeps the process alive while the socket is open, which is the default. */
  ref(): this {
    if (this.state !== CLOSED) border.submit(SUBMISSION_SOCKET_REF, this.handle, 1, 0);
    return this;
  }

  unref(): this {
    if (this.state !== CLOSED) border.submit(SUBMISSION_SOCKET_REF, this.handle, 0, 0);
    return this;
  }

  /**
   * The descriptor's number; it stays ours: see `detach`. -1 when the socket is closed.
   * @throws SystemError where there is none to tell.
   */
  get fd(): number {
    if (this.state === CLOSED) return -1;
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
    return this.rare?.timeouts?.idleMs ?? 0;
  }

  /**
   * When no byte comes or leaves for `limitMs` (at most a quarter of it later), the `timeout` handler is called, once
   * until a byte moves; without one the socket is destroyed with a SocketTimeoutError. Begins anew with each call.
   * @param limitMs 0 (off) to 7.2e10.
   * @throws TypeError, RangeError.
   */
  setIdleTimeout(limitMs: number): this {
    checkDelay(limitMs, 'limitMs');
    if (this.state !== CLOSED && (limitMs > 0 || this.rare?.timeouts)) this.#ensureTimeouts().idleMs = limitMs;
    return this;
  }

  /** In milliseconds; 0: off. */
  get writeTimeout(): number {
    return this.rare?.timeouts?.writeMs ?? 0;
  }

  /**
   * As `setIdleTimeout`, for when bytes wait to be sent and none leaves: the peer does not read. Holds for a `close` that
   * waits for them too.
   */
  setWriteTimeout(limitMs: number): this {
    checkDelay(limitMs, 'limitMs');
    if (this.state === CLOSED || (limitMs === 0 && !this.rare?.timeouts)) return this;
    const timeouts = this.#ensureTimeouts();
    timeouts.writeMs = limitMs;
    if (limitMs > 0) this.detour |= WATCHED;
    else this.detour &= ~WATCHED;
    if (this.bytesQueued > 0) timeouts.wrote();
    return this;
  }

  /** @internal */
  timedOut(error: SocketTimeoutError): void {
    if (this.state === CLOSED || this.destroyed) return;
    const { timeout } = this.handlers;
    if (timeout !== undefined) this.call(() => timeout.call(this.handlers, this.self, error));
    else this.destroy(error);
  }

  protected apply(options: SocketOptions): void {
    try {
      applyOptions(this.handle, options);
      if (options.idleTimeout !== undefined) this.setIdleTimeout(options.idleTimeout);
      if (options.writeTimeout !== undefined) this.setWriteTimeout(options.writeTimeout);
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #ensureTimeouts(): SocketTimeouts {
    const rare = this.ensureRare();
    rare.timeouts ??= new SocketTimeouts(this);
    return rare.timeouts;
  }

  #name(peer: boolean): SocketAddress {
    const name = border.open().name(this.handle, peer);
    if (typeof name === 'number') throw systemError(name, peer ? 'getpeername' : 'getsockname');
    return name;
  }
}
