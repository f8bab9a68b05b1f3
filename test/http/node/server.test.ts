// The face of http.Server.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as nodeRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createServer, serveNode } from '../../../lib/http/index.js';
import { localhost } from '../../tls/certificates.js';
import { ask, get, RawClient } from '../scene.js';
import { deferred, listening, startNode } from './scene.js';

describe('createServer', () => {
  test('listens in all forms', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'millrace-listen-'));
    const file = path.join(folder, 'socket');
    const forms: ((done: () => void) => ReturnType<typeof createServer>)[] = [
      (done) => createServer().listen(0, '127.0.0.1', done),
      (done) => createServer().listen(0, '127.0.0.1', 16, done),
      (done) => createServer().listen(0, done),
      (done) => createServer().listen('0', done),
      (done) => createServer().listen({ port: 0, host: 'localhost' }, done),
      (done) => createServer().listen(undefined, done),
      (done) => createServer().listen(file, done),
    ];
    for (const form of forms) {
      const ready = deferred();
      const server = form(() => ready.resolve());
      await ready.promise;
      expect(server.listening).toBe(true);
      const address = server.address();
      if (typeof address === 'string') expect(address).toBe(file);
      else expect((address as AddressInfo).port).toBeGreaterThan(0);
      await new Promise((resolve) => server.close(resolve));
      expect(server.listening).toBe(false);
      expect(server.address()).toBe(null);
    }
    rmSync(folder, { recursive: true });
    expect(() => createServer().listen(70_000)).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' }));
    expect(() => createServer({ keepAliveTimeout: -1 })).toThrow(RangeError);
    expect(() => createServer('x' as never)).toThrow(TypeError);
  });

  test('tells of a port that is taken, and can try another one', async () => {
    const first = await startNode(() => {});
    const second = createServer((_request, response) => response.end('second'));
    second.listen(first.port, '127.0.0.1');
    const [error] = await once(second, 'error');
    expect(error).toMatchObject({ code: 'EADDRINUSE', port: first.port });
    const ready = await listening(second);
    expect((await ask(ready as never, get())).text).toBe('second');
    expect(() => ready.listen(0)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_ALREADY_LISTEN' }));
  });

  test('closes: idle connections at once, the others when they are answered', async () => {
    const held = deferred<() => void>();
    const server = createServer((request, response) => {
      if (request.url === '/held') held.resolve(() => response.end('at last'));
      else response.end('now');
    });
    const { port } = await listening(server);
    const idle = await RawClient.open({ port });
    expect((await idle.say(get('/')).reply()).text).toBe('now');
    const busy = await RawClient.open({ port });
    busy.say(get('/held'));
    const answer = await held.promise;
    const closed = deferred<unknown>();
    server.close((error?: Error) => closed.resolve(error));
    await idle.closed();
    answer();
    expect(await busy.reply()).toMatchObject({ text: 'at last', headers: { connection: 'close' } });
    await busy.closed();
    expect(await closed.promise).toBeUndefined();
    const [error] = await new Promise<unknown[]>((resolve) => server.close((...values) => resolve(values)));
    expect(error).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
  });

  test('closeAllConnections and closeIdleConnections', async () => {
    const server = await startNode((request, response) => void (request.url === '/' && response.end('x')));
    const idle = await RawClient.open(server as never);
    await idle.say(get()).reply();
    const busy = await RawClient.open(server as never);
    const arrived = once(server, 'request');
    busy.say(get('/never'));
    await arrived;
    expect(await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(2);
    server.closeIdleConnections();
    await idle.closed();
    server.closeAllConnections();
    await busy.closed();
  });

  test('is set like http.Server, also while it listens', async () => {
    const server = await startNode((_request, response) => response.end('x'), { keepAliveTimeout: 7_000 });
    expect(server.keepAliveTimeout).toBe(7_000);
    expect((await ask(server as never, get())).headers['keep-alive']).toBe('timeout=7');
    server.keepAliveTimeout = 9_000;
    expect((await ask(server as never, get())).headers['keep-alive']).toBe('timeout=9');
    expect([server.headersTimeout, server.requestTimeout, server.maxRequestsPerSocket]).toEqual([60_000, 300_000, 0]);
    server.maxRequestsPerSocket = 2;
    const client = await RawClient.open(server as never);
    expect((await client.say(get()).reply()).headers.connection).toBe('keep-alive');
    expect((await client.say(get()).reply()).headers.connection).toBe('close');
    await client.closed();
    expect(server.ref()).toBe(server);
    expect(server.unref()).toBe(server);
  });

  test('shows sockets of net.Socket’s kind', async () => {
    const seen = deferred<unknown>();
    const server = createServer((request, response) => {
      const { socket } = request;
      const { remoteAddress, remoteFamily, localPort, encrypted, destroyed, writable } = socket as never as Record<
        string,
        unknown
      >;
      expect(response.socket).toBe(socket);
      expect(request.connection).toBe(socket);
      seen.resolve({ remoteAddress, remoteFamily, localPort, encrypted, destroyed, writable });
      socket.setTimeout(0).setNoDelay(true).setKeepAlive(true, 1000);
      response.end('x');
    });
    const connections: Duplex[] = [];
    server.on('connection', (socket: Duplex) => connections.push(socket));
    const { port } = await listening(server);
    const client = await RawClient.open({ port });
    await client.say(get()).reply();
    expect(await seen.promise).toEqual({
      remoteAddress: '127.0.0.1',
      remoteFamily: 'IPv4',
      localPort: port,
      encrypted: false,
      destroyed: false,
      writable: true,
    });
    const closed = once(connections[0] as Duplex, 'close');
    client.destroy();
    await closed;
    expect(connections.length).toBe(1);
  });

  test('tells of connections that are quiet, and ends those that nobody cares for', async () => {
    const server = await startNode(() => {});
    server.setTimeout(20);
    const client = await RawClient.open(server as never);
    client.say(get());
    await client.closed();
    const told = deferred();
    server.setTimeout(20, (socket) => {
      told.resolve();
      socket.destroy();
    });
    const other = await RawClient.open(server as never);
    other.say(get());
    await told.promise;
    await other.closed();
  });

  test('hands a connection over to who upgrades it, with what was sent behind', async () => {
    const server = createServer((_request, response) => response.end('plain'));
    server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      expect(request.headers.upgrade).toBe('echo');
      expect(request.socket).toBe(socket);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.write(head);
      socket.pipe(socket);
    });
    const { port } = await listening(server);
    const client = await RawClient.open({ port });
    expect((await client.say(get()).reply()).text).toBe('plain');
    client.say(`${get('/', 'Connection: Upgrade', 'Upgrade: echo')}early`);
    const reply = await client.reply();
    expect(reply.status).toBe(101);
    expect((await client.received(5)).toString()).toBe('early');
    client.say(' and late').end();
    expect(await client.rest()).toBe('early and late');
  });

  test('answers requests for another protocol itself where nobody takes them', async () => {
    const server = await startNode((request, response) => response.end(String(request.headers.upgrade)));
    expect((await ask(server as never, get('/', 'Connection: Upgrade', 'Upgrade: h2c'))).text).toBe('h2c');
  });

  test('gives CONNECT to who proxies, and ends it where nobody does', async () => {
    const server = createServer();
    const { port } = await listening(server);
    const lost = await RawClient.open({ port });
    lost.say('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    await lost.closed();
    server.on('connect', (request, socket: Duplex) => socket.end(`HTTP/1.1 200 OK\r\n\r\nto ${request.url}`));
    const client = await RawClient.open({ port });
    client.say('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    client.end();
    expect(await client.rest()).toBe('HTTP/1.1 200 OK\r\n\r\nto a:1');
  });

  test('lets who wants to decide whether a client may continue', async () => {
    const server = createServer(() => {});
    server.on('checkContinue', (request, response) => {
      response.writeContinue();
      request.on('data', (bytes: Buffer) => response.end(bytes));
    });
    const { port } = await listening(server);
    const reply = await new Promise<string>((resolve) => {
      const client = nodeRequest({ port, method: 'POST', headers: { Expect: '100-continue', 'Content-Length': 2 } });
      client.on('continue', () => client.end('ok'));
      client.on('response', (response) => response.on('data', (bytes) => resolve(String(bytes))));
      client.flushHeaders();
    });
    expect(reply).toBe('ok');
  });

  test('refuses bodies where there is none, if it is to, as node:http does', async () => {
    const codes: unknown[] = [];
    const server = await startNode(
      (request, response) => {
        response.statusCode = request.method === 'HEAD' ? 200 : 204;
        for (const say of [() => response.end('body'), () => response.write('body')]) {
          try {
            say();
          } catch (error) {
            codes.push((error as { code: string }).code);
          }
        }
        response.end();
      },
      { rejectNonStandardBodyWrites: true },
    );
    expect((await ask(server as never, get())).status).toBe(204);
    expect((await ask(server as never, 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', true)).status).toBe(200);
    expect(codes).toEqual(Array(4).fill('ERR_HTTP_BODY_NOT_ALLOWED'));
  });

  test('ends a connection whose socket the app ends, answered or not', async () => {
    const said = 'HTTP/1.1 200 Mine\r\nContent-Length: 1\r\n\r\nx';
    const server = await startNode(({ socket }) => {
      socket.write(said);
      socket.end();
    });
    const client = await RawClient.open(server as never);
    client.say(get());
    expect(await client.rest()).toBe(said);
  });

  test('answers what is no request by itself', async () => {
    const server = await startNode(() => {});
    expect((await ask(server as never, 'GET / HTTP/1.1\r\nHost : a\r\n\r\n')).status).toBe(400);
  });

  test('lets who listens to clientError answer what is no request', async () => {
    const server = await startNode(() => {});
    const seen: unknown[] = [];
    server.on('clientError', (error: Error & { code: string; status: number }, socket: Duplex) => {
      seen.push([error.code, error.status, socket.writable]);
      socket.end('HTTP/1.1 418 Teapot\r\nContent-Length: 2\r\n\r\nno');
    });
    for (const bytes of ['GARBAGE\r\n\r\n', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`]) {
      const client = await RawClient.open(server as never);
      client.say(bytes);
      expect(await client.rest()).toBe('HTTP/1.1 418 Teapot\r\nContent-Length: 2\r\n\r\nno');
    }
    expect(seen).toEqual([
      ['ERR_MILLRACE_HTTP', 400, true],
      ['HPE_HEADER_OVERFLOW', 431, true],
    ]);
  });

  test('tells of a clientError behind the replies that were asked for before', async () => {
    const answered = deferred();
    const server = await startNode(async (_request, response) => {
      await answered.promise;
      response.end('first');
    });
    server.on('clientError', (_error, socket: Duplex) => {
      socket.write('HTTP/1.1 400 Mine\r\nContent-Length: 0\r\n\r\n');
      socket.destroy();
    });
    const client = await RawClient.open(server as never);
    client.say(`${get()}GARBAGE\r\n\r\n`);
    answered.resolve();
    expect((await client.reply()).text).toBe('first');
    expect((await client.reply()).reason).toBe('Mine');
    await client.closed();
  });

  test('ends a connection of which a listener to clientError says nothing', async () => {
    const server = await startNode(() => {});
    server.on('clientError', () => {});
    const client = await RawClient.open(server as never);
    client.say('GARBAGE\r\n\r\n');
    expect(await client.rest()).toBe('');
  });
});

test('createServer serves HTTPS', async () => {
  const { authority, server: identity } = localhost();
  const server = createServer({ tls: { key: identity.key, cert: identity.cert } }, (request, response) => {
    const { encrypted, remoteAddress } = request.socket as never as Record<string, unknown>;
    response.end(JSON.stringify({ encrypted, remoteAddress }));
  });
  const { port } = await listening(server);
  const text = await new Promise<string>((resolve, reject) => {
    const client = secureRequest(
      { port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert },
      (response) => {
        response.on('data', (bytes) => resolve(String(bytes)));
      },
    );
    client.on('error', reject).end();
  });
  expect(JSON.parse(text)).toEqual({ encrypted: true, remoteAddress: '127.0.0.1' });
});

test('serveNode listens at once', async () => {
  const server = serveNode((_request, response) => response.end('served'), { port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.end(get('/', 'Connection: close'));
  let text = '';
  for await (const bytes of socket) text += bytes;
  expect(text.endsWith('served')).toBe(true);
  await new Promise((resolve) => server.close(resolve));
});
