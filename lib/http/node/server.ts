// What stands in the place of http.Server: its events, methods and properties, over a server of ours.
import type { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkFunction, checkInteger, checkObject } from '../../internal/errors.js';
import type { HttpConnection } from '../connection.js';
import type { HttpError } from '../http-errors.js';
import type { HttpLimits } from '../limits.js';
import { type HttpServer, type ServeOptions, serve } from '../server.js';
import { clientErrorOf } from './client-error.js';
import type { ConnectionSocket } from './connection-socket.js';
import { type AppHost, handle, type NodeApp, openSocket } from './handler.js';
import type { NodeRequest } from './incoming.js';
import { type ListenTarget, listenCall } from './listen-arguments.js';
import { type MessageOptions, type MessageSettings, messageSettings } from './messages.js';
import type { NodeResponse } from './outgoing.js';

/** As `http.createServer`'s, as far as it means something here; and what `serve` takes. */
export interface NodeServerOptions
  extends MessageOptions,
    Pick<ServeOptions, 'tls' | 'error' | 'handlerError' | 'accessLog' | 'limits'> {
  /** Milliseconds that a connection may be idle between requests. Default: 5,000, as http.Server's. */
  keepAliveTimeout?: number | undefined;
  /** Milliseconds for a head. Default: 60,000. */
  headersTimeout?: number | undefined;
  /** Milliseconds for a whole request. Default: 300,000. */
  requestTimeout?: number | undefined;
  /** Bytes of a head. Default: 16,384. */
  maxHeaderSize?: number | undefined;
}

const KEEP_ALIVE_MS = 5_000;
const HEADERS_MS = 60_000;
const REQUEST_MS = 300_000;
/** `close` of http.Server waits as long as it takes: here, 2 years. */
const DRAIN_MS = 7.2e10;
const COUNT_MAX = 2 ** 31 - 1;

type Limit = 'keepAliveMs' | 'headMs' | 'requestMs' | 'requestsPerConnection';

/** A server with the face of an `http.Server`. Made by {@link createServer}. */
export class NodeServer extends EventEmitter implements AppHost {
  /** See http.Server: true lets a client have its reply that has ended its side already. Default: false. */
  httpAllowHalfOpen = false;
  /** Milliseconds without activity after which a connection's 'timeout' comes; 0: never. Set by `setTimeout`. */
  timeout = 0;
  /** More connections than this wait until others have ended. Set it before `listen`. */
  maxConnections = COUNT_MAX;
  /** At most so many fields are taken; null: `limits.fields`. Set it before `listen`. */
  maxHeadersCount: number | null = null;
  readonly #options: NodeServerOptions;
  readonly #limits: Record<Limit, number>;
  #settings: MessageSettings | null = null;
  #server: HttpServer | null = null;
  /** Those that were closed and have connections yet. */
  readonly #closing = new Set<HttpServer>();
  #listening = false;
  #referenced = true;

