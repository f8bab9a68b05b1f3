import { border } from '../internal/border.js';
import { checkSignal, type SignalOption, withSignal } from '../internal/cancel.js';
import { checkInteger } from '../internal/errors.js';
import { COMPLETION_CONNECT, RESET, SUBMISSION_CLOSE } from '../internal/layout.js';
import { Operation, PENDING, REJECTED } from '../internal/operation.js';
import { snapshot } from '../internal/task-context.js';
import { openArenas } from './arenas.js';
import { type Endpoint, endpoints } from './endpoints.js';
import { Lookup } from './lookup.js';
import { checkHost, checkSocketOptions } from './options.js';
import { Socket, type SocketHandlers, type SocketOptions } from './socket.js';
import { systemError } from './system-error.js';

export interface ConnectOptions extends SocketHandlers, SocketOptions, SignalOption {
  /** 1 to 65535. */
  port: number;
  /** A name or an IP address. Default: localhost. */
  host?: string;
}

/** Tries the addresses of a host one after the other. */
class Connect extends Operation<Socket> implements Endpoint {
  handle = -1;
  readonly #options: ConnectOptions;
  readonly #port: number;
  readonly #context = snapshot();
  readonly #lookup: Lookup;
  #addresses: string[] = [];
  #error: Error | null = null;

  constructor(options: ConnectOptions) {
    super();
    this.#options = options;
    this.#port = options.port;
    this.#lookup = new Lookup(options.host ?? 'localhost');
    if (this.#lookup.state === PENDING) this.#lookup.addWaiter({ wake: () => this.#lookedUp() });
    else this.#lookedUp();
  }

  get kind(): string {
    return 'net.connect';
  }

  /** @internal */
  complete(kind: number, a: number): void {
    if (kind !== COMPLETION_CONNECT) return;
    const { handle } = this;
    endpoints.remove(this);
    this.handle = -1;
    if ((a | 0) !== 0) {
      border.submit(SUBMISSION_CLOSE | RESET, handle, 0, 0);
      this.#failed(a | 0);
      return;
    }
    const socket = new Socket(handle, this.#options, this.#context);
    socket.opened();
    this.fulfill(socket);
  }

  protected onCancel(reason: unknown): void {
    this.#lookup.cancel(reason);
    if (this.handle === -1) return;
    endpoints.remove(this);
    border.submit(SUBMISSION_CLOSE | RESET, this.handle, 0, 0);
  }

  /** Nobody took the connection. */
  protected override giveBack(socket: Socket): void {
    socket.destroy();
  }

  #lookedUp(): void {
    if (this.state !== PENDING) return;
    if (this.#lookup.state === REJECTED) {
      this.reject(this.#lookup.value);
      return;
    }
    this.#addresses = [...this.#lookup.value];
    this.#next();
  }

  #next(): void {
    for (;;) {
      const address = this.#addresses.shift();
      if (address === undefined) {
        this.reject(this.#error);
        return;
      }
      openArenas();
      const handle = border.open().connect(address, this.#port, 0, '', 0);
      if (handle >= 0) {
        border.keepAlive();
        this.handle = handle;
        this.#address = address;
        endpoints.add(this);
        return;
      }
      this.#error = systemError(handle, 'connect', address, this.#port);
    }
  }

  #address = '';

  #failed(errno: number): void {
    this.#error = systemError(errno, 'connect', this.#address, this.#port);
    this.#next();
  }
}

/**
 * Connects to a TCP server. With a `data` handler the socket is driven by handlers, else by `read`.
 *
 * @example
 * ```ts
 * const listener = await listen({
 *   host: '127.0.0.1',
 *   open(peer) {
 *     peer.write('welcome');
 *     peer.close();
 *   },
 * });
 * const socket = await connect({ host: '127.0.0.1', port: listener.port });
 * console.log(String(await socket.read())); // welcome
 * await socket.close();
 * await listener.close();
 * ```
 * @throws SystemError with Node's code (`ECONNREFUSED`, ...); the resolver's error; TypeError, RangeError naming the
 * option. Cancelled: AbortError, and the attempt is given up.
 */
export function connect(options: ConnectOptions): Operation<Socket> {
  checkSocketOptions(options);
  checkInteger(options.port, 'options.port', 1, 65535);
  checkHost(options.host, 'options.host');
  if (options.signal !== undefined) checkSignal(options.signal, 'options.signal');
  return withSignal(new Connect(options), options.signal);
}
