import { channel } from 'node:diagnostics_channel';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type AccessEntry, Reply, sendEvents } from '../../lib/http/index.js';
import { sleep } from '../../lib/index.js';
import { until } from '../net/scene.js';
import { ask, get, post, RawClient, start } from './scene.js';

describe('compression', () => {
  const text = 'All work and no play. '.repeat(500);
  const open = () =>
    start({
      compression: true,
      routes: {
        '/text': () => text,
        '/static': text,
        '/small': () => 'small',
        '/image': () => new Reply(Buffer.alloc(5000), { headers: { 'Content-Type': 'image/png' } }),
        '/response': () => new Response(text),
        '/stream': async function* () {
          for (let at = 0; at < text.length; at += 1000) yield text.slice(at, at + 1000);
        },
        '/typed': () =>
          Reply.stream(
            async (writer) => {
              for (let at = 0; at < text.length; at += 1000) await writer.write(text.slice(at, at + 1000));
            },
            { headers: { 'Content-Type': 'text/plain', ETag: '"x"' } },
          ),
      },
    });

  test('of bodies that are there, and that come in pieces', async () => {
    const client = await RawClient.open(open());
    for (const path of ['/text', '/static', '/response', '/typed']) {
      const br = await client.say(get(path, 'Accept-Encoding: gzip, br')).reply();
      expect(br.headers, path).toMatchObject({ 'content-encoding': 'br', vary: 'Accept-Encoding' });
      expect(brotliDecompressSync(br.body).toString(), path).toBe(text);
      expect(br.body.length).toBeLessThan(text.length / 4);
      const gzip = await client.say(get(path, 'Accept-Encoding: gzip')).reply();
      expect(gunzipSync(gzip.body).toString(), path).toBe(text);
      const plain = await client.say(get(path)).reply();
      expect(plain.headers['content-encoding'], path).toBeUndefined();
      expect(plain.headers.vary).toBe('Accept-Encoding');
      expect(plain.text).toBe(text);
      const head = await client.say(`HEAD ${path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n`).reply(true);
      expect(head.headers['content-encoding'], path).toBe('br');
    }
    expect((await client.say(get('/typed', 'Accept-Encoding: br')).reply()).headers.etag).toBe('W/"x"');
  });

  test('of nothing that is small, or does not become smaller', async () => {
    const client = await RawClient.open(open());
    for (const path of ['/small', '/image', '/stream']) {
      const reply = await client.say(get(path, 'Accept-Encoding: br')).reply();
      expect(reply.headers['content-encoding'], path).toBeUndefined();
    }
  });
});

test('server-sent events come one by one, until the client goes', async () => {
  let ended = 0;
  const server = start({
    fetch: (request) =>
      sendEvents(async (events) => {
        await events.send({ id: '1', event: 'hello', data: 'a\nb' });
        await events.comment('still here');
        await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
        ended++;
      }),
  });
  const client = await RawClient.open(server);
  client.say(get('/', 'Accept: text/event-stream'));
  const first = 'event: hello\nid: 1\ndata: a\ndata: b\n\n';
  let received = '';
  while (!received.includes(first)) received = (await client.received(received.length + 1)).toString();
  expect(received).toContain('Content-Type: text/event-stream\r\n');
  client.destroy();
  await until(() => ended === 1);
});

test('trailers follow a body in chunks', async () => {
  const server = start({
    fetch: () =>
      Reply.stream(async (writer) => {
        await writer.write('body');
        writer.trailers.set('X-Sum', '4');
      }),
  });
  expect(await ask(server, get())).toMatchObject({ text: 'body', trailers: { 'x-sum': '4' } });
});

test('a believed proxy says whom a request comes from', async () => {
  const asked = get(
    '/',
    'X-Forwarded-For: 9.9.9.9, 203.0.113.7',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: b.example',
  );
  const fetch = (request: { url: string; clientAddress: string }) => `${request.clientAddress} ${request.url}`;
  expect((await ask(start({ trustProxy: 'loopback', fetch }), asked)).text).toBe('203.0.113.7 https://b.example/');
  expect((await ask(start({ fetch }), asked)).text).toBe('127.0.0.1 http://a/');
});

