// A server: listens, gives each connection to an HttpConnection, looks at their times, and ends in order.
import { checkDelay, checkSignal, type SignalOption } from '../internal/cancel.js';
import { AbortError, checkFunction, checkObject, invalidType, MillraceError } from '../internal/errors.js';
import { type Operation, PENDING, REJECTED } from '../internal/operation.js';
import type { SocketAddress } from '../net/address.js';
import { Alarm } from '../net/alarm.js';
import type { Chunk } from '../net/chunk.js';
import { listen as listenNet } from '../net/listen.js';
import type { ListenOptions } from '../net/listen-options.js';
import type { Listener } from '../net/listener.js';
import type { SecureContext, TlsContextOptions } from '../tls/context.js';
import type { TlsListener } from '../tls/listener.js';
import type { TlsServerOptions } from '../tls/options.js';
import { type CompressionOptions, compressionOptionsOf } from './compression/index.js';
import { HttpConnection, type Transport } from './connection.js';
import { tellError } from './diagnostics.js';
import { dispatcher, type RoutingOptions } from './dispatch.js';
import { type HttpLimits, limitsOf } from './limits.js';
import { EXPOSITION_TYPE, prometheusText, type ServerStats } from './metrics/index.js';
import { type ProxyOptions, ProxyTrust, type TrustProxy } from './proxy/index.js';
import { Reply } from './reply.js';
import type { HttpRequest } from './request.js';
import { type AccessLog, type ErrorHandler, type Handler, ServerCore } from './server-core.js';
import { statsOf } from './server-stats.js';
import { staticRoutes } from './static-routes.js';

type Place = Pick<ListenOptions, 'port' | 'fd' | 'backlog' | 'ipv6Only' | 'reusePort' | 'mode'>;

/** What `serve` takes: where to listen, what answers, and what a peer may cost. */
export interface ServeOptions extends Place, RoutingOptions, SignalOption {
  /** The address to listen on, or a name that has one. Default: all addresses. */
  hostname?: string;
  /** A Unix domain socket instead: its file, or an abstract name (Linux) that begins with `\0`. */
  unix?: string;
  /** HTTPS: the options of `millrace/tls`, at least `key` and `cert`. */
  tls?: TlsServerOptions;
  /**
   * Answers for a handler that has thrown. Without it an HttpError is answered with its status, all else with 500 and told
   * as `handlerError`.
   */
  error?: ErrorHandler;
  /** What a handler threw that was no HttpError below 500. Default: a process warning with its stack. */
  handlerError?(error: unknown, request: HttpRequest): void;
  /**
   * Compress replies for clients that take it, from 1 KiB on, of types that become smaller. Default: false. Secrets in compressed
   * pages beside what an attacker can choose can be guessed from their length (BREACH).
   */
  compression?: boolean | CompressionOptions;
  /** Which proxies are believed when they say for whom they speak. Default: none. */
  trustProxy?: TrustProxy | ProxyOptions;
  /** A path at which GET gives the server's numbers as text for Prometheus; it goes before the routes. */
  metrics?: string;
  /** See {@link HttpLimits}. */
  limits?: Partial<HttpLimits>;
  /**
   * Called for each request when its reply was handed to the socket, its socket to somebody else (an upgrade), or its peer has
   * gone. The request can still be read. What C++ answers is not told, nor what was refused before it was a request.
   */
  accessLog?: AccessLog;
}

/** How a server ends. */
export interface ServerCloseOptions {
  /**
   * How long requests that are being answered may take, in milliseconds from 0 to 7.2e10; connections that are left then are
   * reset. Default: 5,000.
   */
  drainMs?: number;
}

const DRAIN_MS = 5_000;
/** All connections are looked at once in so many looks. */
const SLICES = 4;
const LOOK_EVERY_MS = 250;
/** Replies that wait for a slow peer are bounded by the connection, which knows of whole ones. */
const WRITE_LIMIT = 2 ** 30;

