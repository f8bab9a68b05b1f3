// The HTTP examples, asked by clients of Node's own.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  request as nodeRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Example } from './run-example.js';

const running: Example[] = [];

interface Started {
  example: Example;
  port: number;
  url: string;
}

async function start(name: string, ...args: string[]): Promise<Started> {
  const example = new Example(name, ['0', ...args]);
  running.push(example);
  const [, port] = await example.says(/^listening on 127\.0\.0\.1:(\d+)/);
  return { example, port: Number(port), url: `http://127.0.0.1:${port}` };
}

/** Whatever a test has begun ends orderly, and has nothing to complain about that the test does not expect. */
let complaints: string | RegExp = '';
afterEach(async () => {
  const expected = complaints;
  complaints = '';
  for (const example of running.splice(0)) {
    example.signal('SIGTERM');
    const { code, errors } = await example.ended;
    expect(code).toBe(0);
    if (expected === '') expect(errors).toBe('');
    else expect(errors).toMatch(expected);
  }
});

/** Says exactly these bytes; gives all that comes until the server ends. */
async function said(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text, 'latin1');
  let answer = '';
  for await (const bytes of socket) answer += bytes.toString('latin1');
  return answer;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('http-hello', () => {
  test('says Hello, World! as text/plain, whatever is asked', async () => {
    const { url } = await start('http-hello');
    for (const [path, method] of [
      ['/', 'GET'],
      ['/anything?at=all', 'POST'],
    ] as const) {
      const response = await fetch(url + path, { method });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/^text\/plain\b/);
      expect(await response.text()).toBe('Hello, World!');
    }
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['13', '']);
  });

  test('answers what comes in one piece in its order, and closes when it is asked to', async () => {
    const { port } = await start('http-hello');
    const answer = await said(
      port,
      'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(answer.match(/HTTP\/1\.1 200 OK\r\n/g)).toHaveLength(2);
    expect(answer).toMatch(/Connection: close[\s\S]+Hello, World!$/);
  });
});

