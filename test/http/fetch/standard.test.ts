// What the Fetch standard says of Requests and Responses, held against the platform's own.
import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../../lib/http/index.js';
import { type FetchContext, fetchHandler, serveFetch } from '../../../lib/http/index.js';
import { deferred } from '../node/scene.js';
import { ask, get, post, RawClient, start } from '../scene.js';

const NativeRequest = Request;
const NativeResponse = Response;
const nativeFetch = fetch;
// From here on the globals are ours.
fetchHandler(() => new Response());

/** Has `look` at the Request that stands for `text`. */
async function seen<T>(text: string, look: (request: Request) => T | Promise<T>): Promise<T> {
  const result = deferred<T>();
  const failed = deferred<unknown>();
  const server = start({
    fetch: fetchHandler(async (request) => {
      await Promise.resolve(look(request)).then(result.resolve, failed.resolve);
      return new Response(null, { status: 204 });
    }),
  });
  const client = await RawClient.open(server);
  client.say(text);
  const either = await Promise.race([
    result.promise.then((value) => ({ value })),
    failed.promise.then((error) => ({ error })),
  ]);
  client.destroy();
  if ('error' in either) throw either.error;
  return either.value;
}

describe('a Request', () => {
  test('is one', async () => {
    await seen(get('/x'), (request) => {
      expect(request instanceof Request).toBe(true);
      expect(request instanceof NativeRequest).toBe(true);
      expect(Object.prototype.toString.call(request)).toBe('[object Request]');
      expect(request.headers instanceof Headers).toBe(true);
      expect([request.method, request.body, request.bodyUsed, request.redirect, request.mode]).toEqual([
        'GET',
        null,
        false,
        'follow',
        'cors',
      ]);
      expect([request.cache, request.credentials, request.destination, request.integrity, request.keepalive]).toEqual([
        'default',
        'same-origin',
        '',
        '',
        false,
      ]);
    });
  });

  test('has the URL that the standard gives it', async () => {
    for (const [target, host] of [
      ['/', 'example.com'],
      ['/a/b?c=d&e', 'example.com:8080'],
      ['/a/../b/./c', 'example.com'],
      ['/%2e%2e/x', 'example.com'],
      ['/caf%C3%A9?q=%20', 'EXAMPLE.com:80'],
      ["/it's?it's", 'a'],
      ['/a{b}|c?x=<y>"z"', 'a'],
      ['//double//slash', 'a'],
      ['/x', '127.1'],
      ['/x', '[::1]:81'],
    ]) {
      const url = await seen(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, (request) => request.url).catch(String);
      if (url.startsWith('http')) expect(url).toBe(new URL(`http://${host}${target}`).href);
    }
    expect(await seen('GET http://b:80/c/../d HTTP/1.1\r\nHost: a\r\n\r\n', ({ url }) => url)).toBe('http://b/d');
    expect(await seen('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', ({ url, method }) => `${method} ${url}`)).toBe(
      'OPTIONS http://a/',
    );
  });

  test('has its headers', async () => {
    await seen(get('/', 'Cookie: a=1', 'Cookie: b=2', 'X-A: 1', 'x-a: 2', 'X-L: \xe9'), ({ headers }) => {
      expect(headers.get('COOKIE')).toBe('a=1; b=2');
      expect([headers.get('x-a'), headers.has('X-a'), headers.get('none'), headers.get('x-l')]).toEqual([
        '1, 2',
        true,
        null,
        'é',
      ]);
      expect(() => headers.get('not a name')).toThrow(TypeError);
      expect([...headers]).toEqual([
        ['cookie', 'a=1; b=2'],
        ['host', 'a'],
        ['x-a', '1, 2'],
        ['x-l', 'é'],
      ]);
      const names: string[] = [];
      headers.forEach((_value, name, parent) => {
        expect(parent).toBe(headers);
        names.push(name);
      });
      expect(names).toEqual([...headers.keys()]);
      expect(new Headers(headers).get('x-a')).toBe('1, 2');
      headers.set('x-a', '3');
      headers.append('x-b', '4');
      headers.delete('cookie');
      expect([headers.get('x-a'), headers.get('x-b'), headers.get('cookie')]).toEqual(['3', '4', null]);
    });
  });

  test('gives its body in every way, once', async () => {
    const body = '{"a":"ü"}';
    const request = post('/', body, 'Content-Type: application/json');
    expect(await seen(request, (r) => r.text())).toBe(body);
    expect(await seen(post('/', '\u{feff}x'), (r) => r.text())).toBe('x');
    expect(await seen(request, (r) => r.json())).toEqual({ a: 'ü' });
    expect(Buffer.from(await seen(request, (r) => r.arrayBuffer())).toString()).toBe(body);
    const blob = await seen(request, (r) => r.blob());
    expect([blob.type, await blob.text()]).toEqual(['application/json', body]);
    const streamed = await seen(request, async (r) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of r.body as unknown as AsyncIterable<Uint8Array>) pieces.push(piece);
      return Buffer.concat(pieces).toString();
    });
    expect(streamed).toBe(body);
    await seen(request, async (r) => {
      expect(r.bodyUsed).toBe(false);
      await r.text();
      expect(r.bodyUsed).toBe(true);
      await expect(r.text()).rejects.toThrow(TypeError);
    });
    await expect(seen(post('/', '{'), (r) => r.json())).rejects.toThrow(SyntaxError);
    await seen(get(), async (r) => expect([await r.text(), await r.text()]).toEqual(['', '']));
  });

  test('can be looked at when its body was read', async () => {
    await seen(post('/x', 'body'), async (request) => {
      await request.text();
      expect(inspect(request)).toContain("method: 'POST'");
      expect([request.redirect, request.mode, request.bodyUsed]).toEqual(['follow', 'cors', true]);
      expect(() => request.clone()).toThrow(TypeError);
      expect(() => new Request(request)).toThrow(TypeError);
      await expect(request.text()).rejects.toThrow(TypeError);
    });
  });

  test('to GET has no body, whatever was sent with it', async () => {
    const body = 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
    await seen(body, async (request) => {
      expect(request.body).toBe(null);
      expect([await request.text(), (await request.arrayBuffer()).byteLength, (await request.blob()).size]).toEqual([
        '',
        0,
        0,
      ]);
      expect((await request.arrayBuffer()).byteLength).toBe(0);
      expect(request.bodyUsed).toBe(false);
    });
  });

  test('is not read whole above the limit, in whatever form', async () => {
    const reads: [string, boolean, (request: Request) => Promise<unknown>][] = [
      ['light', true, (request) => request.text()],
      ['the platform’s', false, (request) => request.json()],
      ['cloned', true, (request) => request.clone().arrayBuffer()],
      ['cloned twice', false, (request) => request.clone().clone().blob()],
      ['wrapped', true, (request) => new Request(request).text()],
    ];
    for (const [name, overrideGlobals, read] of reads) {
      const server = start({
        fetch: fetchHandler(async (request) => new Response(JSON.stringify(await read(request))), { overrideGlobals }),
        limits: { bodyBytes: 100 },
      });
      expect([name, (await ask(server, post('/', `"${'x'.repeat(99)}"`))).status]).toEqual([name, 413]);
      expect([name, (await ask(server, post('/', `"${'x'.repeat(98)}"`))).status]).toEqual([name, 200]);
    }
    // As it comes there is no limit.
    const streams = start({
      fetch: fetchHandler(async (request) => {
        let length = 0;
        for await (const bytes of request.body as unknown as AsyncIterable<Uint8Array>) length += bytes.length;
        return new Response(String(length));
      }),
      limits: { bodyBytes: 100 },
    });
    expect((await ask(streams, post('/', 'x'.repeat(1000)))).text).toBe('1000');
  });

  test('gives forms', async () => {
    const form = await seen(post('/', 'a=1&b=%C3%BC', 'Content-Type: application/x-www-form-urlencoded'), (request) =>
      request.formData(),
    );
    expect([...form]).toEqual([
      ['a', '1'],
      ['b', 'ü'],
    ]);
  });

  test('can be cloned, wrapped, and fetched', async () => {
    await seen(post('/x?y', 'body', 'X-A: b'), async (request) => {
      const copy = request.clone();
      expect([await copy.text(), await request.text()]).toEqual(['body', 'body']);
    });
    await seen(post('/x?y', 'body', 'X-A: b'), async (request) => {
      const wrapped = new Request(request, { headers: { 'x-c': 'd' } });
      expect([wrapped.url, wrapped.method, wrapped.headers.get('x-c'), await wrapped.text()]).toEqual([
        request.url,
        'POST',
        'd',
        'body',
      ]);
      expect(new Request(request.url, { method: 'PUT', body: 'x' }).method).toBe('PUT');
    });
    const behind = start({ fetch: async (request) => `${request.method} ${request.path} ${await request.text()}` });
    const proxy = start({
      fetch: fetchHandler((request) => {
        const url = new URL(request.url);
        return fetch(new Request(`${behind.url}${url.pathname}`, request));
      }),
    });
    expect((await ask(proxy, post('/deep', 'hello'))).text).toBe('POST /deep hello');
  });

  test('has a signal', async () => {
    const aborted = deferred<boolean>();
    const server = start({
      fetch: fetchHandler(async ({ signal }) => {
        signal.addEventListener('abort', () => aborted.resolve(signal.aborted));
        arrived.resolve();
        return new Promise<Response>(() => {});
      }),
    });
    const arrived = deferred();
    const client = await RawClient.open(server);
    client.say(get());
    await arrived.promise;
    client.reset();
    expect(await aborted.promise).toBe(true);
  });
});