describe('observing', () => {
  test('the numbers of a server, also for Prometheus', async () => {
    const server = start({
      metrics: '/metrics',
      routes: {
        '/static': 'in C++',
        '/slow': () => sleep(2).then(() => 'slow'),
        '/made': () => new Reply(null, { status: 204 }),
        // It goes before the routes, those that C++ answers as well.
        '/metrics': 'hidden',
      },
    });
    const client = await RawClient.open(server);
    for (const path of ['/static', '/static', '/slow', '/made', '/missing']) await client.say(get(path)).reply();
    await (await RawClient.open(server)).say('GET / HTTP/9.9\r\n\r\n').reply();
    const stats = server.stats();
    expect(stats.requests).toMatchObject({ total: 5, static: 2, inFlight: 0, failed: 0 });
    expect(stats.replies).toEqual([
      { method: 'GET', status: '2xx', count: 4 },
      { method: 'GET', status: '4xx', count: 1 },
    ]);
    expect(stats.rejections).toEqual({ 'version-not-supported': 1 });
    expect(stats.durationMs.count).toBe(5);
    expect(stats.durationMs.max).toBeGreaterThanOrEqual(2);
    expect(stats.bytes.received).toBeGreaterThan(100);
    const text = await client.say(get('/metrics')).reply();
    expect(text.headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(text.text).toContain('millrace_http_replies_total{method="GET",status="2xx"} 4\n');
  });

  test('access log and diagnostics channels', async () => {
    const entries: string[] = [];
    const seen: string[] = [];
    const listener = (message: unknown): void =>
      void seen.push((message as { request: { path: string } }).request.path);
    channel('millrace:http:request:start').subscribe(listener);
    const server = start({
      fetch: (request) => (request.path === '/later' ? sleep(1).then(() => 'later') : 'now'),
      accessLog: ({ request, status, durationMs }: AccessEntry) =>
        void entries.push(`${request.method} ${request.path} ${status} ${durationMs >= 0}`),
    });
    const client = await RawClient.open(server);
    await client.say(get('/now')).reply();
    await client.say(get('/later')).reply();
    channel('millrace:http:request:start').unsubscribe(listener);
    expect(entries).toEqual(['GET /now 200 true', 'GET /later 200 true']);
    expect(seen).toEqual(['/now', '/later']);
  });
});

describe('overload', () => {
  test('queues what is beyond the limit, and sheds what is beyond the queue', async () => {
    const releases: (() => void)[] = [];
    const server = start({
      limits: { concurrentRequests: 2, queuedRequests: 3 },
      fetch: (request) => new Promise<string>((resolve) => releases.push(() => resolve(request.path))),
    });
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.open(server)));
    const replies = [];
    for (const [i, client] of clients.entries()) {
      replies.push(client.say(get(`/${i}`)).reply());
      await until(() => server.stats().requests.total === i + 1);
    }
    for (const i of [5, 6, 7]) {
      expect(await replies[i]).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    }
    expect(server.stats().queue.length).toBe(3);
    for (let i = 0; i < 5; i++) {
      await until(() => releases.length > i);
      releases[i]?.();
      expect(await replies[i]).toMatchObject({ status: 200, text: `/${i}` });
    }
    expect(server.stats()).toMatchObject({ rejections: { overload: 3 }, queue: { length: 0, waitMs: { count: 3 } } });
  });
});

describe('reload', () => {
  test('replaces routes and static replies at once', async () => {
    const server = start({ routes: { '/a': 'one', '/b': () => 'b' } });
    const client = await RawClient.open(server);
    expect((await client.say(get('/a')).reply()).text).toBe('one');
    server.reload({ routes: { '/a': 'two' } });
    expect((await client.say(get('/a')).reply()).text).toBe('two');
    expect((await client.say(get('/b')).reply()).status).toBe(404);
    expect(() => server.reload({ routes: { '/x/:a': 'x', '/x/:b': 'y' } })).toThrow(/x/);
    expect((await client.say(get('/a')).reply()).text).toBe('two');
  });
});