describe('http-json-api', () => {
  let api: Started;
  const json = (path: string, method: string, body: unknown, type = 'application/json'): Promise<Response> =>
    fetch(api.url + path, {
      method,
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const problem = async (response: Response): Promise<{ status: number; detail: string }> => {
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const { status, detail } = (await response.json()) as { status: number; detail: string };
    expect(status).toBe(response.status);
    return { status, detail };
  };

  test('makes, finds, changes and removes notes', async () => {
    api = await start('http-json-api');
    const made = await json('/notes', 'POST', { text: 'buy milk' });
    expect([made.status, made.headers.get('location')]).toEqual([201, '/notes/1']);
    expect(await made.json()).toEqual({ id: 1, text: 'buy milk', done: false });
    await json('/notes', 'POST', { text: 'sleep' });

    const found = await fetch(`${api.url}/notes?word=milk`);
    expect(found.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await found.json()).toEqual([{ id: 1, text: 'buy milk', done: false }]);

    expect(await (await json('/notes/1', 'PUT', { text: 'buy milk', done: true })).json()).toEqual({
      id: 1,
      text: 'buy milk',
      done: true,
    });
    expect((await (await fetch(`${api.url}/notes/1`)).json()) as unknown).toMatchObject({ done: true });

    expect((await fetch(`${api.url}/notes/1`, { method: 'DELETE' })).status).toBe(204);
    expect(await problem(await fetch(`${api.url}/notes/1`))).toEqual({ status: 404, detail: 'There is no note 1' });
  });

  test('tells what is wrong, as JSON', async () => {
    api = await start('http-json-api');
    expect(await problem(await json('/notes', 'POST', '{"text":'))).toMatchObject({ status: 400 });
    expect(await problem(await json('/notes', 'POST', { text: '' }))).toMatchObject({ status: 422 });
    expect(await problem(await json('/notes', 'POST', 'null'))).toMatchObject({ status: 422 });
    expect(await problem(await json('/notes', 'POST', { text: 'x', done: 1 }))).toMatchObject({ status: 422 });
    expect(await problem(await json('/notes', 'POST', '{}', 'text/plain'))).toMatchObject({ status: 415 });
    expect(await problem(await json('/notes', 'POST', { text: 'x'.repeat(10_000) }))).toMatchObject({ status: 413 });
    expect(await problem(await json('/notes/7', 'PUT', { text: 'x' }))).toMatchObject({ status: 404 });
    expect(await problem(await fetch(`${api.url}/nowhere`))).toMatchObject({ status: 404 });
  });

  test('knows the methods of a path: 405 with Allow, OPTIONS, HEAD', async () => {
    api = await start('http-json-api');
    const refused = await fetch(`${api.url}/notes`, { method: 'DELETE' });
    expect(refused.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST');
    expect(await problem(refused)).toMatchObject({ status: 405 });
    const options = await fetch(`${api.url}/notes/1`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'DELETE, GET, HEAD, OPTIONS, PUT']);
    const head = await fetch(`${api.url}/notes`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '2', '']);
    expect(await (await fetch(`${api.url}/health`)).text()).toBe('well');
  });
});

describe('http-static-files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-files-'));
  const large = Buffer.alloc(700_000, 'one two three four five six seven ');

  beforeAll(() => {
    mkdirSync(join(folder, 'public', 'docs'), { recursive: true });
    const file = (name: string, content: string | Buffer): void => writeFileSync(join(folder, name), content);
    file('secret.txt', 'secret');
    file('public/index.html', '<h1>Hello</h1>');
    file('public/large.bin', large);
    file('public/.hidden', 'hidden');
    file('public/docs/index.html', '<h1>Docs</h1>');
    symlinkSync('../secret.txt', join(folder, 'public/leads-out.txt'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('sends files with type, length and validators, and whole ones larger than a piece', async () => {
    const { url, example } = await start('http-static-files', join(folder, 'public'));
    const page = await fetch(`${url}/`); // follows the redirect
    expect(page.url).toBe(`${url}/index.html`);
    expect(await page.text()).toBe('<h1>Hello</h1>');
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-length': '14',
      'accept-ranges': 'bytes',
      'cache-control': 'max-age=60',
      'x-content-type-options': 'nosniff',
    });
    const whole = Buffer.from(await (await fetch(`${url}/large.bin`)).arrayBuffer());
    expect(whole.equals(large)).toBe(true);
    expect((await fetch(`${url}/docs`)).url).toBe(`${url}/docs/`);
    expect(await (await fetch(`${url}/robots.txt`)).text()).toContain('User-agent');
    await example.says(/^GET \/large\.bin 200 /m);
  });

  test('sends what was asked for: a range, nothing new, nothing at all', async () => {
    const { url } = await start('http-static-files', join(folder, 'public'));
    const range = await fetch(`${url}/large.bin`, { headers: { range: 'bytes=699990-' } });
    expect([range.status, range.headers.get('content-range')]).toEqual([206, 'bytes 699990-699999/700000']);
    expect(Buffer.from(await range.arrayBuffer()).equals(large.subarray(-10))).toBe(true);
    expect((await fetch(`${url}/large.bin`, { headers: { range: 'bytes=700000-' } })).status).toBe(416);
    const etag = range.headers.get('etag') as string;
    const same = await fetch(`${url}/large.bin`, { headers: { 'if-none-match': etag } });
    expect([same.status, await same.text()]).toEqual([304, '']);
    const head = await fetch(`${url}/large.bin`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('700000');
  });

  test('sends nothing from outside', async () => {
    const { port } = await start('http-static-files', join(folder, 'public'));
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/docs/..%2f..%2fsecret.txt',
      '/.hidden',
      '/leads-out.txt',
      '//secret.txt',
    ]) {
      const answer = await said(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer, path).toMatch(/^HTTP\/1\.1 40[034] /);
      expect(answer, path).not.toMatch(/secret$|hidden$/);
    }
    expect(await said(port, 'POST /index.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/ 405 /);
  });
});

describe('http-sse', () => {
  /** The events of a stream, one at a time. */
  async function* eventsOf(response: Response): AsyncGenerator<string, void, undefined> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(bytes, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        yield text.slice(0, end);
        text = text.slice(end + 2);
      }
    }
  }
  const next = async (events: AsyncGenerator<string, void, undefined>): Promise<string | undefined> =>
    (await events.next()).value ?? undefined;

  test('everybody hears what one posts; who comes back hears what he has missed; the end is orderly', async () => {
    const { url, example } = await start('http-sse');
    const say = async (body: string): Promise<string> =>
      (await (await fetch(`${url}/say`, { method: 'POST', body })).text()).trim();
    const listen = async (headers: Record<string, string> = {}): Promise<AsyncGenerator<string, void, undefined>> => {
      const response = await fetch(`${url}/events`, { headers });
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      const events = eventsOf(response);
      expect(await next(events)).toBe(': welcome');
      return events;
    };
    expect(await (await fetch(url)).text()).toContain('EventSource');
    const one = await listen();
    const other = await listen();
    expect(await say('two\nlines')).toBe('heard by 2');
    for (const events of [one, other]) expect(await next(events)).toBe('id: 1\ndata: two\ndata: lines');

    await other.return(); // goes
    while ((await say('who is there?')) !== 'heard by 1');
    const back = await listen({ 'last-event-id': '1' });
    expect(await next(back)).toBe('id: 2\ndata: who is there?');
    expect((await fetch(`${url}/say`, { method: 'POST' })).status).toBe(400);

    example.signal('SIGTERM');
    for await (const event of back) expect(event).toMatch(/^id: \d+\ndata: who is there\?$/);
    await example.ended;
  });
});

