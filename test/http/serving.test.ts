import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { HttpError, Reply } from '../../lib/http/index.js';
import { sleep } from '../../lib/index.js';
import { until } from '../net/scene.js';
import { ask, get, post, RawClient, start } from './scene.js';

describe('a handler', () => {
  test('answers with text', async () => {
    const server = start({ fetch: (request) => `${request.method} ${request.path}` });
    const reply = await ask(server, get('/over/there?x=1'));
    expect(reply).toMatchObject({ status: 200, reason: 'OK', text: 'GET /over/there' });
    expect(reply.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'content-length': '15' });
    expect(Math.abs(Date.parse(reply.headers.date as string) - Date.now())).toBeLessThan(10_000);
    expect(reply.headers.connection).toBeUndefined();
  });

  test('answers with text that is no ASCII', async () => {
    const server = start({ fetch: () => 'Grüße, 世界' });
    const reply = await ask(server, get());
    expect(reply.text).toBe('Grüße, 世界');
  });

  test.each([1, 2, 5])('answers %i at a time with texts of any length and alphabet, whole', async (together) => {
    const texts = ['', 'a', 'ü'];
    for (const length of [12, 13, 24, 25, 100, 4095, 4096, 5000, 32_768, 32_769, 70_000]) {
      // Flat, and put together of pieces; with a character of two bytes, of three, of two code units; at either end.
      for (const odd of ['', 'x', '\u0080', 'ü', '世', '🜨']) {
        texts.push(`${odd}${'a'.repeat(length - odd.length)}`, `${'b'.repeat(length - odd.length)}${odd}`);
      }
    }
    const server = start({ fetch: (request) => texts[Number(request.path.slice(1))] as string });
    const client = await RawClient.open(server);
    for (let at = 0; at < texts.length; at += together) {
      const asked = texts.slice(at, at + together);
      client.say(asked.map((_, i) => get(`/${at + i}`)).join(''));
      for (const text of asked) {
        const reply = await client.reply();
        expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(text)));
        expect(reply.text === text).toBe(true);
      }
    }
  });

  test('answers with bytes, a Reply, a Response, an async iterable, a promise, as a fiber', async () => {
    const server = start({
      routes: {
        '/bytes': () => Buffer.from([0, 255, 10]),
        '/reply': () => new Reply('made', { status: 201, headers: { Location: '/x', 'Set-Cookie': ['a=1', 'b=2'] } }),
        '/json': () => Reply.json({ a: [1, 'ü'] }),
        '/response': () => new Response('from the web', { status: 202, headers: { 'x-y': 'z' } }),
        '/iterable': async function* () {
          yield 'one ';
          await sleep(1);
          yield Buffer.from('two');
        },
        '/promise': async () => {
          await sleep(1);
          return 'later';
        },
        '/fiber': function* () {
          yield* sleep(1);
          return 'resumed';
        } as never,
      },
    });
    const client = await RawClient.open(server);
    expect((await client.say(get('/bytes')).reply()).body).toEqual(Buffer.from([0, 255, 10]));
    expect(await client.say(get('/reply')).reply()).toMatchObject({
      status: 201,
      text: 'made',
      headers: { location: '/x', 'set-cookie': 'a=1, b=2' },
    });
    expect(await client.say(get('/json')).reply()).toMatchObject({
      text: '{"a":[1,"ü"]}',
      headers: { 'content-type': 'application/json; charset=utf-8', 'content-length': '14' },
    });
    expect(await client.say(get('/response')).reply()).toMatchObject({
      status: 202,
      text: 'from the web',
      headers: { 'x-y': 'z', 'content-length': '12' },
    });
    expect(await client.say(get('/iterable')).reply()).toMatchObject({
      text: 'one two',
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect((await client.say(get('/promise')).reply()).text).toBe('later');
    expect((await client.say(get('/fiber')).reply()).text).toBe('resumed');
  });

  test('that is a fiber is aborted when its client goes', async () => {
    const steps: string[] = [];
    const told: unknown[] = [];
    const server = start({
      fetch: function* () {
        try {
          steps.push('waits');
          yield* sleep(3_600_000);
          return 'never';
        } finally {
          steps.push('ended');
        }
      } as never,
      handlerError: (error) => told.push(error),
    });
    const client = await RawClient.open(server);
    client.say(get());
    await until(() => steps.length === 1);
    client.reset();
    await until(() => steps.length === 2);
    expect(steps).toEqual(['waits', 'ended']);
    expect(told).toEqual([]);
    expect(server.pendingRequests).toBe(0);
  });

  test('reads bodies: text, JSON, bytes, piece by piece', async () => {
    const server = start({
      routes: {
        '/text': { POST: async (request) => `${(await request.text()).toUpperCase()}!` },
        '/json': { POST: async (request) => Reply.json({ got: await request.json() }) },
        '/sync': { POST: (request) => request.bytes().then((bytes) => String(bytes.length)) },
        '/pieces': {
          POST: async (request) => {
            let length = 0;
            for await (const bytes of request.body) length += bytes.length;
            return String(length);
          },
        },
      },
    });
    const client = await RawClient.open(server);
    expect((await client.say(post('/text', 'grüße')).reply()).text).toBe('GRÜSSE!');
    expect((await client.say(post('/json', '{"a":1}')).reply()).text).toBe('{"got":{"a":1}}');
    expect((await client.say(post('/sync', 'x'.repeat(100))).reply()).text).toBe('100');
    expect((await client.say(post('/pieces', 'y'.repeat(300_000))).reply()).text).toBe('300000');
    expect(await client.say(post('/json', '{"a":')).reply()).toMatchObject({ status: 400 });
    expect((await client.say(post('/text', 'on the same connection')).reply()).text).toBe('ON THE SAME CONNECTION!');
  });

  test('reads a body in chunks, with trailers', async () => {
    const server = start({
      fetch: async (request) => `${await request.text()} ${request.trailers.get('x-sum')}`,
    });
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunks = '3\r\none\r\n5;a=b\r\n two \r\n0\r\nX-Sum: 8\r\n\r\n';
    const client = await RawClient.open(server);
    expect((await client.say(head + chunks).reply()).text).toBe('one two  8');
    await client.sayEach((head + chunks).split(''));
    expect((await client.reply()).text).toBe('one two  8');
  });

  test('that throws is 500, and the connection goes on', async () => {
    const told: unknown[] = [];
    const server = start({
      routes: {
        '/throw': () => {
          throw new Error('secret');
        },
        '/reject': () => Promise.reject(new Error('secret')),
        '/nothing': () => undefined as never,
        '/fine': 'fine',
      },
      handlerError: (error) => told.push((error as Error).message),
    });
    const client = await RawClient.open(server);
    for (const path of ['/throw', '/reject', '/nothing']) {
      const reply = await client.say(get(path)).reply();
      expect(reply).toMatchObject({ status: 500, text: 'Internal Server Error\n' });
    }
    expect((await client.say(get('/fine')).reply()).text).toBe('fine');
    expect(told).toEqual(['secret', 'secret', expect.stringContaining('What a handler returns must be')]);
  });
});

