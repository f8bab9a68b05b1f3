// Whose reply leaves when, and what becomes of the others when the connection ends in the middle of a pipeline.
import { describe, expect, test } from 'vitest';
import { Reply } from '../../../lib/http/index.js';
import { Deferred } from '../../net/scene.js';
import { FakePeer, get, post, rest, start, until } from '../fake-scene.js';

/** A handler whose replies are let go by name: the path. */
function gates() {
  const waiting = new Map<string, Deferred<string>>();
  const handled: string[] = [];
  return {
    handled,
    fetch(request: { path: string }): Promise<string> {
      handled.push(request.path);
      const gate = new Deferred<string>();
      waiting.set(request.path, gate);
      return gate.promise;
    },
    async open(path: string): Promise<void> {
      await until(() => waiting.has(path));
      waiting.get(path)?.resolve(path);
      await rest();
    },
  };
}

describe('Connection: close in the middle of a pipeline', () => {
  test('of the peer: those before it are answered, it is the last, and those behind it are never handled', async () => {
    const { handled, fetch, open } = gates();
    const peer = await FakePeer.open(start({ fetch }));
    peer.say(get('/1') + get('/2', 'Connection: close') + get('/3'));
    await open('/2');
    await open('/1');
    const [one, two] = [await peer.reply(), await peer.reply()];
    expect([one.text, one.headers.connection]).toEqual(['/1', undefined]);
    expect([two.text, two.headers.connection]).toEqual(['/2', 'close']);
    expect(await peer.rest()).toBe('');
    expect(handled).toEqual(['/1', '/2']);
  });

  test('of the peer, answered at once: nothing behind it is handled', async () => {
    const handled: string[] = [];
    const server = start({
      fetch: (request) => {
        handled.push(request.path);
        return request.path;
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/2', 'Connection: close') + get('/3'));
    expect((await peer.reply()).text).toBe('/1');
    expect((await peer.reply()).headers.connection).toBe('close');
    expect(await peer.rest()).toBe('');
    expect(handled).toEqual(['/1', '/2']);
  });

  test('of a handler: what stands behind it is not answered', async () => {
    const server = start({
      fetch: async (request) =>
        new Reply(request.path, { headers: request.path === '/2' ? { Connection: 'close' } : {} }),
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/2') + get('/3'));
    expect((await peer.reply()).headers.connection).toBeUndefined();
    expect((await peer.reply()).headers.connection).toBe('close');
    expect(await peer.rest()).toBe('');
  });

  // RFC 9112, 9.6
  test('of a handler, said already: what comes then is never handled', async () => {
    const handled: string[] = [];
    const gate = new Deferred<void>();
    const server = start({
      fetch: ({ path }) => {
        handled.push(path);
        return Reply.stream(
          async (writer) => {
            await writer.write('begun ');
            await gate.promise;
          },
          { headers: { Connection: 'close' } },
        );
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1'));
    await until(() => peer.text.includes('begun'));
    peer.say(get('/2'));
    await rest();
    gate.resolve();
    expect(await peer.reply()).toMatchObject({ text: 'begun ', headers: { connection: 'close' } });
    expect(await peer.rest()).toBe('');
    expect(handled).toEqual(['/1']);
  });

  test('of a handler, with an upgrade waiting behind it: the connection ends', async () => {
    const server = start({ fetch: async () => new Reply('bye', { headers: { Connection: 'close' } }) });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/2', 'Connection: Upgrade', 'Upgrade: x'));
    expect((await peer.reply()).text).toBe('bye');
    expect(await peer.rest()).toBe('');
  });
});

describe('the end of a connection', () => {
  test('by the peer, behind a pipeline: every request is answered, and only the last reply says close', async () => {
    const { fetch, open } = gates();
    const peer = await FakePeer.open(start({ fetch }));
    peer.say(get('/1') + get('/2') + get('/3')).end();
    await rest();
    for (const path of ['/2', '/1', '/3']) await open(path);
    const replies = [await peer.reply(), await peer.reply(), await peer.reply()];
    expect(replies.map(({ text }) => text)).toEqual(['/1', '/2', '/3']);
    expect(replies.map(({ headers }) => headers.connection)).toEqual([undefined, undefined, 'close']);
    expect(await peer.rest()).toBe('');
  });

  test('by the server: every request that was taken is answered, and only the last reply says close', async () => {
    const { fetch, open } = gates();
    const server = start({ fetch });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/2'));
    await until(() => server.pendingRequests === 2);
    const closed = server.close({ drainMs: 5000 });
    await rest();
    await open('/1');
    await open('/2');
    expect((await peer.reply()).headers.connection).toBeUndefined();
    expect((await peer.reply()).headers.connection).toBe('close');
    expect(await peer.rest()).toBe('');
    peer.end();
    expect(await closed).toBe(0);
  });

  test('by the server, in the middle of a head: that request is answered', async () => {
    const server = start({ fetch: () => 'late, but answered' });
    const peer = await FakePeer.open(server);
    peer.say('GET / HTTP/1.1\r\nHo');
    await rest();
    const closed = server.close({ drainMs: 5000 });
    await rest();
    peer.say('st: a\r\n\r\n');
    expect(await peer.reply()).toMatchObject({ text: 'late, but answered', headers: { connection: 'close' } });
    peer.end();
    expect(await closed).toBe(0);
  });

  test('by a request that is none: those before it are answered, it is refused, what follows is never handled', async () => {
    const { handled, fetch, open } = gates();
    const peer = await FakePeer.open(start({ fetch }));
    peer.say(`${get('/1') + get('/2')}GET / HTTP/1.1\r\nno field\r\n\r\n${get('/3')}`);
    await open('/2');
    await open('/1');
    expect((await peer.reply()).headers.connection).toBeUndefined();
    expect((await peer.reply()).headers.connection).toBeUndefined();
    expect(await peer.reply()).toMatchObject({ status: 400, headers: { connection: 'close' } });
    expect(await peer.rest()).toBe('');
    expect(handled).toEqual(['/1', '/2']);
  });

  test('by the last of so many requests: it is answered, and no more than those are handled', async () => {
    const { handled, fetch, open } = gates();
    const peer = await FakePeer.open(start({ fetch, limits: { requestsPerConnection: 3 } }));
    peer.say([1, 2, 3, 4, 5].map((i) => get(`/${i}`)).join(''));
    for (const path of ['/3', '/2', '/1']) await open(path);
    const replies = [await peer.reply(), await peer.reply(), await peer.reply()];
    expect(replies.map(({ text }) => text)).toEqual(['/1', '/2', '/3']);
    expect(replies.map(({ headers }) => headers.connection)).toEqual([undefined, undefined, 'close']);
    expect(await peer.rest()).toBe('');
    expect(handled).toEqual(['/1', '/2', '/3']);
  });

  test('by the last of so many requests, of which C++ answers some', async () => {
    const server = start({ routes: { '/static': 'S' }, fetch: () => 'J', limits: { requestsPerConnection: 100 } });
    const peer = await FakePeer.open(server);
    peer.say(get('/static').repeat(150));
    let replies = 0;
    for (let last = false; !last; replies++) last = (await peer.reply()).headers.connection === 'close';
    expect(replies).toBe(100);
    expect(await peer.rest()).toBe('');
  });
});

describe('a reply that breaks off', () => {
  test('before its turn harms none of those before it', async () => {
    const { fetch, open } = gates();
    const told: unknown[] = [];
    const server = start({
      fetch: (request) =>
        request.path === '/broken'
          ? Reply.stream(async () => {
              throw new Error('broken');
            })
          : fetch(request),
      handlerError: (error) => told.push((error as Error).message),
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/broken') + get('/3'));
    await open('/3');
    await open('/1');
    expect((await peer.reply()).text).toBe('/1');
    expect(await peer.rest()).toBe('');
    expect(told).toEqual(['broken']);
  });

  test('is not taken for a whole one, and those before it have arrived', async () => {
    const server = start({
      fetch: (request) =>
        request.path === '/broken'
          ? Reply.stream(async (writer) => {
              await writer.write('half');
              throw new Error('broken');
            })
          : 'whole',
      handlerError() {},
    });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + get('/broken') + get('/3'));
    expect((await peer.reply()).text).toBe('whole');
    expect(await peer.rest()).toMatch(/\r\n\r\n4\r\nhalf\r\n$/);
  });

  test('is a reset where the end of the connection would be the end of the body', async () => {
    const server = start({
      fetch: () =>
        Reply.stream(async (writer) => {
          await writer.write('half');
          throw new Error('broken');
        }),
      handlerError() {},
    });
    const peer = await FakePeer.open(server);
    peer.say('GET / HTTP/1.0\r\n\r\n');
    await peer.closed();
    expect(peer.error).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('a reply that is early', () => {
  test('leaves the connection when the rest of the body is short, and ends it when that is long', async () => {
    const server = start({ fetch: () => 'early' });
    const peer = await FakePeer.open(server);
    peer.say(post('/', 'x'.repeat(1000)).slice(0, -500));
    expect(await peer.reply()).toMatchObject({ text: 'early', headers: {} });
    peer.say('x'.repeat(500) + get());
    expect((await peer.reply()).text).toBe('early');
    peer.say(post('/', 'x'.repeat(1_000_000)).slice(0, 1000));
    expect((await peer.reply()).headers.connection).toBe('close');
    // All of it is still taken, so that no reset overtakes the reply.
    peer.say('x'.repeat(999_000));
    await until(() => peer.unsent === 0);
    expect(await peer.rest()).toBe('');
    expect(peer.error).toBeNull();
  });

  test('to a body in chunks that does not end ends the connection after a while', async () => {
    const server = start({ fetch: () => 'early' });
    const peer = await FakePeer.open(server);
    peer.say('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect((await peer.reply()).headers.connection).toBeUndefined();
    for (let i = 0; i < 20; i++) peer.say(`4000\r\n${'x'.repeat(0x4000)}\r\n`);
    expect(await peer.rest()).toBe('');
  });

  test('to a request in the middle of whose body nonsense comes: the connection ends', async () => {
    const server = start({ fetch: () => 'early' });
    const peer = await FakePeer.open(server);
    peer.say('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect((await peer.reply()).text).toBe('early');
    peer.say('nonsense\r\n');
    expect(await peer.rest()).toBe('');
  });
});

describe('Expect: 100-continue', () => {
  const head = (length: number): string =>
    `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: ${length}\r\n\r\n`;

  test('is answered when the body is read, once, and the connection is kept', async () => {
    const server = start({ fetch: async (request) => `got ${await request.text()}` });
    const peer = await FakePeer.open(server);
    peer.say(head(4));
    expect((await peer.reply()).status).toBe(100);
    peer.say('body');
    expect(await peer.reply()).toMatchObject({ status: 200, text: 'got body', headers: {} });
    expect((await peer.say(get()).reply()).text).toBe('got ');
  });

  test('is answered in its turn', async () => {
    const { fetch, open } = gates();
    const server = start({ fetch: (request) => (request.method === 'POST' ? request.text() : fetch(request)) });
    const peer = await FakePeer.open(server);
    peer.say(get('/1') + head(2));
    await rest();
    expect(peer.text).toBe('');
    await open('/1');
    expect((await peer.reply()).text).toBe('/1');
    expect((await peer.reply()).status).toBe(100);
    expect((await peer.say('ok').reply()).text).toBe('ok');
  });

  test('with a final status closes: the body may come or not', async () => {
    const server = start({ fetch: () => new Reply('no', { status: 403 }) });
    const peer = await FakePeer.open(server);
    expect(await peer.say(head(4)).reply()).toMatchObject({ status: 403, headers: { connection: 'close' } });
    expect(await peer.rest()).toBe('');
  });

  test('of a body that is too long is 413 at once, without being asked for', async () => {
    const server = start({ fetch: (request) => request.text(), limits: { bodyBytes: 1000 } });
    const peer = await FakePeer.open(server);
    expect(await peer.say(head(1001)).reply()).toMatchObject({ status: 413, headers: { connection: 'close' } });
    const other = await FakePeer.open(server);
    expect((await other.say(head(1000)).reply()).status).toBe(100);
  });

  test('of something else is 417', async () => {
    const server = start({ fetch: () => 'never' });
    const peer = await FakePeer.open(server);
    expect((await peer.say(get('/', 'Expect: wonders')).reply()).status).toBe(417);
    expect((await peer.say(get()).reply()).text).toBe('never');
  });
});
