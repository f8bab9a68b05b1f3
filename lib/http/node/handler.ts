// From a request of ours to an app in the style of node:http.
//
// What the app throws, at once or by its promise, is answered by the server's error handler or with 500 while nothing of
// the reply was sent, and ends the connection after that. It never reaches another request.
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { checkFunction, checkObject } from '../../internal/errors.js';
import type { Exchange } from '../exchange.js';
import type { HttpRequest } from '../request.js';
import type { Handler } from '../server-core.js';
import { ConnectionSocket, type SocketOwner } from './connection-socket.js';
import { makeIncoming, type NodeRequest } from './incoming.js';
import { type MessageSettings, messageSettings } from './messages.js';
import { abandon, makeOutgoing, type NodeResponse } from './outgoing.js';

/** An app in the style of node:http: Express, Connect, what Fastify gives to `serverFactory`, or a plain function. */
export type NodeApp = (request: IncomingMessage, response: ServerResponse) => unknown;

/** As http.Server's 'upgrade' and 'connect': the socket is yours. */
export type NodeUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface NodeHandlerOptions {
  /** Takes requests for another protocol (Upgrade, CONNECT). Without it they are answered by the app like all others. */
  upgrade?: NodeUpgrade;
}

/** What stands behind the requests of a server. */
export interface AppHost extends SocketOwner {
  readonly settings: MessageSettings;
  /** What `socket.server` is. */
  readonly server: unknown;
  request(request: NodeRequest, response: NodeResponse, expectsContinue: boolean): unknown;
  takesUpgrade(isConnect: boolean): boolean;
  upgrade(request: NodeRequest, socket: Duplex, head: Buffer, isConnect: boolean): void;
  opened(socket: ConnectionSocket): void;
}

const requestStarted = channel('http.server.request.start');
/** Handles a request by `host`. */
export function handle(host: AppHost, request: HttpRequest): void {
  const { connection } = request;
  if (request.wantsUpgrade && host.takesUpgrade(request.isConnect)) {
    handOver(host, request);
    return;
  }
  const socket = (connection.adapter as ConnectionSocket | null) ?? openSocket(host, request);
  const exchange = request.take();
  const incoming = makeIncoming(request, socket, host.settings.Request);
  const outgoing = makeOutgoing(exchange, incoming, socket, host.settings);
  socket._httpMessage ??= outgoing;
  socket.incoming = incoming;
  socket.touch();
  if (requestStarted.hasSubscribers) {
    requestStarted.publish({ request: incoming, response: outgoing, socket, server: host.server });
  }
  try {
    const result = host.request(incoming, outgoing, request.expectsContinue);
    if (isThenable(result)) result.then(null, (error: unknown) => fail(exchange, outgoing, error));
  } catch (error) {
    fail(exchange, outgoing, error);
  }
}

function fail(exchange: Exchange, outgoing: NodeResponse, error: unknown): void {
  exchange.connection.server.fail(exchange, error);
  abandon(outgoing);
}

export function openSocket(host: AppHost, { connection }: Pick<HttpRequest, 'connection'>): ConnectionSocket {
  const socket = new ConnectionSocket(connection, host);
  socket.server = host.server;
  connection.adapter = socket;
  host.opened(socket);
  return socket;
}

/**
 * A handler for `serve` that has requests answered by an app in the style of node:http: `(request, response) => void`. The
 * app is given real `http.IncomingMessage` and `http.ServerResponse` objects.
 *
 * What it throws becomes a 500 where nothing was sent, as does a promise of its that is rejected. What differs from
 * node:http is listed in docs/guide/http-adapters.md.
 *
 * @example
 * ```ts
 * const server = serve({
 *   hostname: '127.0.0.1',
 *   routes: { '/fast': () => 'not by the app' },
 *   fetch: nodeHandler((request, response) => {
 *     response.setHeader('Content-Type', 'text/plain');
 *     response.end(`${request.method} ${request.url}`);
 *   }),
 * });
 * const response = await fetch(`${server.url}/hello`);
 * console.log(await response.text()); // GET /hello
 * await server.close();
 * ```
 * @throws TypeError naming the argument.
 */
export function nodeHandler(app: NodeApp, options: NodeHandlerOptions = {}): Handler {
  checkFunction(app, 'app');
  checkObject(options, 'options');
  const { upgrade } = options;
  if (upgrade !== undefined) checkFunction(upgrade, 'options.upgrade');
  const host = new FunctionHost(app, upgrade ?? null);
  return (request) => handle(host, request) as never;
}

class FunctionHost implements AppHost {
  readonly settings: MessageSettings;
  readonly server = null;
  readonly httpAllowHalfOpen = false;
  readonly timeout = 0;
  readonly #app: NodeApp;
  readonly #upgrade: NodeUpgrade | null;

  constructor(app: NodeApp, upgrade: NodeUpgrade | null) {
    this.#app = app;
    this.settings = messageSettings(app);
    this.#upgrade = upgrade;
  }

  request(request: NodeRequest, response: NodeResponse): unknown {
    const app = this.#app;
    return app(request, response);
  }

  takesUpgrade(): boolean {
    return this.#upgrade !== null;
  }

  upgrade(request: NodeRequest, socket: Duplex, head: Buffer): void {
    const upgrade = this.#upgrade;
    if (upgrade !== null) upgrade(request, socket, head);
  }

  opened(): void {}

  socketTimedOut(): boolean {
    return false;
  }
}

/** The socket becomes a stream of its own. */
function handOver(host: AppHost, request: HttpRequest): void {
  const incoming = makeIncoming(request, null, host.settings.Request);
  const { socket: transport, received } = request.upgrade({ status: null });
  const socket = transport.toDuplex({ allowHalfOpen: true });
  incoming.socket = socket as never;
  incoming.upgrade = true;
  try {
    host.upgrade(incoming, socket, received, request.isConnect);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
