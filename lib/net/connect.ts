// Connecting, with Happy Eyeballs (RFC 8305): the addresses of a host are tried one beside the other, each with a head
// start over the next; the first connection that stands wins, and the others are closed.
//
// - What lives on behalf of a connect is in `#attempts`, `#lookup` and two alarms. Whoever settles it ends all of these
//   first, so nothing of it is left when its waiter runs.
// - An attempt that has failed or lost is no endpoint any more: what the addon still says of it is not heard.
import { isIP } from 'node:net';
import { constants } from 'node:os';
import { border } from '../internal/border.js';
import { withSignal } from '../internal/cancel.js';
import { AllFailedError, TimeoutError } from '../internal/errors.js';
import { LISTEN_UNIX } from '../internal/layout.js';
import { Operation, PENDING, REJECTED } from '../internal/operation.js';
import { handlerContext } from '../internal/task-context.js';
import { Alarm } from './alarm.js';
import { openArenas } from './arenas.js';
import { Attempt, type Attempting } from './attempt.js';
import { type ConnectOptions, checkConnectOptions } from './connect-options.js';
import type { Family, LookupAddress } from './dns-cache.js';
import { ATTEMPT_DELAY_MS, interleaved } from './happy-eyeballs.js';
import { knownAddresses, Lookup } from './lookup.js';
import { Socket } from './socket.js';
import { shownPath, systemError } from './system-error.js';

/** How long a connect waits for room in the backlog of a Unix socket before it looks again. */
const FULL_RETRY_MS = 10;

class Connect extends Operation<Socket> implements Attempting {
  readonly #options: ConnectOptions;
  readonly #context = handlerContext();
  readonly #isPath: boolean;
  readonly #next = new Alarm(() => this.#tryNext());
  readonly #limit: Alarm | null = null;
  #lookup: Lookup | null = null;
  /** Those that nobody has tried yet. */
  #addresses: string[] = [];
  #attempts: Attempt[] = [];
  readonly #errors: Error[] = [];

  constructor(options: ConnectOptions) {
    super();
    this.#options = options;
    this.#isPath = options.path !== undefined;
    if (options.connectTimeout !== undefined) {
      this.#limit = new Alarm(() => this.#outOfTime());
      this.#limit.set(options.connectTimeout);
    }
    if (options.path !== undefined) {
      this.#addresses.push(options.path);
      this.#tryNext();
    } else {
      this.#find(options.host ?? 'localhost');
    }
  }

  get kind(): string {
    return 'net.connect';
  }

  /** @internal */
  attempted(attempt: Attempt, errno: number): void {
    this.#attempts = this.#attempts.filter((other) => other !== attempt);
    if (errno === 0) {
      this.#won(attempt);
    } else if (errno === -constants.errno.EAGAIN && this.#isPath) {
      // The backlog of a Unix socket is full. TCP's kernel would wait; here, nobody tells when there is room.
      this.#addresses.push(attempt.address);
      this.#next.set(FULL_RETRY_MS);
    } else {
      this.#note(errno, attempt.address);
      this.#tryNext();
    }
  }

  protected onCancel(reason: unknown): void {
    this.#end(reason);
  }

  /** Nobody took the connection. */
  protected override giveBack(socket: Socket): void {
    socket.destroy();
  }

  #find(host: string): void {
    const { localAddress, lookup } = this.#options;
    let family: Family = this.#options.family ?? 0;
    if (family === 0 && localAddress !== undefined) family = isIP(localAddress) as Family;
    const known = knownAddresses(host, family, lookup !== undefined);
    if (known !== null) {
      this.#found(known);
      return;
    }
    this.#lookup = new Lookup(host, family, lookup);
    if (this.#lookup.state === PENDING) this.#lookup.addWaiter({ wake: () => this.#lookedUp() });
    else this.#lookedUp();
  }

