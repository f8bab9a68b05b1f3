// Requests that ask for another protocol: the socket is handed over clean, or HTTP goes on as if nobody had asked.
import { describe, expect, test } from 'vitest';
import type { HttpRequest, HttpServer } from '../../../lib/http/index.js';
import { codeOf } from '../../net/scene.js';
import { FakePeer, get, rest, start, until } from '../fake-scene.js';

const UPGRADE = ['Connection: Upgrade', 'Upgrade: echo'];

/** Sends back whatever comes, behind what had come already. */
function echo(request: HttpRequest): string {
  const { socket, received } = request.upgrade();
  if (received.length > 0) void socket.write(received);
  socket.setHandlers({ data: (from, chunk) => void from.write(chunk), end: (from) => void from.close() });
  return 'never sent';
}

async function upgraded(server: HttpServer): Promise<FakePeer> {
  const peer = await FakePeer.open(server);
  peer.say(get('/', ...UPGRADE));
  const reply = await peer.reply();
  expect(reply).toMatchObject({ status: 101, headers: { upgrade: 'echo', connection: 'Upgrade' } });
  return peer;
}

describe('an upgrade', () => {
  test('hands over the socket, and with it what stands behind the head', async () => {
    const server = start({ fetch: echo });
    const peer = await FakePeer.open(server);
    peer.say(`${get('/', ...UPGRADE)}early ${get('/not-http')}`);
    expect((await peer.reply()).status).toBe(101);
    const early = `early ${get('/not-http')}`;
    expect((await peer.received(early.length)).toString()).toBe(early);
    peer.say('late');
    expect((await peer.received(early.length + 4)).toString()).toBe(`${early}late`);
    expect([server.connections, server.pendingRequests]).toEqual([0, 0]);
    peer.end();
    await peer.closed();
  });

  test('is told to who keeps count, with the status that was sent, while its request can be read', async () => {
    const log: string[] = [];
    const server = start({
      fetch: (request) => {
        request.upgrade(request.path === '/own' ? { status: null } : {});
        return '';
      },
      accessLog: ({ request, status, durationMs }) =>
        log.push(`${request.method} ${request.target} ${status} ${durationMs}`),
    });
    for (const path of ['/', '/own']) (await FakePeer.open(server)).say(get(path, ...UPGRADE));
    (await FakePeer.open(server)).say('CONNECT b:1 HTTP/1.1\r\nHost: a\r\n\r\n');
    await rest();
    expect(log.sort()).toEqual(['CONNECT b:1 200 0', 'GET / 101 0', 'GET /own 101 0']);
    expect(server.stats().replies).toEqual([
      { method: 'GET', status: '1xx', count: 2 },
      { method: 'CONNECT', status: '2xx', count: 1 },
    ]);
  });

  // RFC 9110, 8.6 and RFC 9112, 6.1: not in 1xx, nor in 2xx to CONNECT.
  test('has no fields of framing, whatever it is given', async () => {
    const headers = { 'Content-Length': 5, 'Transfer-Encoding': 'chunked', 'X-Own': 'x' };
    const server = start({ fetch: (request) => String(request.upgrade({ headers }).received) });
    for (const request of [get('/', ...UPGRADE), 'CONNECT b:1 HTTP/1.1\r\nHost: a\r\n\r\n']) {
      const peer = await FakePeer.open(server);
      // A head alone, as far as its fields are read.
      const { headers: sent } = await peer.say(request).reply(true);
      expect([sent['x-own'], sent['content-length'], sent['transfer-encoding']]).toEqual(['x', undefined, undefined]);
    }
  });

  test('waits for the replies to those before it, and nothing behind it is taken for HTTP', async () => {
    const handled: string[] = [];
    let answer = (_text: string): void => {};
    const server = start({
      fetch: (request) => {
        handled.push(request.path);
        if (request.wantsUpgrade) return echo(request);
        return new Promise<string>((resolve) => {
          answer = resolve;
        });
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/2', ...UPGRADE) + get('/3'));
    await rest();
    expect(handled).toEqual(['/1']);
    answer('one');
    expect((await peer.reply()).text).toBe('one');
    expect((await peer.reply()).status).toBe(101);
    expect((await peer.received(get('/3').length)).toString()).toBe(get('/3'));
    expect(handled).toEqual(['/1', '/2']);
  });

  test('may be decided later, and by a fiber', async () => {
    const server = start({
      fetch: async (request) => {
        await rest();
        return echo(request);
      },
    });
    const peer = await upgraded(server);
    peer.say('hello');
    expect((await peer.received(5)).toString()).toBe('hello');
  });

  test('that is refused at once is answered at once, and HTTP goes on', async () => {
    const server = start({ fetch: (request) => `${request.path} refused` });
    const peer = await FakePeer.open(server);
    peer.say(get('/1', ...UPGRADE));
    expect(await peer.reply()).toMatchObject({ status: 200, text: '/1 refused', headers: {} });
    peer.say(get('/2', ...UPGRADE) + get('/3') + get('/4', ...UPGRADE));
    for (const path of ['/2', '/3', '/4']) expect((await peer.reply()).text).toBe(`${path} refused`);
  });

  test('that is refused later holds up what is behind it, and HTTP goes on', async () => {
    const server = start({
      fetch: async (request) => {
        await rest();
        return `${request.path} refused`;
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1', ...UPGRADE) + get('/2'));
    for (const path of ['/1', '/2']) expect((await peer.reply()).text).toBe(`${path} refused`);
  });

  test('with a body: it can be read, and refused, as clients that offer h2c need it', async () => {
    const server = start({ fetch: async (request) => `got ${await request.text()}` });
    const peer = await FakePeer.open(server);
    const fields = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
    const head = `POST / HTTP/1.1\r\nHost: a\r\n${fields.join('\r\n')}\r\nContent-Length: 5\r\n\r\n`;
    expect((await peer.say(`${head}hello${get()}`).reply()).text).toBe('got hello');
    expect((await peer.reply()).text).toBe('got ');
    peer.say(head);
    await rest();
    expect((await peer.say('later').reply()).text).toBe('got later');
  });

  test('with a body begins behind it', async () => {
    const codes: unknown[] = [];
    const server = start({
      fetch: async (request) => {
        codes.push(await codeOf(() => request.upgrade()));
        const body = await request.text();
        const { socket, received } = request.upgrade();
        void socket.write(`${body}|${received}`);
        return '';
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(`POST / HTTP/1.1\r\nHost: a\r\n${UPGRADE.join('\r\n')}\r\nContent-Length: 4\r\n\r\nbo`);
    await rest();
    peer.say('dybehind');
    expect((await peer.reply()).status).toBe(101);
    expect((await peer.received(11)).toString()).toBe('body|behind');
    expect(codes).toEqual(['ERR_MILLRACE_INVALID_STATE']);
  });

  test('cannot be agreed to twice, nor after a reply, nor where none was asked for', async () => {
    const codes: unknown[] = [];
    let kept: HttpRequest | null = null;
    const server = start({
      fetch: async (request) => {
        if (!request.wantsUpgrade) codes.push(await codeOf(() => request.upgrade()));
        if (request.path === '/twice') {
          request.upgrade();
          codes.push(await codeOf(() => request.upgrade()));
        }
        kept = request;
        return 'answered';
      },
    });
    const peer = await FakePeer.open(server);
    expect((await peer.say(get()).reply()).text).toBe('answered');
    expect((await peer.say(get('/', ...UPGRADE)).reply()).text).toBe('answered');
    codes.push(await codeOf(() => kept?.upgrade()));
    expect((await peer.say(get('/twice', ...UPGRADE)).reply()).status).toBe(101);
    expect(codes).toEqual(['ERR_MILLRACE_INVALID_STATE', 'ERR_MILLRACE_INVALID_STATE', 'ERR_MILLRACE_SOCKET_CLOSED']);
  });

  test('whose peer goes while it waits is forgotten', async () => {
    const handled: string[] = [];
    const server = start({
      fetch: (request) => {
        handled.push(request.path);
        return new Promise<never>(() => {});
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/2', ...UPGRADE));
    await until(() => server.pendingRequests === 1);
    peer.reset();
    await until(() => server.connections === 0);
    expect(server.pendingRequests).toBe(0);
    expect(handled).toEqual(['/1']);
  });
});

describe('CONNECT', () => {
  test('hands over the socket with 200', async () => {
    const server = start({ fetch: echo });
    const peer = await FakePeer.open(server);
    peer.say('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
    await until(() => peer.text.includes('\r\n\r\n'));
    expect(peer.text).toBe('HTTP/1.1 200 OK\r\n\r\n');
    peer.say('through the tunnel');
    await until(() => peer.text.endsWith('through the tunnel'));
  });

  test('that is refused ends the connection: what follows was meant for the tunnel', async () => {
    const handled: string[] = [];
    const server = start({
      fetch: (request) => {
        handled.push(request.method);
        return 'no';
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(`CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n${get('/smuggled')}`);
    expect((await peer.reply()).headers.connection).toBe('close');
    expect(await peer.rest()).toBe('');
    expect(handled).toEqual(['CONNECT']);
  });
});