describe('http-upload', () => {
  test('hashes the files of a form as they come', async () => {
    const { url } = await start('http-upload');
    expect(await (await fetch(url)).text()).toContain('multipart/form-data');
    const large = Buffer.alloc(3_000_000, 'millrace');
    const form = new FormData();
    form.append('note', 'with ümläuts');
    form.append('file', new Blob([large]), '../large.bin');
    form.append('file', new Blob(['']), 'empty');
    expect(await (await fetch(`${url}/upload`, { method: 'POST', body: form })).json()).toEqual([
      { name: 'note', text: 'with ümläuts' },
      { name: 'file', filename: expect.stringMatching(/large\.bin$/), bytes: large.length, sha256: sha256(large) },
      { name: 'file', filename: 'empty', bytes: 0, sha256: sha256(Buffer.alloc(0)) },
    ]);
  });

  test('hashes a body without a form, of known length and in chunks', async () => {
    const { url } = await start('http-upload');
    const bytes = Buffer.alloc(1_000_000, 'raw');
    const known = await fetch(`${url}/raw`, { method: 'PUT', body: bytes });
    expect(await known.json()).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
    const stream = new Blob([bytes]).stream();
    const chunked = await fetch(`${url}/raw`, { method: 'PUT', body: stream, duplex: 'half' } as RequestInit);
    expect(await chunked.json()).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
  });

  test('refuses what is too large, too much or no form', async () => {
    const { url } = await start('http-upload', '1');
    const upload = async (body: FormData | string): Promise<number> =>
      (await fetch(`${url}/upload`, { method: 'POST', body })).status;
    const large = new FormData();
    large.append('file', new Blob([Buffer.alloc(1_100_000)]), 'large');
    expect(await upload(large)).toBe(413);
    const many = new FormData();
    for (let i = 0; i < 21; i++) many.append(`field${i}`, 'x');
    expect(await upload(many)).toBe(413);
    expect(await upload('{}')).toBe(415);
    expect((await fetch(`${url}/upload`)).status).toBe(405);
  });
});

