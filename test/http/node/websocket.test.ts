// The WebSocket library `ws` over our sockets, as its users set it up: on a server, and by hand on 'upgrade'.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createServer, type NodeServer, nodeHandler } from '../../../lib/http/index.js';
import { ask, get, RawClient, start } from '../scene.js';
import { listening, type Place, startNode } from './scene.js';

const LARGE_BYTES = 1024 * 1024;

/** Sends back what comes. */
function echo(sockets: WebSocketServer): void {
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('error', () => {});
  });
}

async function open(place: Place, path = '/', options = {}): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${place.port}${path}`, options);
  await once(client, 'open');
  return client;
}

async function answer(client: WebSocket, data: string | Buffer): Promise<Buffer> {
  const answered = once(client, 'message');
  client.send(data);
  return (await answered)[0] as Buffer;
}

async function closed(client: WebSocket, code: number, reason: string): Promise<unknown[]> {
  const closing = once(client, 'close');
  client.close(code, reason);
  const [seen, text] = await closing;
  return [seen, String(text)];
}

/** Text, bytes of every size of frame, compressed or not, pings, and a close that both agree upon. */
async function talk(client: WebSocket): Promise<void> {
  expect(String(await answer(client, 'grüezi'))).toBe('grüezi');
  for (const length of [0, 125, 126, 65_535, 65_536, LARGE_BYTES]) {
    const data = Buffer.alloc(length, length % 251);
    expect((await answer(client, data)).equals(data)).toBe(true);
  }
  const pong = once(client, 'pong');
  client.ping('there?');
  expect(String((await pong)[0])).toBe('there?');
  expect(await closed(client, 4000, 'enough')).toEqual([4000, 'enough']);
}

describe('ws', () => {
  test('talks on a server that also answers requests', async () => {
    const server = await startNode((request, response) => void response.end(`not a socket: ${request.url}`));
    echo(new WebSocketServer({ server: server as never }));
    await talk(await open(server));
    await talk(await open(server, '/', { perMessageDeflate: true }));
    expect((await ask(server as never, get('/page'))).text).toBe('not a socket: /page');
  });

  test('compresses where it is told to', async () => {
    const server = await startNode(() => {});
    echo(new WebSocketServer({ server: server as never, perMessageDeflate: { threshold: 0 } }));
    const client = await open(server);
    expect(client.extensions).toContain('permessage-deflate');
    await talk(client);
  });

  test('is handed the socket by who listens to upgrades, or refuses', async () => {
    const server = await startNode(() => {});
    const sockets = new WebSocketServer({ noServer: true });
    echo(sockets);
    server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/chat') {
        socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
    });
    await talk(await open(server, '/chat'));
    const refused = new WebSocket(`ws://127.0.0.1:${server.port}/other`);
    const [error] = (await once(refused, 'error')) as [Error];
    expect(error.message).toContain('401');
  });

  test('talks beside routes of Millrace’s', async () => {
    const sockets = new WebSocketServer({ noServer: true });
    echo(sockets);
    const upgrade = (request: IncomingMessage, socket: never, head: Buffer): void =>
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
    const server = start({
      routes: { '/page': () => 'a page' },
      fetch: nodeHandler((_request, response) => response.end('the app'), { upgrade: upgrade as never }),
    });
    await server.ready;
    await talk(await open(server));
    expect((await ask(server, get('/page'))).text).toBe('a page');
  });

  test('is given what the client has sent right behind its request', async () => {
    const server = await startNode(() => {});
    echo(new WebSocketServer({ server: server as never }));
    const raw = await RawClient.open(server as never);
    const head = get(
      '/',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    );
    // A text frame with a mask of zeros.
    const frame = Buffer.concat([Buffer.from([0x81, 0x82, 0, 0, 0, 0]), Buffer.from('hi')]);
    raw.say(Buffer.concat([Buffer.from(head), frame]));
    const echoed = '\x81\x02hi';
    const reply = await raw.reply();
    expect(reply.status).toBe(101);
    expect((await raw.received(echoed.length)).toString('latin1')).toBe(echoed);
    raw.destroy();
  });

  test('broadcasts to several hundred clients, and hears when they go', async () => {
    const server = await startNode(() => {});
    const sockets = new WebSocketServer({ server: server as never });
    sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        for (const client of sockets.clients) client.send(data);
      });
    });
    const clients = await Promise.all(Array.from({ length: 200 }, () => open(server)));
    const heard = Promise.all(clients.map((client) => once(client, 'message')));
    clients[0]?.send('all');
    expect(new Set((await heard).map(([data]) => String(data)))).toEqual(new Set(['all']));
    const gone = Promise.all([...sockets.clients].map((client) => once(client, 'close')));
    for (const client of clients) client.terminate();
    await gone;
    expect(sockets.clients.size).toBe(0);
  });

  test('is told of a listening error, and closes', async () => {
    const server: NodeServer = createServer();
    const sockets = new WebSocketServer({ server: server as never });
    await listening(server);
    expect(sockets.address()).toEqual(server.address());
    sockets.close();
    await once(sockets, 'close');
  });
});
