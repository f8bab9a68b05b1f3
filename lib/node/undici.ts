import { isIP, type Socket as NodeSocket } from 'node:net';
import { constants } from 'node:os';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { now } from '../internal/clock.js';
import { checkInteger } from '../internal/errors.js';
import { arm, disarm } from '../internal/timers.js';
import { checkBoolean } from '../net/options.js';
import { systemError } from '../net/system-error.js';
import { type ConnectorOptions, checkConnectorOptions, openStream, openTls } from './stream.js';

/** What undici gives its `connect` function. */
export interface UndiciTarget {
  hostname: string;
  host?: string | undefined;
  protocol: string;
  port: string;
  servername?: string | undefined;
  localAddress?: string | null | undefined;
  httpSocket?: NodeSocket | undefined;
}

/** For https, all of `tls.connect` besides (`ca`, `rejectUnauthorized`, ...). */
export interface UndiciConnectOptions extends ConnectorOptions, Omit<ConnectionOptions, 'timeout'> {
  /** Milliseconds until the connection must stand, with https the handshake included; 0 is for ever. Default: 10,000. */
  timeout?: number;
  /** Offer HTTP/2 to https servers. Default: false. */
  allowH2?: boolean;
  /** A Unix socket in the place of the host and port of the URL. */
  socketPath?: string;
}

export type UndiciConnect = (
  target: UndiciTarget,
  callback: (...args: [error: Error, socket: null] | [error: null, socket: NodeSocket | TLSSocket]) => void,
) => void;

const TIMEOUT_MS = 10_000;
const SESSIONS_MAX = 100;

/**
 * For the `connect` option of undici's `Client`, `Pool` and `Agent`: http and https over Millrace's sockets, TLS by
 * `node:tls`.
 *
 * @example
 * ```ts
 * import { Agent, request } from 'undici';
 * const listener = await listen({
 *   host: '127.0.0.1',
 *   data: (socket) => void socket.write('HTTP/1.1 204 No Content\r\n\r\n'),
 * });
 * const dispatcher = new Agent({ connect: undiciConnect() });
 * const { statusCode } = await request(`http://127.0.0.1:${listener.port}/`, { dispatcher });
 * console.log(statusCode); // 204
 * await dispatcher.close();
 * await listener.close();
 * ```
 * @throws TypeError, RangeError naming the option. A connection that fails is told to undici, by Node's codes; one that
 * takes longer than `timeout` with `ETIMEDOUT`.
 */
export function undiciConnect(options: UndiciConnectOptions = {}): UndiciConnect {
  checkConnectorOptions(options);
  if (options.timeout !== undefined) checkInteger(options.timeout, 'options.timeout', 0, 2 ** 31 - 1);
  checkBoolean(options.allowH2, 'options.allowH2');
  const { highWaterMark, timeout = TIMEOUT_MS, allowH2 = false, socketPath, ...tls } = options;
  const own: ConnectorOptions = highWaterMark === undefined ? {} : { highWaterMark };
  const sessions = new Sessions();
  return (target, callback) => {
    const secure = target.protocol === 'https:';
    const port = target.port === '' ? (secure ? 443 : 80) : Number(target.port);
    const to = { host: target.hostname, port, path: socketPath, localAddress: target.localAddress };
    let socket: NodeSocket;
    if (secure) {
      // An address is no server name (RFC 6066, 3).
      const servername = target.servername || tls.servername || (isIP(target.hostname) === 0 ? target.hostname : '');
      const name = `${servername || target.hostname}:${port}`;
      const session = tls.session ?? sessions.get(name);
      const options = {
        ...tls,
        servername,
        ...(session === undefined ? {} : { session }),
        ALPNProtocols: allowH2 ? ['http/1.1', 'h2'] : ['http/1.1'],
      };
      const over = target.httpSocket;
      const tlsSocket = over === undefined ? openTls(to, own, options) : tlsOver(over, options);
      tlsSocket.on('session', (ticket: Buffer) => sessions.set(name, ticket));
      socket = tlsSocket;
    } else {
      socket = openStream(to, own) as unknown as NodeSocket;
    }
    const deadline =
      timeout === 0
        ? null
        : new Deadline(timeout, () => {
            socket.destroy(systemError(-constants.errno.ETIMEDOUT, 'connect', target.hostname, port));
          });
    let told = false;
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      deadline?.stop();
      if (told) return;
      told = true;
      callback(null, socket);
    });
    socket.on('error', (error) => {
      deadline?.stop();
      if (told) return;
      told = true;
      callback(error, null);
    });
  };
}

/** Through a proxy: undici gives a socket that stands. */
function tlsOver(socket: NodeSocket, options: ConnectionOptions): TLSSocket {
  return process.getBuiltinModule('node:tls').connect({ ...options, socket });
}

/** The last TLS session of each of the last servers. */
class Sessions {
  readonly #tickets = new Map<string, Buffer>();

  get(servername: string): Buffer | undefined {
    return this.#tickets.get(servername);
  }

  set(servername: string, ticket: Buffer): void {
    this.#tickets.delete(servername);
    this.#tickets.set(servername, ticket);
    if (this.#tickets.size <= SESSIONS_MAX) return;
    const [oldest] = this.#tickets.keys();
    if (oldest !== undefined) this.#tickets.delete(oldest);
  }
}

class Deadline {
  #slot: number;
  readonly #passed: () => void;

  constructor(delayMs: number, passed: () => void) {
    this.#passed = passed;
    this.#slot = arm(now() + delayMs, this, true);
  }

  stop(): void {
    if (this.#slot !== -1) disarm(this.#slot);
    this.#slot = -1;
  }

  /** @internal A timer may only queue. */
  timerFired(): void {
    this.#slot = -1;
    process.nextTick(this.#passed);
  }
}