describe('static routes', () => {
  test('answer methods as other routes do', async () => {
    const server = start({
      routes: {
        '/text': 'text',
        '/json': Reply.json({ a: 1 }),
        '/both': { GET: 'got', POST: (request) => request.text() },
      },
    });
    const client = await RawClient.open(server);
    expect(await client.say(get('/json')).reply()).toMatchObject({
      text: '{"a":1}',
      headers: { 'content-length': '7' },
    });
    const head = await client.say('HEAD /text HTTP/1.1\r\nHost: a\r\n\r\n').reply(true);
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '4' } });
    expect(await client.say(post('/text', 'x')).reply()).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, OPTIONS' },
    });
    const options = await client.say('OPTIONS /text HTTP/1.1\r\nHost: a\r\n\r\n').reply();
    expect(options).toMatchObject({ status: 204, headers: { allow: 'GET, HEAD, OPTIONS' } });
    expect((await client.say(post('/both', 'posted')).reply()).text).toBe('posted');
    client.say(Array.from({ length: 100 }, () => get('/text')).join('') + get('/both', 'Connection: close'));
    for (let i = 0; i < 100; i++) expect((await client.reply()).text).toBe('text');
    expect(await client.reply()).toMatchObject({ text: 'got', headers: { connection: 'close' } });
    expect(await client.rest()).toBe('');
  });

  const tables: Record<string, Record<string, string | Reply | (() => string)>> = {
    'GET alone': { GET: 'got' },
    'POST alone': { POST: 'posted' },
    'OPTIONS alone': { OPTIONS: 'mine' },
    'every method': { '*': 'any' },
    'GET and the others': { GET: 'got', '*': 'any' },
    'HEAD of its own': { GET: 'got', HEAD: new Reply('got', { headers: { 'X-Own': 'yes' } }) },
    'HEAD of its own, of a handler': { GET: 'got', HEAD: () => 'got!' },
    'HEAD alone': { HEAD: 'head' },
    'no body': {
      GET: new Reply(null, { status: 304, headers: { ETag: '"a"' } }),
      POST: new Reply(null, { status: 204 }),
    },
  };

  test.each(Object.entries(tables))('say what handlers would, byte by byte: %s', async (_name, table) => {
    const handlers = Object.entries(table).map(([method, value]) => [
      method,
      typeof value === 'function' ? value : () => value,
    ]);
    const client = await RawClient.open(start({ routes: { '/': table } }));
    const other = await RawClient.open(start({ routes: { '/': Object.fromEntries(handlers) } }));
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'TRACE', 'OTHER']) {
      const request = get().replace('GET', method);
      const reply = await client.say(request).reply(method === 'HEAD');
      const expected = await other.say(request).reply(method === 'HEAD');
      const date = expect.any(String);
      expect(reply, method).toEqual({ ...expected, headers: { ...expected.headers, date } });
      expect([client.text, other.text], method).toEqual(['', '']);
    }
  });

  test('are counted by what they are', async () => {
    const server = start({ routes: { '/a': 'a', '/b': Reply.redirect('/a'), '/c': { POST: 'c' } } });
    const client = await RawClient.open(server);
    const asked = [
      'GET /a',
      'GET /a',
      'HEAD /a',
      'GET /b',
      'GET /a',
      'DELETE /a',
      'OTHER /a',
      'GET /c',
      'POST /c',
      'OPTIONS /c',
    ];
    client.say(asked.map((line) => `${line} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    for (const line of asked) await client.reply(line.startsWith('HEAD'));
    const { replies, requests, durationMs } = server.stats();
    expect([requests.static, requests.total, durationMs.count]).toEqual([10, 10, 10]);
    expect(replies).toEqual([
      { method: 'GET', status: '2xx', count: 3 },
      { method: 'GET', status: '3xx', count: 1 },
      { method: 'GET', status: '4xx', count: 1 },
      { method: 'HEAD', status: '2xx', count: 1 },
      { method: 'POST', status: '2xx', count: 1 },
      { method: 'DELETE', status: '4xx', count: 1 },
      { method: 'OPTIONS', status: '2xx', count: 1 },
      { method: 'other', status: '4xx', count: 1 },
    ]);
  });

  test('of one host do not hide the handlers of another', async () => {
    const server = start({
      hosts: { 'one.example': { '/': 'one' }, 'two.example': { '/': () => 'two' } },
      routes: { '/': 'any' },
    });
    const client = await RawClient.open(server);
    for (const [host, text] of [
      ['one.example', 'one'],
      ['two.example:80', 'two'],
      ['three.example', 'any'],
      ['ONE.example', 'one'],
    ]) {
      expect((await client.say(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).reply()).text).toBe(text);
    }
  });
});
