// What the tests of the HTTP server stand on: servers that are closed when their test has ended, and a client that says
// exactly the bytes that it is told to, and reads replies strictly.
import { type Socket as NodeSocket, connect as nodeConnect } from 'node:net';
import { afterEach, expect } from 'vitest';
import { openCodec } from '../../lib/http/codec.js';
import { type HttpServer, type ServeOptions, serve } from '../../lib/http/index.js';
import { Peer, type RawReply } from './peer.js';

export { get, post } from './messages.js';
export type { RawReply } from './peer.js';

const servers: HttpServer[] = [];
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) {
    await server.close({ drainMs: 0 });
    expect([server.connections, server.pendingRequests]).toEqual([0, 0]);
  }
  expect(openCodec().connections).toBe(0);
});

export function start(options: ServeOptions): HttpServer {
  const server = serve({ hostname: '127.0.0.1', ...options });
  servers.push(server);
  return server;
}

/** A connection that says bytes. */
export class RawClient extends Peer {
  readonly #socket: NodeSocket;

  private constructor(socket: NodeSocket) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes) => this.came(bytes));
    socket.on('end', () => this.over());
    socket.on('error', (error) => this.over(error));
    socket.on('close', () => this.over());
  }

  static async open(server: HttpServer | { port: number }): Promise<RawClient> {
    const socket = nodeConnect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const client = new RawClient(socket);
    clients.push(client);
    return client;
  }

  protected write(data: Buffer): void {
    this.#socket.write(data);
  }

  /** Each piece in a packet of its own, as far as that can be: the server has taken one before the next is sent. */
  async sayEach(pieces: readonly (string | Buffer)[]): Promise<this> {
    for (const piece of pieces) {
      await new Promise<void>((resolve) => this.#socket.write(Buffer.from(piece as string, 'latin1'), () => resolve()));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return this;
  }

  end(): this {
    this.#socket.end();
    return this;
  }

  pause(): this {
    this.#socket.pause();
    return this;
  }

  resume(): this {
    this.#socket.resume();
    return this;
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** One request, one reply, on a connection of its own. */
export async function ask(server: HttpServer, request: string | Buffer, isHead = false): Promise<RawReply> {
  const client = await RawClient.open(server);
  const reply = await client.say(request).reply(isHead);
  client.destroy();
  return reply;
}
