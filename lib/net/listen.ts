import { border } from '../internal/border.js';
import { checkSignal, type SignalOption, withSignal } from '../internal/cancel.js';
import { checkFunction, checkInteger, MillraceError } from '../internal/errors.js';
import {
  COMPLETION_ACCEPT,
  COMPLETION_CLOSED,
  COMPLETION_ERROR,
  RESET,
  SUBMISSION_CLOSE,
  SUBMISSION_SOCKET_REF,
} from '../internal/layout.js';
import { Operation, PENDING, REJECTED, SharedOperation } from '../internal/operation.js';
import { type Snapshot, snapshot } from '../internal/task-context.js';
import { openArenas } from './arenas.js';
import { type Endpoint, endpoints } from './endpoints.js';
import { knownAddresses, Lookup } from './lookup.js';
import { checkBoolean, checkHost, checkSocketOptions } from './options.js';
import { Socket, type SocketAddress, type SocketHandlers, type SocketOptions } from './socket.js';
import { systemError } from './system-error.js';

export interface ListenOptions extends SocketHandlers, SocketOptions, SignalOption {
  /** 0 to 65535; 0 (default) takes a free one, which `listener.port` tells. */
  port?: number;
  /** The address to listen on, or a name that has one. Default: all addresses, `::` where there is IPv6. */
  host?: string;
  /** Connections that the kernel keeps for us before we accept them. Default 511, as in Node. */
  backlog?: number;
  /** With `::`: IPv6 connections only. Default: false. */
  ipv6Only?: boolean;
  /** Let several listeners, in other threads or processes, share the port. Default: false. */
  reusePort?: boolean;
  /** Something went wrong with accepting (EMFILE); it goes on by itself. Without this it is a process warning. */
  listenError?(error: Error): void;
}

const IPV6_ONLY = 1;
const REUSE_PORT = 2;
/** Sockets that were accepted and that nobody has taken by `accept` yet. */
const UNTAKEN_MAX = 1024;

class Closed extends SharedOperation<void> {
  get kind(): string {
    return 'listener.close';
  }
  protected onCancel(): void {}
}

/** A TCP listener. Its sockets are given to the handlers of `listen`, or to `accept` where there are none. */
export class Listener implements Endpoint, AsyncIterable<Socket> {
  /** @internal */
  readonly handle: number;
  /** Where it listens. */
  readonly address: SocketAddress;
  /** Connections accepted so far. */
  accepted = 0;
  readonly #options: ListenOptions;
  readonly #context: Snapshot | null;
  readonly #handled: boolean;
  readonly #untaken: Socket[] = [];
  readonly #waiting: Accept[] = [];
  #closing = false;
  #ended = false;
  #closed: Closed | null = null;

  /** @internal Use `listen`. */
  constructor(handle: number, options: ListenOptions, context: Snapshot | null) {
    this.handle = handle;
    this.#options = options;
    this.#context = context;
    this.#handled = options.open !== undefined || options.data !== undefined;
    endpoints.add(this);
    border.keepAlive();
    const name = border.open().name(handle, false);
    if (typeof name === 'number') throw systemError(name, 'getsockname');
    this.address = name;
  }

  get port(): number {
    return this.address.port;
  }

  /** The next connection; null when the listener is closed. Only where `listen` was given no `open` or `data` handler. */
  accept(): Operation<Socket | null> {
    if (this.#handled) {
      throw new MillraceError(
        'ERR_MILLRACE_INVALID_STATE',
        'This listener gives its sockets to handlers; accept() would get none',
      );
    }
    return new Accept(this);
  }

