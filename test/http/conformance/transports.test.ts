// The same server over TCP, a Unix socket and TLS: order, large bodies both ways, half closes, ends in the middle, upgrades.
import { once } from 'node:events';
import { connect as connectNet, type Socket as NodeSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { type HttpServer, Reply, type ServeOptions } from '../../../lib/http/index.js';
import { Deferred, pattern, until } from '../../net/scene.js';
import { localhost } from '../../tls/certificates.js';
import { get, post } from '../messages.js';
import { Peer } from '../peer.js';
import { start } from '../scene.js';

const { server: own, authority } = localhost();
const large = pattern(1_000_000);
const open: NodeSocket[] = [];
let names = 0;

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

class StreamPeer extends Peer {
  constructor(readonly socket: NodeSocket) {
    super();
    open.push(socket);
    socket.on('data', (bytes) => this.came(bytes));
    socket.on('end', () => this.over());
    socket.on('error', (error) => this.over(error));
    socket.on('close', () => this.over());
  }
  protected write(data: Buffer): void {
    this.socket.write(data);
  }
  end(): this {
    this.socket.end();
    return this;
  }
  pause(): this {
    this.socket.pause();
    return this;
  }
  resume(): this {
    this.socket.resume();
    return this;
  }
  reset(): void {
    this.socket.resetAndDestroy();
  }
  destroy(): void {
    this.socket.destroy();
  }
}

const transports = {
  TCP: {
    options: () => ({}),
    connect: ({ port }: HttpServer) => connectNet({ port, host: '127.0.0.1', allowHalfOpen: true }),
    connected: 'connect',
  },
  'a Unix socket': {
    options: () => ({ hostname: undefined, unix: join(tmpdir(), `millrace-http-${process.pid}-${names++}.sock`) }),
    connect: ({ address }: HttpServer) => connectNet({ path: address?.address as string, allowHalfOpen: true }),
    connected: 'connect',
  },
  TLS: {
    options: () => ({ tls: { key: own.key, cert: own.cert } }),
    connect: ({ port }: HttpServer) =>
      connectTls({
        port,
        host: '127.0.0.1',
        ca: authority.cert,
        servername: 'localhost',
        allowHalfOpen: true,
      } as never),
    connected: 'secureConnect',
  },
} as const;

describe.each(Object.entries(transports))('over %s', (_name, { options, connect, connected }) => {
  async function scene(given: ServeOptions): Promise<{ server: HttpServer; peer: StreamPeer }> {
    const server = start({ ...given, ...options() } as ServeOptions);
    await server.ready;
    const socket = connect(server);
    await once(socket, connected);
    return { server, peer: new StreamPeer(socket) };
  }

  test('a pipeline is answered in its order, static routes among it', async () => {
    const { peer } = await scene({
      routes: { '/static': 'static', '/later': async () => 'later' },
      fetch: ({ path }) => path,
    });
    const paths = ['/static', '/1', '/later', '/static', '/2', '/static'];
    peer.say(
      paths
        .map((path) => get(path))
        .join('')
        .repeat(50),
    );
    for (let i = 0; i < 50; i++) {
      for (const path of paths) expect((await peer.reply()).text).toBe(/^\/\d/.test(path) ? path : path.slice(1));
    }
  });

  test('large bodies go both ways, exact', async () => {
    const { peer } = await scene({
      limits: { bodyBytes: 2_000_000 },
      routes: {
        '/whole': { POST: async (request) => new Uint8Array(await request.bytes()) },
        '/pieces': {
          POST: (request) =>
            Reply.stream(async (writer) => {
              for await (const bytes of request.body) await writer.write(bytes);
            }),
        },
      },
    });
    for (const path of ['/whole', '/pieces', '/whole']) {
      peer.say(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${large.length}\r\n\r\n`);
      peer.say(large);
      expect((await peer.reply()).body.equals(large)).toBe(true);
    }
  });

  test('a peer that ends its side has all of its replies, and then the end', async () => {
    const { server, peer } = await scene({ fetch: async ({ path }) => path });
    peer.say(get('/1') + get('/2')).end();
    expect((await peer.reply()).text).toBe('/1');
    expect((await peer.reply()).text).toBe('/2');
    expect(await peer.rest()).toBe('');
    await until(() => server.connections === 0);
  });

  test('a peer that goes in the middle of its body, or of a reply, is told to the handler', async () => {
    const told: string[] = [];
    const { server, peer } = await scene({
      handlerError() {},
      fetch: async (request) => {
        if (request.method === 'GET') {
          return Reply.stream(async (writer) => {
            try {
              for (;;) await writer.write(large);
            } catch (error) {
              told.push((error as { code: string }).code);
              throw error;
            }
          });
        }
        return request.text().catch((error: unknown) => {
          told.push((error as { code: string }).code);
          throw error;
        });
      },
    });
    peer.say(post('/', 'x'.repeat(1000)).slice(0, -500));
    await until(() => server.pendingRequests === 1);
    peer.destroy();
    await until(() => server.connections === 0);
    await until(() => told.length === 1);
    const other = new StreamPeer(connect(server));
    await once(other.socket, connected);
    other.say(get());
    await other.received(100_000);
    other.destroy();
    await until(() => told.length === 2);
    await until(() => server.connections === 0);
    expect(server.pendingRequests).toBe(0);
  });

  test('an upgrade hands over a socket that talks', async () => {
    const ended = new Deferred<void>();
    const { server, peer } = await scene({
      fetch: (request) => {
        const { socket, received } = request.upgrade();
        void socket.write(`<${received}>`);
        (socket.setHandlers as (handlers: object) => void)({
          data: (from: typeof socket, chunk: { copy(): Buffer }) => void from.write(chunk.copy()),
          end: (from: typeof socket) => {
            void from.close();
            ended.resolve();
          },
        });
        return '';
      },
    });
    peer.say(`${get('/', 'Connection: Upgrade', 'Upgrade: echo')}early`);
    expect((await peer.reply()).status).toBe(101);
    await peer.received(7);
    peer.say(large);
    expect((await peer.received(7 + large.length)).equals(Buffer.concat([Buffer.from('<early>'), large]))).toBe(true);
    expect(server.connections).toBe(0);
    peer.end();
    await ended.promise;
    await peer.closed();
  });

  test('nonsense is refused, and the connection ends in order', async () => {
    const { peer } = await scene({ fetch: () => 'x' });
    peer.say(`${get()}nonsense\r\n\r\n${'x'.repeat(100_000)}`);
    expect((await peer.reply()).text).toBe('x');
    expect((await peer.reply()).status).toBe(400);
    expect(await peer.rest()).toBe('');
  });
});