describe('error', () => {
  test('gives text with the status of what was thrown, a Reply as it is, and what it throws on to nobody else', async () => {
    const server = start({
      fetch(request) {
        if (request.path === '/none') throw new HttpError(404, 'nothing');
        throw new Error(request.path);
      },
      error(error, { path }) {
        if (path === '/on') throw error;
        if (path === '/reply') return new Reply('busy', { status: 503 });
        return path === '/bytes' ? Promise.resolve(Buffer.from('bytes')) : `sorry: ${(error as Error).message}`;
      },
      handlerError: () => {},
    });
    const said = async (path: string): Promise<string> => {
      const { status, text } = await ask(server, get(path));
      return `${status} ${text.trim()}`;
    };
    expect(await said('/none')).toBe('404 sorry: nothing');
    expect(await said('/bug')).toBe('500 sorry: /bug');
    expect(await said('/bytes')).toBe('500 bytes');
    expect(await said('/reply')).toBe('503 busy');
    expect(await said('/on')).toBe('500 Internal Server Error');
  });
});

describe('pipelined requests', () => {
  test('are answered in their order, whoever is done first', async () => {
    const waits = [30, 1, 15, 0, 5];
    const server = start({
      fetch: (request) => {
        const ms = Number(request.query.get('ms'));
        return ms === 0 ? `${request.path} at once` : sleep(ms).then(() => `${request.path} after ${ms}`);
      },
    });
    const client = await RawClient.open(server);
    client.say(waits.map((ms, i) => get(`/${i}?ms=${ms}`)).join(''));
    for (const [i, ms] of waits.entries()) {
      expect((await client.reply()).text).toBe(ms === 0 ? `/${i} at once` : `/${i} after ${ms}`);
    }
  });

  test('beyond the depth wait for their turn', async () => {
    let running = 0;
    let most = 0;
    const server = start({
      limits: { pipelineDepth: 3 },
      fetch: async (request) => {
        most = Math.max(most, ++running);
        await sleep(1);
        running--;
        return request.path;
      },
    });
    const client = await RawClient.open(server);
    client.say(Array.from({ length: 50 }, (_, i) => get(`/${i}`)).join(''));
    for (let i = 0; i < 50; i++) expect((await client.reply()).text).toBe(`/${i}`);
    expect(most).toBe(3);
  });
});