  /** Stops listening. The sockets that were accepted live on. */
  close(): Operation<void> {
    this.#closed ??= new Closed();
    if (this.#ended) {
      this.#closed.fulfill(undefined);
    } else if (!this.#closing) {
      this.#closing = true;
      border.submit(SUBMISSION_CLOSE, this.handle, 0, 0);
    }
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Socket, void, undefined> {
    for (;;) {
      const socket = await this.accept();
      if (socket === null) return;
      yield socket;
    }
  }

  /** Keeps the process alive while it listens, which is the default. */
  ref(): this {
    if (!this.#ended) border.submit(SUBMISSION_SOCKET_REF, this.handle, 1, 0);
    return this;
  }

  unref(): this {
    if (!this.#ended) border.submit(SUBMISSION_SOCKET_REF, this.handle, 0, 0);
    return this;
  }

  /** @internal */
  complete(kind: number, a: number, b: number): void {
    if (kind === COMPLETION_ACCEPT) this.#accept(a);
    else if (kind === COMPLETION_ERROR) this.#tell(systemError(a | 0, b, this.address.address, this.port));
    else if (kind === COMPLETION_CLOSED) this.#finish();
  }

  /** @internal */
  take(accept: Accept): void {
    const socket = this.#untaken.shift();
    if (socket !== undefined) accept.fulfill(socket);
    else if (this.#ended || this.#closing) accept.fulfill(null);
    else this.#waiting.push(accept);
  }

  /** @internal */
  drop(accept: Accept): void {
    const at = this.#waiting.indexOf(accept);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** @internal */
  putBack(socket: Socket): void {
    const accept = this.#waiting.shift();
    if (accept !== undefined) accept.fulfill(socket);
    else this.#untaken.unshift(socket);
  }

  #accept(handle: number): void {
    if (this.#closing) {
      border.submit(SUBMISSION_CLOSE | RESET, handle, 0, 0);
      return;
    }
    this.accepted++;
    const socket = new Socket(handle, this.#options, this.#context);
    if (this.#handled) {
      socket.opened();
      return;
    }
    const accept = this.#waiting.shift();
    if (accept !== undefined) accept.fulfill(socket);
    else if (this.#untaken.length < UNTAKEN_MAX) this.#untaken.push(socket);
    else socket.destroy();
  }

  #tell(error: Error): void {
    const { listenError } = this.#options;
    if (listenError === undefined) {
      process.emitWarning(error.message, { type: 'MillraceWarning', code: (error as Error & { code: string }).code });
      return;
    }
    const tell = (): void => listenError.call(this.#options, error);
    try {
      if (this.#context === null) tell();
      else this.#context(tell, undefined);
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown;
      });
    }
  }

  #finish(): void {
    this.#ended = true;
    endpoints.remove(this);
    for (const accept of this.#waiting.splice(0)) accept.fulfill(null);
    for (const socket of this.#untaken.splice(0)) socket.destroy();
    this.#closed?.fulfill(undefined);
  }
}

class Accept extends Operation<Socket | null> {
  readonly #listener: Listener;

  constructor(listener: Listener) {
    super();
    this.#listener = listener;
    listener.take(this);
  }

  get kind(): string {
    return 'listener.accept';
  }

  protected onCancel(): void {
    this.#listener.drop(this);
  }

  protected override giveBack(socket: Socket | null): void {
    if (socket !== null) this.#listener.putBack(socket);
  }
}

class Listen extends Operation<Listener> {
  readonly #options: ListenOptions;
  readonly #port: number;
  readonly #backlog: number;
  readonly #flags: number;
  readonly #context = snapshot();
  readonly #lookup: Lookup | null;

  constructor(options: ListenOptions) {
    super();
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#backlog = options.backlog ?? 511;
    this.#flags = (options.ipv6Only === true ? IPV6_ONLY : 0) | (options.reusePort === true ? REUSE_PORT : 0);
    if (options.host === undefined) {
      this.#lookup = null;
      this.#listenOn('::', '0.0.0.0');
      return;
    }
    const known = knownAddresses(options.host, 0, false);
    if (known !== null) {
      this.#lookup = null;
      this.#listenOn(...known.map(({ address }) => address));
    } else {
      this.#lookup = new Lookup(options.host, 0, undefined);
      this.#lookup.addWaiter({ wake: (lookup) => this.#lookedUp(lookup as Lookup) });
    }
  }

  get kind(): string {
    return 'net.listen';
  }

  protected onCancel(reason: unknown): void {
    this.#lookup?.cancel(reason);
  }

  protected override giveBack(listener: Listener): void {
    listener.close();
  }

  #lookedUp(lookup: Lookup): void {
    if (this.state !== PENDING) return;
    if (lookup.state === REJECTED) this.reject(lookup.value);
    else this.#listenOn(...lookup.value.map(({ address }) => address));
  }

  /** On the first address that can be had. */
  #listenOn(...addresses: string[]): void {
    let error: unknown;
    for (const address of addresses) {
      try {
        openArenas();
        const handle = border.open().listen(address, this.#port, this.#backlog, this.#flags, 0);
        if (handle >= 0) {
          this.fulfill(new Listener(handle, this.#options, this.#context));
          return;
        }
        error ??= systemError(handle, 'listen', address, this.#port);
      } catch (thrown) {
        error ??= thrown;
      }
    }
    this.reject(error);
  }
}

/**
 * Listens for TCP connections. With `open` or `data` handlers, they are given every socket; else take the sockets with
 * `accept()` or `for await`.
 *
 * @example
 * ```ts
 * const listener = await listen({
 *   host: '127.0.0.1',
 *   data(socket, chunk) {
 *     socket.write(chunk);
 *   },
 * });
 * console.log(listener.port); // for example 40123
 * await listener.close();
 * ```
 * @throws SystemError with Node's code (`EADDRINUSE`, `EACCES`, ...); TypeError, RangeError naming the option.
 */
export function listen(options: ListenOptions = {}): Operation<Listener> {
  checkSocketOptions(options);
  if (options.port !== undefined) checkInteger(options.port, 'options.port', 0, 65535);
  if (options.backlog !== undefined) checkInteger(options.backlog, 'options.backlog', 1, 65535);
  checkHost(options.host, 'options.host');
  checkBoolean(options.ipv6Only, 'options.ipv6Only');
  checkBoolean(options.reusePort, 'options.reusePort');
  if (options.listenError !== undefined) checkFunction(options.listenError, 'options.listenError');
  if (options.signal !== undefined) checkSignal(options.signal, 'options.signal');
  return withSignal(new Listen(options), options.signal);
}