type Made = [body: unknown, init?: ResponseInit];

describe('a Response', () => {
  const cases: [string, () => Made][] = [
    ['text', () => ['hello ü']],
    ['nothing', () => [null, { status: 404, statusText: 'Nope' }]],
    ['text and a type', () => ['x', { headers: { 'Content-Type': 'text/a', 'X-B': 'c' } }]],
    ['bytes', () => [new Uint8Array([1, 2, 3]), { status: 201 }]],
    ['a part of a buffer', () => [Buffer.from('abcdef').subarray(2, 4)]],
    [
      'pairs',
      () => [
        'x',
        {
          headers: [
            ['a', '1'],
            ['A', '2'],
            ['set-cookie', 'x'],
            ['set-cookie', 'y'],
          ],
        },
      ],
    ],
    ['Headers', () => ['x', { headers: new Headers({ 'x-y': ' padded ' }) }]],
    ['a URLSearchParams', () => [new URLSearchParams({ a: 'b' })]],
    ['a Blob', () => [new Blob(['blob'], { type: 'a/b' })]],
    ['a stream', () => [new Blob(['streamed']).stream()]],
    ['an ArrayBuffer', () => [new Uint8Array([9]).buffer]],
    ['no content', () => [null, { status: 204 }]],
  ];
  const shape = async (response: Response): Promise<unknown> => ({
    status: response.status,
    statusText: response.statusText,
    ok: response.ok,
    type: response.type,
    url: response.url,
    redirected: response.redirected,
    headers: [...response.headers],
    cookies: response.headers.getSetCookie(),
    hasBody: response.body !== null,
    used: response.bodyUsed,
    cloned: await response.clone().text(),
    text: Buffer.from(await response.arrayBuffer()).toString('latin1'),
    usedNow: response.bodyUsed,
  });
  for (const [name, make] of cases) {
    test(`is the platform's: ${name}`, async () => {
      const [body, init] = make();
      const [bodyAgain, initAgain] = make();
      expect(await shape(new Response(body as never, init))).toEqual(
        await shape(new NativeResponse(bodyAgain as never, initAgain)),
      );
    });
  }

  test('is one, and the platform’s are too', async () => {
    const light = new Response('x');
    expect([light instanceof Response, light instanceof NativeResponse]).toEqual([true, true]);
    expect(new NativeResponse('x') instanceof Response).toBe(true);
    expect({} instanceof Response).toBe(false);
    expect(Response.name).toBe('Response');
    expect(Object.prototype.toString.call(light)).toBe('[object Response]');
    class Special extends Response {}
    expect(new Special('x') instanceof Special).toBe(true);
    expect(light instanceof Special).toBe(false);
  });

  test('throws what the platform’s throws', () => {
    for (const make of [
      (R: typeof Response) => new R('x', { status: 99 }),
      (R: typeof Response) => new R('x', { status: 600 }),
      (R: typeof Response) => new R('x', { status: 204 }),
      (R: typeof Response) => new R('x', { headers: { 'bad name': 'x' } }),
      (R: typeof Response) => new R('x', { headers: { a: 'b\r\nc: d' } }),
      (R: typeof Response) => new R('x', { statusText: 'a\nb' }),
      (R: typeof Response) => R.json(undefined, {}),
    ]) {
      let native: unknown;
      try {
        make(NativeResponse);
      } catch (error) {
        native = error;
      }
      expect(() => make(Response)).toThrow((native as Error).constructor as never);
    }
  });

  test('has json, redirect and error', async () => {
    const made = Response.json({ a: 1 }, { status: 201, headers: { x: 'y' } });
    expect([made.status, made.headers.get('content-type'), made.headers.get('x'), await made.json()]).toEqual([
      201,
      'application/json',
      'y',
      { a: 1 },
    ]);
    expect(Response.json(1, { headers: { 'content-type': 'a/b' } }).headers.get('content-type')).toBe('a/b');
    expect(Response.redirect('http://a/b', 307).headers.get('location')).toBe('http://a/b');
    expect(Response.error().type).toBe('error');
  });

  test('made of the body of another one keeps its text', async () => {
    const first = new Response('kept', { headers: { a: 'b' } });
    const second = new Response(first.body, first);
    second.headers.set('c', 'd');
    const server = start({ fetch: fetchHandler(() => second) });
    expect(await ask(server, get())).toMatchObject({
      text: 'kept',
      headers: { a: 'b', c: 'd', 'content-length': '4' },
    });
    const used = new Response('used');
    const { body } = used;
    await used.text();
    expect(() => new Response(body)).toThrow(TypeError);
  });

  test('is sent with its statusText', async () => {
    const given = { status: 299, statusText: 'Quite \xe9fine' };
    const made: (() => Response)[] = [
      () => new Response('text', given),
      () => new Response('text', given).clone(),
      () => new Response(null, given),
      () => new Response(new Blob(['stream']).stream(), given),
      () => new Response(new Blob(['stream']).stream(), given).clone(),
      () => new NativeResponse('native', given),
      () => Response.json({}, given),
    ];
    for (const make of made) {
      const server = start({ fetch: fetchHandler(make) });
      const { status, reason } = await ask(server, get());
      expect([status, reason]).toEqual([299, given.statusText]);
      expect((await ask(server, 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', true)).reason).toBe(given.statusText);
    }
    const plain = start({ fetch: () => new NativeResponse('x', given), compression: true });
    expect((await ask(plain, get())).reason).toBe(given.statusText);
  });

  test('whose statusText could end the status line is not sent, nor is its phrase the error’s', async () => {
    const forged = new NativeResponse('x', { statusText: 'harmless' });
    Object.defineProperty(forged, 'statusText', { value: 'OK\r\nX-Forged: yes' });
    const broken = new ReadableStream({
      pull() {
        throw new Error('no body');
      },
    });
    for (const response of [forged, new NativeResponse(broken, { statusText: 'Mine' })]) {
      const told: unknown[] = [];
      const server = start({ fetch: () => response, handlerError: (error) => void told.push(error) });
      const { status, reason, headers } = await ask(server, get());
      expect([status, reason, headers['x-forged']]).toEqual([500, 'Internal Server Error', undefined]);
      expect(told).toHaveLength(1);
    }
  });

  test('made of the stream of another one has no type but its own', async () => {
    for (const R of [Response, NativeResponse]) {
      expect(new R(new R('text').body).headers.get('content-type')).toBe(null);
      expect(new R(new R('text').body, { headers: { 'Content-Type': 'a/b' } }).headers.get('content-type')).toBe('a/b');
    }
  });

  test('of JSON is JSON whatever its init is made of', () => {
    for (const R of [Response, NativeResponse]) {
      const response = R.json({}, { status: '201', statusText: 5 } as never);
      expect([response.status, response.statusText, response.headers.get('content-type')]).toEqual([
        201,
        '5',
        'application/json',
      ]);
    }
  });

  test('is not sent twice', async () => {
    const kept = new Response('once');
    const told: unknown[] = [];
    const server = start({ fetch: fetchHandler(() => kept), handlerError: (error) => void told.push(error) });
    await kept.text();
    expect((await ask(server, get())).status).toBe(500);
    expect(told).toMatchObject([{ code: 'ERR_MILLRACE_CONSUMED' }]);
  });

  test('keeps what its memory was when it was made', async () => {
    const bytes = Buffer.from('before');
    const server = start({
      fetch: fetchHandler(async () => {
        const response = new Response(bytes);
        bytes.fill('x');
        return response;
      }),
    });
    expect((await ask(server, get())).text).toBe('before');
  });
});

describe('fetchHandler', () => {
  test('gives an environment and a context', async () => {
    const work = deferred();
    const later = deferred<string>();
    const told = deferred<unknown>();
    const server = serveFetch(
      {
        fetch(request: Request, env: unknown, context: FetchContext) {
          context.waitUntil(work.promise.then(() => later.resolve(`${request.url} ${request.headers.get('x-a')}`)));
          context.waitUntil(Promise.reject(new Error('left behind')));
          const { request: received }: { request: HttpRequest } = context;
          return Response.json({ env, address: received.remoteAddress.address });
        },
      },
      { hostname: '127.0.0.1', env: { KEY: 'value' }, handlerError: told.resolve },
    );
    const reply = await ask(server, get('/x', 'X-A: b'));
    expect(JSON.parse(reply.text)).toEqual({ env: { KEY: 'value' }, address: '127.0.0.1' });
    expect(await told.promise).toMatchObject({ message: 'left behind' });
    work.resolve();
    expect(await later.promise).toBe('http://a/x b');
    await server.close();
  });

  test('answers for apps that fail, and for what is no Response', async () => {
    const told: string[] = [];
    const server = start({
      fetch: fetchHandler((request) => {
        if (request.url.endsWith('throws')) throw new Error('thrown');
        if (request.url.endsWith('rejects')) return Promise.reject(new Error('rejected'));
        return 7 as never;
      }),
      handlerError: (error) => void told.push((error as Error).message.slice(0, 8)),
    });
    for (const path of ['/throws', '/rejects', '/number']) expect((await ask(server, get(path))).status).toBe(500);
    expect(told).toEqual(['thrown', 'rejected', 'What a h']);
  });

  test('gives the platform’s own Requests where the globals are to stay', async () => {
    const server = start({
      fetch: fetchHandler(
        async (request) => new NativeResponse(`${request.constructor === NativeRequest} ${await request.text()}`),
        {
          overrideGlobals: false,
        },
      ),
    });
    expect((await ask(server, post('/', 'body'))).text).toBe('true body');
  });

  test('compresses where the server does', async () => {
    const server = start({ fetch: fetchHandler(() => new Response('again '.repeat(1000))), compression: true });
    const reply = await ask(server, get('/', 'Accept-Encoding: gzip'));
    expect(reply.headers['content-encoding']).toBe('gzip');
  });

  test('says what is wrong with its arguments', () => {
    expect(() => fetchHandler({} as never)).toThrow('app.fetch');
    expect(() => fetchHandler(() => new Response(), { overrideGlobals: 1 as never })).toThrow('overrideGlobals');
  });

  test('a fetch that is replaced is still the platform’s', async () => {
    const server = start({ fetch: () => 'reached' });
    expect(await (await fetch(server.url)).text()).toBe('reached');
    expect(await (await nativeFetch(server.url)).text()).toBe('reached');
  });
});
