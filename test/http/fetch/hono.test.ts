// A real Hono 4 app, unmodified, on Millrace; and what its answers have to be.
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { stream, streamSSE, streamText } from 'hono/streaming';
import { validator } from 'hono/validator';
import { describe, expect, test } from 'vitest';
import { fetchHandler, type HttpServer } from '../../../lib/http/index.js';
import { deferred } from '../node/scene.js';
import { ask, get, post, RawClient, start } from '../scene.js';

function makeApp(): Hono {
  const app = new Hono();
  app.use('/timed/*', async (c, next) => {
    await next();
    c.header('x-after', 'yes');
    c.res.headers.append('x-more', 'too');
  });
  app.use('/guarded/*', cors({ origin: 'https://a.example' }), secureHeaders());
  app.use('/tagged/*', etag());
  app.use('/small/*', compress({ threshold: 10 }));
  app.get('/', (c) => c.text('Hello, World!'));
  app.get('/json', (c) => c.json({ a: [1, 'ü'] }, 201));
  app.get('/html', (c) => c.html('<p>ü</p>'));
  app.get('/empty', (c) => c.body(null, 204));
  app.get('/bytes', (c) => c.body(new Uint8Array([0, 255, 10]) as never, 200, { 'Content-Type': 'application/x-a' }));
  app.get('/away', (c) => c.redirect('/there', 303));
  app.get('/users/:id', (c) => {
    return c.json({ id: c.req.param('id'), query: c.req.queries('q'), ua: c.req.header('User-Agent'), url: c.req.url });
  });
  app.get('/headers', (c) => c.json(c.req.header()));
  app.get('/cookies', (c) => {
    setCookie(c, 'a', '1', { httpOnly: true });
    setCookie(c, 'b', 'two');
    deleteCookie(c, 'c');
    return c.json(getCookie(c));
  });
  app.get('/timed/x', (c) => c.text('timed'));
  app.get('/guarded/x', (c) => c.json({ ok: true }));
  app.get('/tagged/x', (c) => c.text('tagged'));
  app.get('/small/x', (c) => c.text('compress me '.repeat(50)));
  app.get(
    '/response',
    () =>
      new Response('plain', {
        status: 202,
        headers: [
          ['x-a', '1'],
          ['set-cookie', 'x=1'],
          ['set-cookie', 'y=2'],
        ],
      }),
  );
  app.get('/static-json', () => Response.json({ made: 'by Response.json' }));
  app.get('/throws', () => {
    throw new HTTPException(409, { message: 'conflict' });
  });
  app.get('/fails', () => {
    throw new Error('failed');
  });
  app.get('/stream', (c) =>
    stream(c, async (writer) => {
      await writer.write('one,');
      await writer.sleep(1);
      await writer.write(new TextEncoder().encode('two'));
    }),
  );
  app.get('/text-stream', (c) =>
    streamText(c, async (writer) => {
      for (let i = 0; i < 3; i++) await writer.writeln(`line ${i}`);
    }),
  );
  app.get('/events', (c) =>
    streamSSE(c, async (writer) => {
      for (let i = 0; i < 2; i++) await writer.writeSSE({ data: `message ${i}`, event: 'tick', id: String(i) });
    }),
  );
  app.post('/json', async (c) => c.json(await c.req.json()));
  app.post('/text', async (c) => c.text((await c.req.text()).toUpperCase()));
  app.post('/bytes', async (c) => c.json({ length: (await c.req.arrayBuffer()).byteLength }));
  app.post('/stream', (c) => c.body(c.req.raw.body as never));
  app.post('/upload', async (c) => {
    const { title, file } = await c.req.parseBody();
    const { name, type, size } = file as File;
    return c.json({ title, name, type, size, text: (await (file as File).text()).slice(0, 5) });
  });
  app.post(
    '/checked',
    validator('json', (value, c) => (typeof value.n === 'number' ? value : c.text('no number', 400))),
    (c) => c.json({ double: c.req.valid('json').n * 2 }),
  );
  const sub = new Hono().get('/inside', (c) => c.text(`sub ${c.req.path}`));
  app.route('/sub', sub);
  app.notFound((c) => c.text(`nothing at ${c.req.path}`, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    return c.json({ error: error.message }, 500);
  });
  return app;
}