/** A server that listens. Made by {@link serve}. */
export class HttpServer {
  readonly #core: ServerCore;
  readonly #options: ServeOptions;
  readonly #look: Alarm;
  readonly #ready: Promise<this>;
  #listener: Listener | TlsListener | null = null;
  #listening: Operation<Listener | TlsListener> | null = null;
  #closed: Operation<number> | null = null;
  #slice = 0;
  #looking = false;
  #isAwaited = false;
  /** `close` was called. */
  #closes = false;

  /** @internal Use `serve`. */
  constructor(options: ServeOptions) {
    this.#options = options;
    const { handler, table } = this.#dispatcher(options);
    this.#core = new ServerCore(limitsOf(options.limits), options.tls === undefined ? 'http' : 'https', handler, this);
    this.#core.onError = options.error ?? null;
    this.#core.accessLog = options.accessLog ?? null;
    const { compression = false, trustProxy = false } = options;
    if (compression !== false) this.#core.compression = compressionOptionsOf(compression === true ? {} : compression);
    const proxies = new ProxyTrust(trustProxy);
    if (!proxies.isNone) this.#core.proxies = proxies;
    this.#setStatics(table);
    this.#look = new Alarm(() => this.#lookAtTimes(), true);
    this.#ready = this.#listen();
    this.#ready.catch((error: unknown) => {
      this.#core.release();
      // Nobody has asked for it, so nobody would hear that there is no server: an unhandled rejection is heard.
      if (!this.#isAwaited && !(error instanceof AbortError)) throw error;
    });
  }

  /** @internal */
  get core(): ServerCore {
    return this.#core;
  }

  /**
   * Resolves with the server when it listens. A failure that nobody waits for is an unhandled rejection.
   * @throws what `listen` of `millrace/net` or `millrace/tls` does: SystemError `EADDRINUSE`, `EACCES` and so on.
   */
  get ready(): Promise<this> {
    this.#isAwaited = true;
    return this.#ready;
  }

  /** Where it listens; null until then. */
  get address(): SocketAddress | null {
    return this.#listener?.address ?? null;
  }

  /** 0 until it listens, and on a Unix domain socket. With an address for `hostname` it listens when `serve` returns. */
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** The descriptor that it listens on, to be inherited by a successor; it stays the server's. -1 when it does not listen. */
  get fd(): number {
    return this.#listener?.fd ?? -1;
  }

  /** What to give to a client on this machine: `http://127.0.0.1:8080`. '' until it listens. */
  get url(): string {
    const address = this.address;
    if (address === null) return '';
    if (address.family === 'Unix') return `unix:${address.address}`;
    const any = address.address === '::' || address.address === '0.0.0.0';
    const host = any ? 'localhost' : address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `${this.#core.scheme}://${host}:${address.port}`;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#core.connections.length;
  }

  /** Requests whose handlers have not answered yet. */
  get pendingRequests(): number {
    return this.#core.running;
  }

  /** Counts since the server was made, and how long requests took. */
  stats(): ServerStats {
    return statsOf(this.#core);
  }

  /**
   * Replaces all of `routes`, `hosts` and `fetch` at once; `error` too, where it is given. Requests that are being answered
   * go on with what they began with; the next request finds the new ones. When it throws, nothing has changed.
   * @throws TypeError, MillraceError `ERR_MILLRACE_HTTP_ROUTE`.
   */
  reload(options: RoutingOptions & Pick<ServeOptions, 'error'>): void {
    checkObject(options, 'options');
    if (options.error !== undefined) checkFunction(options.error, 'options.error');
    const { handler, table } = this.#dispatcher(options);
    this.#setStatics(table);
    this.#core.handler = handler;
    if (options.error !== undefined) this.#core.onError = options.error;
  }

  /**
   * Keys and certificates for connections that come from now on: renewed ones are taken without a connection lost.
   * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` if it does not listen, or has no `tls`; as `createSecureContext` of
   * `millrace/tls`, and then all stays as it was.
   */
  setSecureContext(context: SecureContext | TlsContextOptions): void {
    const listener = this.#listener;
    if (listener === null || !('setSecureContext' in listener)) {
      throw new MillraceError('ERR_MILLRACE_INVALID_STATE', 'Only a server with tls that listens has a secure context');
    }
    listener.setSecureContext(context);
  }

  /**
   * Stops listening. Idle connections are closed, what is being answered is finished (with `Connection: close`), and what is
   * left after `drainMs` is reset. Done when all connections have ended; gives how many had to be reset.
   * @throws TypeError, RangeError naming the option; what `ready` throws.
   */
  close(options: ServerCloseOptions = {}): Promise<number> {
    checkObject(options, 'options');
    const { drainMs = DRAIN_MS } = options;
    checkDelay(drainMs, 'options.drainMs');
    return this.#close(drainMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Keeps the process alive while it listens, which is the default. */
  ref(): this {
    this.#listener?.ref();
    return this;
  }

  unref(): this {
    this.#listener?.unref();
    return this;
  }

  /** @internal */
  handlerFailed(error: unknown, request: HttpRequest): void {
    const { handlerError } = this.#options;
    if (handlerError === undefined) {
      tellError(error, request);
      return;
    }
    try {
      handlerError(error, request);
    } catch (again) {
      tellError(again, request);
    }
  }

  #setStatics(table: ReturnType<typeof dispatcher>['table']): void {
    const { compression } = this.#core;
    const lengthMax = compression === null ? undefined : compression.minBytes - 1;
    const routes = table === null ? [] : staticRoutes(table, lengthMax);
    // The path of the metrics goes before all routes.
    this.#core.setStatics(routes.filter(({ path }) => path !== this.#options.metrics));
  }

  #dispatcher(options: RoutingOptions): ReturnType<typeof dispatcher> {
    const dispatched = dispatcher(options);
    const { metrics } = this.#options;
    if (metrics === undefined) return dispatched;
    const { handler } = dispatched;
    const measured: Handler = (request, server) => {
      if (request.path !== metrics || (request.method !== 'GET' && !request.isHead)) return handler(request, server);
      return new Reply(prometheusText(this.stats()), { headers: { 'Content-Type': EXPOSITION_TYPE } });
    };
    return { handler: measured, table: dispatched.table };
  }

  async #listen(): Promise<this> {
    const { options } = this.#listenOptions();
    const { tls } = this.#options;
    if (tls === undefined) {
      this.#listening = listenNet(options);
    } else {
      const { listen } = await import('../tls/index.js');
      this.#listening = listen({ ...tls, ...options } as never);
    }
    // An address is listened on at once: then the port is known when `serve` returns.
    if (this.#listening.state === PENDING) await this.#listening;
    else if (this.#listening.state === REJECTED) throw await this.#listening.catch((error: unknown) => error);
    else this.#listening.taken = true;
    this.#listener = this.#listening.value;
    return this;
  }

  #listenOptions(): { options: ListenOptions } {
    const core = this.#core;
    const { hostname, unix, port, fd, backlog, ipv6Only, reusePort, mode, signal } = this.#options;
    const options: ListenOptions = {
      allowHalfOpen: true,
      writeLimit: WRITE_LIMIT,
      open: (socket) => this.#opened(socket),
      data: received,
      drain: (socket) => (socket.data as HttpConnection).drained(),
      end: (socket) => (socket.data as HttpConnection).ended(),
      error: failed,
      close: (socket) => (socket.data as HttpConnection | undefined)?.gone(null),
      closing: () => this.#beginClose(),
    };
    const given = { host: hostname, path: unix, port, fd, backlog, ipv6Only, reusePort, mode, signal };
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined) (options as Record<string, unknown>)[name] = value;
    }
    if (core.limits.connections < 2 ** 31 - 1) options.maxConnections = core.limits.connections;
    return { options };
  }

  #opened(socket: Transport): void {
    // While there was no connection nobody has looked at the clock.
    this.#core.readClock();
    const connection = new HttpConnection(this.#core, socket);
    socket.data = connection;
    this.#core.added(connection);
    this.#core.onConnection?.(connection);
    if (!this.#looking) {
      this.#looking = true;
      this.#look.set(LOOK_EVERY_MS);
    }
  }

  async #close(drainMs: number): Promise<number> {
    await this.ready;
    this.#closes = true;
    return this.#drain(drainMs);
  }

  #drain(drainMs: number): Operation<number> {
    const closed = (this.#listener as Listener).close({ drainMs });
    if (this.#closed === null) {
      this.#closed = closed;
      if (closed.state === PENDING) closed.addWaiter({ wake: () => this.#ended() });
      else this.#ended();
    }
    return closed;
  }

  #ended(): void {
    this.#look.clear();
    this.#core.release();
  }

  #beginClose(): void {
    this.#core.closing = true;
    // From a copy: whoever ends leaves the list.
    for (const connection of [...this.#core.connections]) connection.finish();
    // By the signal, or by whoever closes the listener: the same as `close`.
    if (!this.#closes) this.#drain(DRAIN_MS);
  }

  #lookAtTimes(): void {
    const core = this.#core;
    core.readClock();
    const { connections } = core;
    this.#slice = (this.#slice + 1) % SLICES;
    // Backwards: whoever ends is replaced by the last one.
    for (let i = connections.length - 1; i >= 0; i--) {
      const connection = connections[i];
      if (connection !== undefined && i % SLICES === this.#slice) connection.look(core.nowMs);
    }
    if (connections.length > 0) this.#look.set(LOOK_EVERY_MS);
    else this.#looking = false;
  }
}

function received(socket: Transport, chunk: Chunk): void {
  (socket.data as HttpConnection).data(chunk);
}

function failed(socket: Transport, error: Error): void {
  (socket.data as HttpConnection | undefined)?.gone(error);
}

/**
 * Serves HTTP/1.1 (RFC 9110, RFC 9112), and HTTP/1.0 to who asks for that.
 *
 * A handler is given a request and returns the reply: a string, bytes, a {@link Reply}, a WHATWG `Response`, a stream, or a
 * promise of one of these; a generator function runs as a fiber. What it throws is answered by `error`, or as an HttpError
 * says, or with 500. `signal` closes the server.
 *
 * @example
 * ```ts
 * const server = serve({
 *   hostname: '127.0.0.1',
 *   port: 0, // any free one
 *   routes: { '/users/:id': (request) => Reply.json({ id: request.params.id }) },
 *   fetch: (request) => `You asked for ${request.path}`,
 * });
 * const response = await fetch(`${server.url}/users/7`);
 * console.log(await response.text()); // {"id":"7"}
 * await server.close();
 * ```
 * @throws TypeError, RangeError naming the option; MillraceError `ERR_MILLRACE_HTTP_ROUTE` for routes that contradict each
 * other. Errors of listening are told by `ready`.
 */
export function serve(options: ServeOptions): HttpServer {
  checkObject(options, 'options');
  const { error, handlerError, accessLog, tls, signal, metrics } = options;
  if (error !== undefined) checkFunction(error, 'options.error');
  if (handlerError !== undefined) checkFunction(handlerError, 'options.handlerError');
  if (accessLog !== undefined) checkFunction(accessLog, 'options.accessLog');
  if (metrics !== undefined && (typeof metrics !== 'string' || !metrics.startsWith('/'))) {
    throw invalidType('options.metrics', 'a path that begins with a slash', metrics);
  }
  if (tls !== undefined) checkObject(tls, 'options.tls');
  if (signal !== undefined) checkSignal(signal, 'options.signal');
  // What listens calls it host.
  const { hostname } = options;
  if (hostname !== undefined && (typeof hostname !== 'string' || hostname === '')) {
    throw invalidType('options.hostname', 'a host name or IP address', hostname);
  }
  if (typeof options === 'object' && 'host' in options) {
    throw invalidType('options', 'without host: it is called hostname here', options);
  }
  return new HttpServer(options);
}
