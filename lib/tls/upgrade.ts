import { withSignal } from '../internal/cancel.js';
import { checkObject, invalidType } from '../internal/errors.js';
import { Operation } from '../internal/operation.js';
import { checkBoolean } from '../net/options.js';
import { Socket } from '../net/socket.js';
import { checkSignalOption, clientSettings, serverSettings, type UpgradeOptions } from './options.js';
import { answerSni, chooserOf } from './sni.js';
import { type HandshakeOwner, type TlsSettings, TlsSocket } from './socket.js';

class Upgrade extends Operation<TlsSocket> implements HandshakeOwner {
  readonly #socket: TlsSocket;
  readonly #choose: ReturnType<typeof chooserOf> | null;

  constructor(net: Socket, settings: TlsSettings, options: UpgradeOptions) {
    super();
    this.#choose = settings.selectContext && options.sni !== undefined ? chooserOf(options.sni) : null;
    this.#socket = new TlsSocket(net, settings, this);
    this.#socket.data = net.data;
    this.#socket.start(options.head ?? null);
  }

  get kind(): string {
    return 'tls.upgrade';
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
  wantsContext(socket: TlsSocket, servername: string): void {
    if (this.#choose === null) socket.select(null);
    else answerSni(socket, servername, this.#choose);
  }

  protected onCancel(): void {
    this.#socket.abandon();
  }

  protected override giveBack(socket: TlsSocket): void {
    socket.destroy();
  }
}

/**
 * Goes over to TLS on an open socket, as after STARTTLS: both sides begin when they have agreed on it. From then on the
 * plain socket belongs to the one that this gives; its handlers are called no more. What was received and nobody has
 * read goes into the handshake; what you have read too much, give as `head`.
 *
 * @example
 * ```ts
 * async function startTls(socket: Socket) {
 *   await socket.write('STARTTLS\r\n');
 *   const answer = await socket.readUntil('\r\n', 512);
 *   if (!String(answer).startsWith('220')) throw new Error('The server knows no TLS');
 *   return upgrade(socket, { servername: 'mail.example.org' });
 * }
 * ```
 * @param options those of a client, or with `server: true` those of a server.
 * @throws as `connect` after the connection stands. MillraceError `ERR_MILLRACE_SOCKET_CLOSED`, or
 * `ERR_MILLRACE_INVALID_STATE` while a read waits on the socket, or when it was split. Cancelled: AbortError, and the
 * connection is closed.
 */
export function upgrade(socket: Socket, options: UpgradeOptions = {}): Operation<TlsSocket> {
  if (!(socket instanceof Socket)) throw invalidType('socket', 'a Socket of millrace/net', socket);
  checkObject(options, 'options');
  checkBoolean(options.server, 'options.server');
  checkSignalOption(options.signal);
  if (options.head !== undefined && !(options.head instanceof Uint8Array)) {
    throw invalidType('options.head', 'a Buffer', options.head);
  }
  const { highWaterMark, lowWaterMark } = socket;
  const marks =
    options.highWaterMark === undefined ? { highWaterMark, lowWaterMark: options.lowWaterMark ?? lowWaterMark } : {};
  const all = { ...options, ...marks };
  const settings = options.server === true ? serverSettings(all) : clientSettings(all, undefined);
  // Refuses a socket that is not to be had.
  socket.setHandlers({});
  return withSignal(new Upgrade(socket, settings, options), options.signal);
}
