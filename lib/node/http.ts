import type { AgentOptions, Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent, AgentOptions as HttpsAgentOptions } from 'node:https';
import type { Socket as NodeSocket, Server } from 'node:net';
import { checkFunction } from '../internal/errors.js';
import type { Listener, Socket } from '../net/index.js';
import { type ConnectorOptions, carryTls, checkConnectorOptions, openStream, type Target } from './stream.js';

export type HttpAgentOptions = AgentOptions & ConnectorOptions;

/**
 * An `http.Agent` whose connections are Millrace's, for `http.request` and all that is built on it.
 *
 * @example
 * ```ts
 * import { get } from 'node:http';
 * const listener = await listen({
 *   host: '127.0.0.1',
 *   data: (socket) => void socket.write('HTTP/1.1 204 No Content\r\n\r\n'),
 * });
 * const agent = httpAgent({ keepAlive: true });
 * get({ host: '127.0.0.1', port: listener.port, agent }, (response) => {
 *   console.log(response.statusCode); // 204
 *   agent.destroy();
 *   listener.close();
 * });
 * ```
 * @throws TypeError, RangeError naming the option. A connection that fails is told to the request, by Node's codes.
 */
export function httpAgent(options: HttpAgentOptions = {}): HttpAgent {
  checkConnectorOptions(options);
  const { Agent } = process.getBuiltinModule('node:http');
  const agent = new Agent(options);
  agent.createConnection = (target) =>
    connection(target as Target & HttpAgentOptions, options) as unknown as NodeSocket;
  return agent;
}

/**
 * The same for https: an `https.Agent` with TLS by `node:tls` over our streams, Node's session cache included.
 * @throws as `httpAgent`
 */
export function httpsAgent(options: HttpsAgentOptions & ConnectorOptions = {}): HttpsAgent {
  checkConnectorOptions(options);
  const { Agent } = process.getBuiltinModule('node:https');
  const agent = new Agent(options);
  const secure = Agent.prototype.createConnection;
  agent.createConnection = (target, callback) => {
    const stream = connection(target as Target & HttpAgentOptions, options);
    const socket = secure.call(agent, { ...target, socket: stream } as never, callback as never) as NodeSocket;
    carryTls(stream);
    stream.once('error', (error) => socket.destroy(error));
    return socket;
  };
  return agent;
}

function connection(target: Target & HttpAgentOptions, options: ConnectorOptions) {
  // In an agent's options `path` is a Unix socket only where it is called socketPath.
  const { socketPath } = target as { socketPath?: string };
  const stream = openStream({ ...target, path: socketPath }, options);
  if (target.keepAlive === true) stream.setKeepAlive(true, target.keepAliveMsecs);
  stream.setNoDelay(true);
  return stream;
}

/**
 * Gives every connection of a Millrace listener to a server of Node's: `http.createServer()`, `https`, `http2`, `tls`,
 * `net`. The listener is one without `open` and `data` handlers. `server.close()` closes it too; what the server does to
 * its connections (time limits, `closeIdleConnections`) works as ever.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * const server = createServer((_request, response) => response.end('hello'));
 * const listener = await listen({ host: '127.0.0.1' });
 * const served = serveConnections(server, listener);
 * const response = await fetch(`http://127.0.0.1:${listener.port}/`);
 * console.log(await response.text()); // hello
 * server.close();
 * server.closeAllConnections();
 * await served;
 * ```
 * @returns a promise that is fulfilled when the listener is closed.
 * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` when the listener has handlers; TypeError naming the argument.
 */
export async function serveConnections(server: Server, listener: Listener): Promise<void> {
  checkFunction(server?.emit, 'server.emit');
  checkFunction(listener?.accept, 'listener.accept');
  const close = (): void => void listener.close();
  server.once('close', close);
  // What node:http does when it begins to listen: it counts the connections and minds their time limits.
  let next = listener.accept();
  server.emit('listening');
  for (;;) {
    const socket: Socket | null = await next;
    if (socket === null) break;
    next = listener.accept();
    // A connection may have gone before anybody looked at it.
    if (!socket.open) continue;
    try {
      const stream = socket.toDuplex({ allowHalfOpen: (server as { allowHalfOpen?: boolean }).allowHalfOpen === true });
      server.emit('connection', stream);
      if (isTls(server)) carryTls(stream);
    } catch (error) {
      // A listener's mistake is an uncaught exception, as with a server of Node's; the others are served on.
      process.nextTick(() => {
        throw error;
      });
    }
  }
  server.off('close', close);
}

function isTls(server: Server): boolean {
  return typeof (server as { setSecureContext?: unknown }).setSecureContext === 'function';
}
