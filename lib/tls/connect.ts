import { withSignal } from '../internal/cancel.js';
import { checkObject } from '../internal/errors.js';
import { Operation, PENDING, REJECTED } from '../internal/operation.js';
import { connect as connectNet } from '../net/connect.js';
import { checkConnectOptions } from '../net/connect-options.js';
import type { Socket } from '../net/socket.js';
import { type ConnectOptions, clientSettings, netOptionsOf } from './options.js';
import { type HandshakeOwner, type TlsSettings, TlsSocket } from './socket.js';

/** The connection, then the handshake. */
class Connect extends Operation<TlsSocket> implements HandshakeOwner {
  readonly #settings: TlsSettings;
  readonly #connecting: Operation<Socket>;
  #socket: TlsSocket | null = null;

  constructor(options: ConnectOptions, settings: TlsSettings) {
    super();
    this.#settings = settings;
    this.#connecting = connectNet({
      ...netOptionsOf(options),
      signal: undefined as never,
      open: (net) => this.#connected(net),
    });
    if (this.#connecting.state === PENDING) this.#connecting.addWaiter({ wake: () => this.#tried() });
    else this.#tried();
  }

  get kind(): string {
    return 'tls.connect';
  }

  /** @internal */
  handshakeDone(socket: TlsSocket): void {
    socket.opened();
    this.fulfill(socket);
  }

  /** @internal */
  handshakeFailed(_socket: TlsSocket, error: Error): void {
    this.reject(error);
  }

  /** @internal */
  wantsContext(): void {}

  protected onCancel(reason: unknown): void {
    this.#connecting.cancel(reason);
    this.#socket?.abandon();
  }

  /** Nobody took the connection. */
  protected override giveBack(socket: TlsSocket): void {
    socket.destroy();
  }

  #tried(): void {
    // Then there is a socket, or will be none.
    this.#connecting.taken = true;
    if (this.#connecting.state === REJECTED) this.reject(this.#connecting.value);
  }

  #connected(net: Socket): void {
    if (this.state !== PENDING) {
      net.destroy();
      return;
    }
    try {
      this.#socket = new TlsSocket(net, this.#settings, this);
    } catch (error) {
      net.destroy();
      this.reject(error);
      return;
    }
    this.#socket.start(null);
  }
}

/**
 * Connects to a TLS server: done when the handshake has ended and the server's certificate was found in order. With a
 * `data` handler the socket is driven by handlers, else by `read`.
 *
 * @example
 * ```ts
 * import { connect } from 'millrace/tls';
 * async function fetchHead(host: string) {
 *   await using socket = await connect({ host, port: 443, alpnProtocols: ['http/1.1'], connectTimeout: 5000 });
 *   await socket.write(`HEAD / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
 *   return String(await socket.readUntil('\r\n\r\n', 65_536));
 * }
 * ```
 * @throws as `connect` of `millrace/net`. What is wrong with the server's certificate, with Node's codes
 * (`DEPTH_ZERO_SELF_SIGNED_CERT`, `ERR_TLS_CERT_ALTNAME_INVALID`, ...); what OpenSSL says (`ERR_SSL_...`);
 * `ECONNRESET` when the server ends the connection; HandshakeTimeoutError (`ERR_MILLRACE_TIMEOUT`); what
 * `createSecureContext` throws; TypeError, RangeError. Cancelled: AbortError, and everything that was begun is given up.
 */
export function connect(options: ConnectOptions): Operation<TlsSocket> {
  checkObject(options, 'options');
  checkConnectOptions(netOptionsOf(options));
  const settings = clientSettings(options, options.path === undefined ? (options.host ?? 'localhost') : undefined);
  return withSignal(new Connect(options, settings), options.signal);
}