describe('Hono', () => {
  const serveApp = (): HttpServer => start({ fetch: fetchHandler(makeApp()) });

  test('answers', async () => {
    const client = await RawClient.open(serveApp());
    const reply = async (path: string, ...fields: string[]) => client.say(get(path, ...fields)).reply();
    expect(await reply('/')).toMatchObject({
      status: 200,
      text: 'Hello, World!',
      headers: { 'content-length': '13', 'content-type': expect.stringMatching(/^text\/plain; ?charset=UTF-8$/) },
    });
    expect(await reply('/json')).toMatchObject({
      status: 201,
      text: '{"a":[1,"ü"]}',
      headers: { 'content-type': 'application/json', 'content-length': '14' },
    });
    expect((await reply('/html')).text).toBe('<p>ü</p>');
    const empty = await reply('/empty');
    expect([empty.status, empty.headers['content-length'], empty.headers['content-type']]).toEqual([
      204,
      undefined,
      undefined,
    ]);
    expect((await reply('/bytes')).body).toEqual(Buffer.from([0, 255, 10]));
    expect(await reply('/away')).toMatchObject({ status: 303, headers: { location: '/there' } });
    expect(JSON.parse((await reply('/users/7%20?q=1&q=2', 'user-agent: test')).text)).toEqual({
      id: '7 ',
      query: ['1', '2'],
      ua: 'test',
      url: 'http://a/users/7%20?q=1&q=2',
    });
    expect(JSON.parse((await reply('/headers', 'X-A: 1', 'x-a: 2')).text)).toEqual({ host: 'a', 'x-a': '1, 2' });
    expect((await reply('/sub/inside')).text).toBe('sub /sub/inside');
    expect(await reply('/nope')).toMatchObject({ status: 404, text: 'nothing at /nope' });
    expect(await reply('/throws')).toMatchObject({ status: 409, text: 'conflict' });
    expect(await reply('/fails')).toMatchObject({ status: 500, text: '{"error":"failed"}' });
    expect(await reply('/static-json')).toMatchObject({
      text: '{"made":"by Response.json"}',
      headers: { 'content-type': 'application/json' },
    });
  });

  test('sets cookies, one line each', async () => {
    const reply = await ask(serveApp(), get('/cookies', 'Cookie: x=1; y=2'));
    expect(JSON.parse(reply.text)).toEqual({ x: '1', y: '2' });
    expect(reply.headers['set-cookie']).toBe('a=1; Path=/; HttpOnly, b=two; Path=/, c=; Max-Age=0; Path=/');
    expect((await ask(serveApp(), get('/response'))).headers).toMatchObject({ 'x-a': '1', 'set-cookie': 'x=1, y=2' });
  });

  test('runs middleware that changes replies', async () => {
    const server = serveApp();
    expect(await ask(server, get('/timed/x'))).toMatchObject({
      text: 'timed',
      headers: { 'x-after': 'yes', 'x-more': 'too', 'content-length': '5' },
    });
    expect((await ask(server, get('/guarded/x', 'Origin: https://a.example'))).headers).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'x-frame-options': 'SAMEORIGIN',
    });
    const tagged = await ask(server, get('/tagged/x'));
    expect(tagged.text).toBe('tagged');
    expect((await ask(server, get('/tagged/x', `If-None-Match: ${tagged.headers.etag}`))).status).toBe(304);
    const small = await ask(server, get('/small/x', 'Accept-Encoding: gzip'));
    expect(small.headers['content-encoding']).toBe('gzip');
    const { gunzipSync } = await import('node:zlib');
    expect(gunzipSync(small.body).toString()).toBe('compress me '.repeat(50));
  });

  test('answers HEAD without a body', async () => {
    const reply = await ask(serveApp(), 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', true);
    expect([reply.status, reply.text]).toEqual([200, '']);
  });

  test('streams', async () => {
    const server = serveApp();
    expect(await ask(server, get('/stream'))).toMatchObject({
      text: 'one,two',
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect((await ask(server, get('/text-stream'))).text).toBe('line 0\nline 1\nline 2\n');
    const events = await ask(server, get('/events'));
    expect(events.headers['content-type']).toBe('text/event-stream');
    expect(events.text).toBe('event: tick\ndata: message 0\nid: 0\n\nevent: tick\ndata: message 1\nid: 1\n\n');
  });

  test('takes bodies', async () => {
    const server = serveApp();
    const json = 'Content-Type: application/json';
    expect((await ask(server, post('/json', '{"a":[1,{"b":"ü"}]}', json))).text).toBe('{"a":[1,{"b":"ü"}]}');
    expect((await ask(server, post('/json', '{"a":', json))).status).toBe(500);
    expect((await ask(server, post('/text', 'shout'))).text).toBe('SHOUT');
    expect((await ask(server, post('/bytes', 'x'.repeat(70_000)))).text).toBe('{"length":70000}');
    expect((await ask(server, post('/stream', 'y'.repeat(200_000)))).body.equals(Buffer.alloc(200_000, 'y'))).toBe(
      true,
    );
    expect((await ask(server, post('/checked', '{"n":21}', json))).text).toBe('{"double":42}');
    expect((await ask(server, post('/checked', '{}', json))).status).toBe(400);
  });

  test('takes an upload', async () => {
    const body = [
      '--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n',
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n',
      'z'.repeat(100_000),
      '\r\n--x--\r\n',
    ].join('');
    const reply = await ask(serveApp(), post('/upload', body, 'Content-Type: multipart/form-data; boundary=x'));
    expect(JSON.parse(reply.text)).toEqual({
      title: 'hello',
      name: 'a.txt',
      type: 'text/plain',
      size: 100_000,
      text: 'zzzzz',
    });
  });

  test('hears when the client goes, in the signal and in the stream', async () => {
    const app = new Hono();
    const aborted = deferred();
    const cancelled = deferred();
    app.get('/signal', (c) => {
      c.req.raw.signal.addEventListener('abort', () => aborted.resolve());
      return new Promise<Response>(() => {});
    });
    app.get('/stream', (c) =>
      c.body(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode('first')),
          cancel: () => cancelled.resolve(),
        }),
      ),
    );
    const server = start({ fetch: fetchHandler(app) });
    const first = await RawClient.open(server);
    first.say(get('/signal'));
    const second = await RawClient.open(server);
    second.say(get('/stream'));
    await second.received('HTTP/1.1 200 OK'.length);
    first.reset();
    second.reset();
    await aborted.promise;
    await cancelled.promise;
  });

  test('serves several hundred connections, every byte checked', async () => {
    const app = new Hono();
    app.get('/n/:n', async (c) => {
      const n = Number(c.req.param('n'));
      if (n % 2 === 1) await new Promise((resolve) => setImmediate(resolve));
      return c.text(`${n} `.repeat((n % 90) + 1));
    });
    app.post('/echo', async (c) => c.body(await c.req.text()));
    const server = start({ fetch: fetchHandler(app) });
    const work = async (worker: number): Promise<void> => {
      const client = await RawClient.open(server);
      for (let i = 0; i < 6; i++) {
        const n = worker * 6 + i;
        const body = `${n}-`.repeat((n % 700) + 1);
        client.say(get(`/n/${n}`) + post('/echo', body) + get(`/n/${n + 1}`));
        expect((await client.reply()).text).toBe(`${n} `.repeat((n % 90) + 1));
        expect((await client.reply()).text).toBe(body);
        expect((await client.reply()).text).toBe(`${n + 1} `.repeat(((n + 1) % 90) + 1));
      }
    };
    await Promise.all(Array.from({ length: 300 }, (_, worker) => work(worker)));
  });
});