describe('http-reverse-proxy', () => {
  let origin: Server;
  let handle: (request: IncomingMessage, response: ServerResponse) => void;

  beforeAll(async () => {
    origin = createServer((request, response) => handle(request, response));
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
  });
  afterAll(async () => {
    origin.closeAllConnections();
    await new Promise((resolve) => origin.close(resolve));
  });

  const startProxy = (): Promise<Started> =>
    start('http-reverse-proxy', `http://127.0.0.1:${(origin.address() as AddressInfo).port}`);

  test('hands fields on, but those of one connection, and says for whom it asks', async () => {
    const { url, port } = await startProxy();
    let seen: IncomingMessage | undefined;
    handle = (request, response) => {
      seen = request;
      response.writeHead(207, ['X-Twice', '1', 'X-Twice', '2', 'Connection', 'X-Inner', 'X-Inner', 'no']);
      response.end('there');
    };
    const answer = await said(
      port,
      'GET http://front.example/a%20b?c=d HTTP/1.1\r\nHost: front.example\r\nX-Forwarded-For: 10.9.8.7\r\nKeep-Alive: 5\r\n' +
        'TE: trailers\r\nX-Mine: only\r\nAccept: a\r\nAccept: b\r\nConnection: TE, X-Mine, close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 207 /);
    expect(answer.match(/^X-Twice: \d\r$/gm)).toHaveLength(2);
    expect(answer).not.toContain('X-Inner');
    expect(answer).toMatch(/\r\n\r\nthere$|\r\n\r\n5\r\nthere\r\n0\r\n\r\n$/);
    expect(seen?.url).toBe('/a%20b?c=d');
    expect(seen?.headers).toMatchObject({
      accept: 'a, b',
      via: '1.1 millrace',
      'x-forwarded-for': '10.9.8.7, 127.0.0.1',
      'x-forwarded-host': 'front.example',
      'x-forwarded-proto': 'http',
    });
    expect(seen?.headers.host).not.toBe('front.example');
    for (const name of ['x-mine', 'te', 'keep-alive']) expect(seen?.headers).not.toHaveProperty(name);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([207, '']);
  });

  test('streams bodies both ways, with trailers', async () => {
    const { port } = await startProxy();
    const bytes = Buffer.alloc(5_000_000, 'there and back ');
    handle = (request, response) => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      request.pipe(response, { end: false });
      request.on('end', () => {
        response.addTrailers({ 'X-Sum': request.trailers['x-sum'] as string });
        response.end();
      });
    };
    const asked = nodeRequest({ port, host: '127.0.0.1', method: 'POST', agent: false, headers: { Trailer: 'X-Sum' } });
    const answered = once(asked, 'response');
    asked.write(bytes);
    asked.addTrailers({ 'X-Sum': sha256(bytes) });
    asked.end();
    const [answer] = (await answered) as [IncomingMessage];
    const back: Buffer[] = [];
    for await (const piece of answer) back.push(piece as Buffer);
    expect(Buffer.concat(back).equals(bytes)).toBe(true);
    expect(answer.trailers).toEqual({ 'x-sum': sha256(bytes) });
  });

  test('cancels what it asks for when the client goes', async () => {
    const { port } = await startProxy();
    const asked = new Promise<ServerResponse>((resolve) => {
      handle = (_request, response) => resolve(response);
    });
    const client = connect(port, '127.0.0.1');
    client.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    const response = await asked;
    client.destroy();
    await once(response, 'close');
    expect(response.writableFinished).toBe(false);
  });

  test('says 502 when there is nobody behind it, and breaks off what breaks off', async () => {
    complaints = /GET \/gone: /;
    const { url } = await startProxy();
    handle = (_request, response) => void response.destroy();
    expect((await fetch(`${url}/gone`)).status).toBe(502);
    handle = (_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('a part', () => response.destroy());
    };
    await expect(fetch(`${url}/part`).then((response) => response.text())).rejects.toThrow();
  });
});
