import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Reply, sendFile, serveFiles } from '../../lib/http/index.js';
import { counters, pattern, until } from '../net/scene.js';
import { ask, get, post, RawClient, start } from './scene.js';

let folder = '';
const large = pattern(3_000_000);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-http-'));
  await writeFile(join(folder, 'hello.txt'), 'Hello, file!');
  await writeFile(join(folder, 'large.bin'), large);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('files', () => {
  test('are sent whole, by ranges, and not again when they have not changed', async () => {
    const server = start({ routes: { '/files/*': serveFiles(folder) } });
    const client = await RawClient.open(server);
    const whole = await client.say(get('/files/hello.txt')).reply();
    expect(whole).toMatchObject({ status: 200, text: 'Hello, file!' });
    expect(whole.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'content-length': '12' });
    const etag = whole.headers.etag as string;
    expect(await client.say(get('/files/hello.txt', `If-None-Match: ${etag}`)).reply()).toMatchObject({ status: 304 });
    const part = await client.say(get('/files/hello.txt', 'Range: bytes=7-10')).reply();
    expect(part).toMatchObject({ status: 206, text: 'file', headers: { 'content-range': 'bytes 7-10/12' } });
    const beyond = await client.say(get('/files/hello.txt', 'Range: bytes=99-')).reply();
    expect(beyond).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */12' } });
    const several = await client.say(get('/files/large.bin', 'Range: bytes=0-0,2000000-2000001')).reply();
    expect(several.status).toBe(206);
    expect(several.text).toContain('Content-Range: bytes 2000000-2000001/3000000\r\n\r\n');
    const head = await client.say('HEAD /files/hello.txt HTTP/1.1\r\nHost: a\r\n\r\n').reply(true);
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '12' } });
    expect((await client.say(get('/files/large.bin')).reply()).body.equals(large)).toBe(true);
    for (const path of ['/files/nothing', '/files/..%2fhello.txt', '/files/']) {
      expect((await client.say(get(path)).reply()).status, path).toBe(404);
    }
    expect((await client.say(get('/files/%2e%2e/x')).reply()).status).toBe(400);
    expect(await client.say(post('/files/hello.txt', 'x')).reply()).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });

  test('that shrink while they are sent end the connection', async () => {
    const path = join(folder, 'shrinking.bin');
    await writeFile(path, Buffer.alloc(20_000_000));
    const told: unknown[] = [];
    const server = start({ fetch: (request) => sendFile(request, path), handlerError: (error) => told.push(error) });
    const client = await RawClient.open(server);
    client.say(get());
    await client.received(1000);
    client.pause();
    await truncate(path, 1000);
    client.resume();
    await expect(client.reply()).rejects.toThrow(/ended|ECONNRESET/);
    await until(() => told.length === 1);
    expect(told).toMatchObject([{ code: 'ERR_MILLRACE_HTTP_FILE' }]);
  });

  test('whose reader goes away are closed', async () => {
    const server = start({ fetch: (request) => sendFile(request, join(folder, 'large.bin')) });
    for (let i = 0; i < 20; i++) {
      const client = await RawClient.open(server);
      client.say(get());
      await client.received(1);
      client.destroy();
    }
    await until(() => server.connections === 0);
    await until(() => counters().socketsOpen === 1);
  });
});

describe('forms', () => {
  const boundary = 'Content-Type: multipart/form-data; boundary=x';
  const body = [
    '--x\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue\r\n',
    '--x\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\n',
    'z'.repeat(200_000),
    '\r\n--x--\r\n',
  ].join('');

  test('are read whole', async () => {
    const server = start({
      fetch: async (request) => {
        const form = await request.formData();
        const file = form.get('file');
        return Reply.json({ field: form.get('field'), size: file instanceof File ? file.size : -1 });
      },
    });
    const client = await RawClient.open(server);
    expect((await client.say(post('/', body, boundary)).reply()).text).toBe('{"field":"value","size":200000}');
    const encoded = 'Content-Type: application/x-www-form-urlencoded';
    expect((await client.say(post('/', 'field=a+b&file=', encoded)).reply()).text).toBe('{"field":"a b","size":-1}');
    expect((await client.say(post('/', '{}', 'Content-Type: application/json')).reply()).status).toBe(415);
    expect((await client.say(post('/', 'x'.repeat(2_000_000), boundary)).reply()).status).toBe(413);
  });

  test('are read as they come', async () => {
    const server = start({
      fetch: async (request) => {
        const seen: string[] = [];
        for await (const part of request.multipart()) {
          let bytes = 0;
          for await (const piece of part) bytes += piece.length;
          seen.push(`${part.name}:${bytes}`);
        }
        return seen.join(' ');
      },
    });
    expect((await ask(server, post('/', body, boundary))).text).toBe('field:5 file:200000');
  });
});

describe('bodies above the limit', () => {
  test('are 413, announced or not', async () => {
    const server = start({ limits: { bodyBytes: 1000 }, fetch: (request) => request.text() });
    expect((await ask(server, post('/', 'x'.repeat(1000)))).text).toHaveLength(1000);
    const refused = await ask(server, post('/', 'x'.repeat(1001)));
    expect([refused.status, refused.text]).toEqual([413, 'The body is over the limit of 1000\n']);
    const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect((await ask(server, `${chunked}3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`)).status).toBe(413);
  });
});

test('cookies come and go', async () => {
  const server = start({
    fetch: (request) => new Reply(JSON.stringify(request.cookies)).cookie('seen', '1', { httpOnly: true, path: '/' }),
  });
  const reply = await ask(server, get('/', 'Cookie: a=1; b=%20', 'Cookie: c=3'));
  expect(JSON.parse(reply.text)).toEqual({ a: '1', b: ' ', c: '3' });
  expect(reply.headers['set-cookie']).toMatch(/^seen=1; /);
});

test('a reply of announced length that comes short or long ends the connection', async () => {
  const told: unknown[] = [];
  const server = start({
    routes: {
      '/short': () =>
        Reply.stream(async (writer) => void (await writer.write('12')), { headers: { 'Content-Length': 3 } }),
      '/long': () =>
        Reply.stream(async (writer) => void (await writer.write('1234')), { headers: { 'Content-Length': 3 } }),
      '/right': () =>
        Reply.stream(async (writer) => void (await writer.write('123')), { headers: { 'Content-Length': 3 } }),
    },
    handlerError: (error) => told.push((error as Error).message),
  });
  for (const path of ['/short', '/long']) {
    const client = await RawClient.open(server);
    client.say(get(path));
    await expect(client.reply(), path).rejects.toThrow(/ended/);
  }
  expect((await ask(server, get('/right'))).text).toBe('123');
  expect(told).toContain('The reply announced 3 bytes and has 1 more');
});