describe('the end', () => {
  test('comes after the reply to Connection: close, and to HTTP/1.0', async () => {
    const server = start({ fetch: () => 'bye' });
    const client = await RawClient.open(server);
    const reply = await client.say(get('/', 'Connection: close')).reply();
    expect(reply.headers.connection).toBe('close');
    expect(await client.rest()).toBe('');
    const old = await RawClient.open(server);
    expect((await old.say('GET / HTTP/1.0\r\n\r\n').reply()).headers.connection).toBe('close');
    expect(await old.rest()).toBe('');
    const kept = await RawClient.open(server);
    kept.say('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect((await kept.reply()).headers.connection).toBe('keep-alive');
    expect((await kept.say(get()).reply()).text).toBe('bye');
  });

  test('of a peer that only ends its own side comes after its reply', async () => {
    const server = start({ fetch: () => sleep(5).then(() => 'still here') });
    const client = await RawClient.open(server);
    client.say(get()).end();
    expect((await client.reply()).text).toBe('still here');
    expect(await client.rest()).toBe('');
  });

  test('of a peer is no failure of a handler that gives up because of it', async () => {
    const failures: unknown[] = [];
    const answered: number[] = [];
    const server = start({
      handlerError: (error) => void failures.push(error),
      accessLog: ({ status }) => void answered.push(status),
      fetch: ({ signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const client = await RawClient.open(server);
    client.say(get());
    while (server.pendingRequests === 0) await sleep(1);
    client.end();
    await client.closed();
    expect([failures, answered, server.pendingRequests]).toEqual([[], [0], 0]);
  });

  test('of a peer is no failure of a producer that gives up because of it, half way through a reply', async () => {
    const failures: unknown[] = [];
    const server = start({
      handlerError: (error) => void failures.push(error),
      fetch: () =>
        Reply.stream(function* (writer) {
          yield* writer.write('the first part');
          yield* sleep(60_000, { signal: writer.signal });
        }),
    });
    const client = await RawClient.open(server);
    await client.say(get()).received(100);
    client.end();
    await client.closed();
    while (server.connections > 0) await sleep(1);
    expect(failures).toEqual([]);
  });

  test('of the server lets what is being answered finish, and closes idle connections', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = start({ fetch: (request) => (request.path === '/slow' ? gate.then(() => 'done') : 'at once') });
    const idle = await RawClient.open(server);
    await idle.say(get()).reply();
    const busy = await RawClient.open(server);
    busy.say(get('/slow'));
    while (server.pendingRequests === 0) await sleep(1);
    const closed = server.close();
    expect(await idle.rest()).toBe('');
    idle.end();
    release();
    const reply = await busy.reply();
    expect(reply).toMatchObject({ text: 'done', headers: { connection: 'close' } });
    expect(await busy.rest()).toBe('');
    busy.end();
    expect(await closed).toBe(0);
  });
});