  /** @internal Use `createServer`. */
  constructor(options: NodeServerOptions, app: NodeApp | null) {
    super();
    this.#options = options;
    this.#limits = {
      keepAliveMs: options.keepAliveTimeout ?? KEEP_ALIVE_MS,
      headMs: options.headersTimeout ?? HEADERS_MS,
      requestMs: options.requestTimeout ?? REQUEST_MS,
      requestsPerConnection: COUNT_MAX,
    };
    if (app !== null) this.on('request', app);
  }

  get keepAliveTimeout(): number {
    return this.#limits.keepAliveMs;
  }

  set keepAliveTimeout(valueMs: number) {
    this.#limit('keepAliveMs', valueMs);
  }

  get headersTimeout(): number {
    return this.#limits.headMs;
  }

  set headersTimeout(valueMs: number) {
    this.#limit('headMs', valueMs);
  }

  get requestTimeout(): number {
    return this.#limits.requestMs;
  }

  set requestTimeout(valueMs: number) {
    this.#limit('requestMs', valueMs);
  }

  /** 0: as many as you like. */
  get maxRequestsPerSocket(): number {
    const { requestsPerConnection } = this.#limits;
    return requestsPerConnection === COUNT_MAX ? 0 : requestsPerConnection;
  }

  set maxRequestsPerSocket(value: number) {
    this.#limit('requestsPerConnection', value === 0 ? COUNT_MAX : value);
  }

  get listening(): boolean {
    return this.#listening;
  }

  /** The server behind it, while it listens: for `stats`. */
  get millrace(): HttpServer | null {
    return this.#server;
  }

  get connections(): number {
    return this.#server?.connections ?? 0;
  }

  /**
   * Listens, in each of net.Server's forms: `listen(port, host, backlog, callback)` with any of these left out,
   * `listen(path)`, `listen({ port, host, path, fd, backlog, ipv6Only, reusePort, signal })`. 'listening' or 'error' follows.
   * @throws TypeError, RangeError for what cannot be listened on; `ERR_SERVER_ALREADY_LISTEN`.
   */
  listen(port?: number | string, host?: string, backlog?: number, listener?: () => void): this;
  listen(port?: number | string, host?: string, listener?: () => void): this;
  listen(port?: number | string, backlog?: number, listener?: () => void): this;
  listen(port?: number | string, listener?: () => void): this;
  listen(path: string, backlog?: number, listener?: () => void): this;
  listen(target: ListenTarget, listener?: () => void): this;
  listen(...values: unknown[]): this {
    if (this.#server !== null) {
      const error = new Error('Listen method has been called more than once without closing.');
      throw Object.assign(error, { code: 'ERR_SERVER_ALREADY_LISTEN' });
    }
    const { place, listener } = listenCall(values);
    if (listener !== null) this.once('listening', listener);
    const { tls, error, handlerError, accessLog } = this.#options;
    const server = serve({
      ...place,
      ...(tls && { tls }),
      ...(error && { error }),
      ...(handlerError && { handlerError }),
      ...(accessLog && { accessLog }),
      limits: this.#allLimits(),
      fetch: (request) => handle(this, request) as never,
    });
    this.#server = server;
    server.core.onConnection = (connection) => this.#connected(connection);
    server.core.onRefused = (connection, error) => this.#refused(connection, error);
    server.ready.then(
      () => process.nextTick(() => this.#listens(server)),
      (reason: unknown) => process.nextTick(() => this.#failed(server, reason)),
    );
    return this;
  }

  /** As net.Server's: of a Unix domain socket its path; null while it does not listen. */
  address(): AddressInfo | string | null {
    const address = this.#server?.address ?? null;
    if (address === null) return null;
    return address.family === 'Unix' ? address.address : { ...address };
  }

  /**
   * Stops listening. Idle connections are closed; 'close' comes, and `callback` is called, when the last one has ended.
   * `callback` is given an error (`ERR_SERVER_NOT_RUNNING`) where it does not listen.
   */
  close(callback?: (error?: Error) => void): this {
    const server = this.#server;
    if (server === null) {
      if (callback !== undefined) process.nextTick(callback, notRunning());
      return this;
    }
    if (callback !== undefined) this.once('close', callback);
    this.#server = null;
    this.#listening = false;
    this.#closing.add(server);
    const closed = (): void => {
      this.#closing.delete(server);
      process.nextTick(() => this.emit('close'));
    };
    server.close({ drainMs: DRAIN_MS }).then(closed, closed);
    return this;
  }

  /** Ends all connections, whatever they are doing. */
  closeAllConnections(): void {
    for (const connection of this.#connections()) connection.destroy(null);
  }

  /** Ends those that are waiting for a request. */
  closeIdleConnections(): void {
    for (const connection of this.#connections()) if (connection.idle) connection.finish();
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#connections().length);
    return this;
  }

  /** 'timeout' comes for a connection that was quiet for so long; without a listener it is destroyed. 0: never. */
  setTimeout(timeoutMs: number | (() => void) = 0, callback?: (socket: Duplex) => void): this {
    if (typeof timeoutMs === 'function') return this.setTimeout(0, timeoutMs);
    this.timeout = timeoutMs;
    if (callback !== undefined) this.on('timeout', callback);
    return this;
  }

  ref(): this {
    this.#referenced = true;
    this.#server?.ref();
    return this;
  }

  unref(): this {
    this.#referenced = false;
    this.#server?.unref();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.close(() => resolve()));
  }

  // What the handler asks

  /** @internal */
  get server(): this {
    return this;
  }

  /** @internal */
  get settings(): MessageSettings {
    if (this.#settings === null) {
      const app = this.listeners('request').find((listener) => 'request' in listener && 'response' in listener);
      this.#settings = messageSettings(app, this.#options);
    }
    return this.#settings;
  }

  /** @internal */
  request(request: NodeRequest, response: NodeResponse, expectsContinue: boolean): unknown {
    if (expectsContinue && this.listenerCount('checkContinue') > 0) this.emit('checkContinue', request, response);
    else this.emit('request', request, response);
    return undefined;
  }

  /** @internal */
  takesUpgrade(isConnect: boolean): boolean {
    return isConnect || this.listenerCount('upgrade') > 0;
  }

  /** @internal */
  upgrade(request: NodeRequest, socket: Duplex, head: Buffer, isConnect: boolean): void {
    // Nobody wants to be a proxy: as http.Server.
    if (!this.emit(isConnect ? 'connect' : 'upgrade', request, socket, head)) socket.destroy();
  }

  /** @internal */
  opened(socket: ConnectionSocket): void {
    if (this.timeout > 0) socket.setTimeout(this.timeout);
  }

  /** @internal */
  socketTimedOut(socket: ConnectionSocket): boolean {
    return this.emit('timeout', socket);
  }

  #listens(server: HttpServer): void {
    if (this.#server !== server) return;
    this.#listening = true;
    if (!this.#referenced) server.unref();
    this.emit('listening');
  }

  #failed(server: HttpServer, reason: unknown): void {
    if (this.#server !== server) return;
    this.#server = null;
    this.emit('error', reason);
  }

  #connected(connection: HttpConnection): void {
    if (this.timeout === 0 && this.listenerCount('connection') === 0) return;
    const socket = openSocket(this, { connection });
    this.emit('connection', socket);
  }

  /** What an app says to a client that has sent no request, is said in its turn, and ends the connection. */
  #refused(connection: HttpConnection, refusal: HttpError): boolean {
    if (this.listenerCount('clientError') === 0) return false;
    const socket = (connection.adapter as ConnectionSocket | null) ?? openSocket(this, { connection });
    try {
      this.emit('clientError', clientErrorOf(refusal), socket);
    } catch (error) {
      // As on node:http: an uncaught exception, in a turn of its own.
      process.nextTick(rethrow, error);
    }
    return true;
  }

  #connections(): HttpConnection[] {
    const servers = this.#server === null ? this.#closing : [this.#server, ...this.#closing];
    return [...servers].flatMap((server) => server.core.connections);
  }

  #limit(name: Limit, value: number): void {
    this.#limits[name] = value;
    if (this.#server !== null) this.#server.core.limits[name] = value;
  }

  #allLimits(): Partial<HttpLimits> {
    const limits: Partial<HttpLimits> = { ...this.#options.limits, ...this.#limits };
    const { maxHeaderSize } = this.#options;
    if (maxHeaderSize !== undefined) {
      limits.headBytes = maxHeaderSize;
      limits.requestLineBytes ??= Math.min(8192, maxHeaderSize);
    }
    if (this.maxHeadersCount !== null && this.maxHeadersCount > 0) limits.fields = this.maxHeadersCount;
    if (this.maxConnections < COUNT_MAX) limits.connections = this.maxConnections;
    return limits;
  }
}

/**
 * A server with the face of an `http.Server`, for apps that call `listen`, `address`, `close` and `on('upgrade')`
 * themselves, and for Fastify's `serverFactory`. Before `listen` nothing happens.
 *
 * Errors of listening come as 'error'. Requests that cannot be understood are answered by the server, with the right 4xx,
 * or by who listens to 'clientError'. What differs from node:http is listed in docs/guide/http-adapters.md.
 *
 * @example
 * ```ts
 * const server = createServer((request, response) => response.end(`hello from ${request.url}`));
 * server.listen(0, '127.0.0.1', async () => {
 *   const { port } = server.address() as { port: number };
 *   const response = await fetch(`http://127.0.0.1:${port}/here`);
 *   console.log(await response.text()); // hello from /here
 *   server.close();
 * });
 * ```
 * @throws TypeError, RangeError naming the argument.
 */
export function createServer(app?: NodeApp): NodeServer;
export function createServer(options: NodeServerOptions, app?: NodeApp): NodeServer;
export function createServer(first: NodeServerOptions | NodeApp = {}, second?: NodeApp): NodeServer {
  const options = typeof first === 'function' ? {} : first;
  const app = typeof first === 'function' ? first : second;
  checkObject(options, 'options');
  if (app !== undefined) checkFunction(app, 'app');
  for (const name of ['keepAliveTimeout', 'headersTimeout', 'requestTimeout', 'maxHeaderSize'] as const) {
    if (options[name] !== undefined) checkInteger(options[name], `options.${name}`, 0, COUNT_MAX);
  }
  return new NodeServer(options, app ?? null);
}

/**
 * Serves an app in the style of node:http: {@link createServer} that listens at once.
 *
 * @example
 * ```ts
 * const server = serveNode((_request, response) => response.end('hello'), { port: 0, host: '127.0.0.1' });
 * server.once('listening', () => server.close());
 * ```
 * @param options those of `createServer` and of `listen`.
 * @throws as these do.
 */
export function serveNode(app: NodeApp, options: NodeServerOptions & ListenTarget = {}): NodeServer {
  return createServer(options, app).listen(options);
}

function rethrow(error: unknown): never {
  throw error;
}

function notRunning(): Error {
  return Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' });
}