  #lookedUp(): void {
    const lookup = this.#lookup;
    // Null: it was cancelled, and whoever did so settles this.
    if (lookup === null) return;
    this.#lookup = null;
    if (lookup.state === REJECTED) {
      this.#end(lookup.value);
      this.reject(lookup.value);
    } else {
      this.#found(lookup.value);
    }
  }

  #found(addresses: readonly LookupAddress[]): void {
    this.#addresses = interleaved(addresses);
    this.#tryNext();
  }

  /** Begins with the next address that can be begun with; without one it waits for those under way. */
  #tryNext(): void {
    this.#next.clear();
    const { port = 0, localAddress = '', localPort = 0, attemptDelay = ATTEMPT_DELAY_MS } = this.#options;
    for (let address = this.#addresses.shift(); address !== undefined; address = this.#addresses.shift()) {
      openArenas();
      const flags = this.#isPath ? LISTEN_UNIX : 0;
      const handle = border.open().connect(address, port, flags, localAddress, localPort);
      if (handle >= 0) {
        this.#attempts.push(new Attempt(handle, address, this));
        if (this.#addresses.length > 0) this.#next.set(attemptDelay);
        return;
      }
      this.#note(handle, address);
    }
    if (this.#attempts.length > 0) return;
    const error = this.#failure() as Error;
    this.#end(error);
    this.reject(error);
  }

  #won(attempt: Attempt): void {
    this.#end(undefined);
    let socket: Socket;
    try {
      socket = new Socket(attempt.handle, this.#options, this.#context);
    } catch (error) {
      // The options are not any more what they were when they were checked.
      attempt.giveUp();
      this.reject(error);
      return;
    }
    socket.opened();
    // The handler may have cancelled it.
    if (this.state === PENDING) this.fulfill(socket);
    else socket.destroy();
  }

  #outOfTime(): void {
    const cause = this.#failure();
    const message = `connect ${this.#where}: not connected within ${this.#options.connectTimeout} ms`;
    const error = new TimeoutError(message, cause === undefined ? undefined : { cause });
    this.#end(error);
    this.reject(error);
  }

  #end(reason: unknown): void {
    this.#next.clear();
    this.#limit?.clear();
    const lookup = this.#lookup;
    this.#lookup = null;
    lookup?.cancel(reason);
    const attempts = this.#attempts;
    this.#attempts = [];
    for (const attempt of attempts) attempt.giveUp();
  }

  #note(errno: number, address: string): void {
    this.#errors.push(systemError(errno, 'connect', shownPath(address), this.#isPath ? undefined : this.#options.port));
  }

  /** Node's way: of one address its own error, of several all of them; undefined while none has failed. */
  #failure(): Error | undefined {
    const errors = this.#errors;
    if (errors.length <= 1) return errors[0];
    return new AllFailedError(errors, `connect ${this.#where}: ${errors.map(({ message }) => message).join('; ')}`);
  }

  get #where(): string {
    const { path, host = 'localhost', port } = this.#options;
    return path === undefined ? `${host}:${port}` : shownPath(path);
  }
}

/**
 * Connects to a TCP server, or with `path` to a Unix domain socket. With a `data` handler the socket is driven by
 * handlers, else by `read`.
 *
 * A name is looked up by Node's resolver, through {@link dnsCache}; `localhost` is always the loopback. Of several
 * addresses the resolver's first has a head start of `attemptDelay`, then the next, of the other family, is tried beside
 * it, and so on; one that fails lets the next begin at once (Happy Eyeballs, RFC 8305). The first that connects is taken,
 * the others are closed.
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
 * const socket = await connect({ host: '127.0.0.1', port: listener.port, connectTimeout: 5000 });
 * console.log(String(await socket.read())); // welcome
 * await socket.close();
 * await listener.close();
 * ```
 * @throws SystemError with Node's code (`ECONNREFUSED`, ...) when there was one address; AggregateError with all errors
 * and the first one's code when there were several; TimeoutError (`ERR_MILLRACE_TIMEOUT`), whose cause is what had failed
 * by then; the resolver's error (`ENOTFOUND`, ...); TypeError, RangeError naming the option. Cancelled: AbortError, and
 * everything that was begun is given up.
 */
export function connect(options: ConnectOptions): Operation<Socket> {
  checkConnectOptions(options);
  return withSignal(new Connect(options), options.signal);
}
