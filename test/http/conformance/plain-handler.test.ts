// What peers get of a server whose handler looks at nothing and answers at once: what the RFCs ask for must not depend on
// the handler's care.
import { describe, expect, test } from 'vitest';
import { HttpError, Reply, sendFile } from '../../../lib/http/index.js';
import { REFUSED } from '../refused.js';
import { ask, get, RawClient, start } from '../scene.js';

describe('a handler that never reads a body', () => {
  /** What fits into one packet: of more, the head has come before. */
  const chunked = REFUSED.filter(([, , bytes]) => /^POST .*chunked\r\n\r\n/s.test(bytes) && bytes.length < 4096);

  test.each(chunked)(
    'is not asked for a request whose body is none: %s (%s)',
    async (_name, _section, bytes, status) => {
      let asked = 0;
      const server = start({
        fetch() {
          asked++;
          return 'hello';
        },
      });
      const client = await RawClient.open(server);
      const reply = await client.say(bytes).reply();
      expect([reply.status, reply.headers.connection]).toEqual([status, 'close']);
      expect(await client.rest()).toBe('');
      expect(asked).toBe(0);
      client.end();
    },
  );

  test('has answered a request before what follows it is refused', async () => {
    const server = start({ fetch: ({ path }) => new Reply(path) });
    const client = await RawClient.open(server);
    const post = 'POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    client.say(`${post}1\r\na\r\n0\r\nX: y\r\n\r\n${post.replace('one', 'two')}1\r\na\r\n1\r\nbb\r\n0\r\n\r\n`);
    expect(await client.reply()).toMatchObject({ status: 200, text: '/one' });
    expect(await client.reply()).toMatchObject({ status: 400, headers: { connection: 'close' } });
    expect(await client.rest()).toBe('');
    client.end();
  });
});

describe('CONNECT', () => {
  const CONNECT = 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n';
  const answers: Record<
    string,
    () => Reply | Response | string | Uint8Array | AsyncIterable<string> | Promise<string>
  > = {
    text: () => 'hello',
    bytes: () => new Uint8Array(5),
    'a Reply': () => new Reply('hello', { status: 201 }),
    'no body': () => new Reply(null, { status: 204 }),
    'a Response': () => new Response('hello'),
    'a stream': async function* () {
      yield 'hello';
    },
    'a promise': async () => 'hello',
  };

  // RFC 9110, 9.3.6: any 2xx says that the tunnel is there, and has no Content-Length nor Transfer-Encoding.
  test.each(Object.entries(answers))('is not agreed to by %s', async (_name, fetch) => {
    const told: unknown[] = [];
    const server = start({ fetch, handlerError: (error) => told.push(error) });
    const client = await RawClient.open(server);
    const reply = await client.say(CONNECT + get()).reply();
    expect(reply).toMatchObject({ status: 501, reason: 'Not Implemented', headers: { connection: 'close' } });
    expect([await client.rest(), told]).toEqual(['', []]);
    client.end();
  });

  test('is refused as the handler says', async () => {
    const server = start({
      fetch: () => {
        throw new HttpError(405, undefined, { headers: { Allow: 'GET' } });
      },
    });
    expect(await ask(server, CONNECT)).toMatchObject({ status: 405, headers: { allow: 'GET', connection: 'close' } });
  });
});

describe('fields of a reply', () => {
  const CLOSE = { Connection: 'Close' };

  // RFC 9110, 7.8: a sender of Upgrade must also send it as an option of Connection.
  test('Upgrade is told to be one of this connection', async () => {
    const server = start({
      fetch: ({ path }) =>
        new Reply('', { status: 426, headers: { Upgrade: 'HTTP/2.0', ...(path === '/c' && CLOSE) } }),
      routes: { '/static': new Reply('x', { headers: { Upgrade: 'echo' } }) },
    });
    const client = await RawClient.open(server);
    for (const path of ['/', '/static']) {
      expect((await client.say(get(path)).reply()).headers.connection, path).toBe('Upgrade');
    }
    expect((await client.say(get('/c')).reply()).headers.connection).toBe('Upgrade, close');
  });

  // RFC 9110, 6.5.1
  test('those of framing are no trailers', async () => {
    const server = start({
      fetch: () =>
        Reply.stream(async (writer) => {
          await writer.write('hello');
          for (const name of [
            'Content-Length',
            'Transfer-Encoding',
            'Connection',
            'Content-Type',
            'Set-Cookie',
            'Trailer',
          ])
            writer.trailers.set(name, '1');
          writer.trailers.set('X-Sum', '7').set('ETag', '"a"');
        }),
    });
    expect((await ask(server, get())).trailers).toEqual({ 'x-sum': '7', etag: '"a"' });
  });

  // RFC 9110, 8.6: no Content-Length but that of the same GET.
  test('HEAD of a file has no length that GET has not, where it would be compressed', async () => {
    const server = start({ compression: true, fetch: (request) => sendFile(request, 'package.json') });
    const gzip = ['Accept-Encoding: gzip', 'Connection: close'];
    const whole = await ask(server, get('/', ...gzip));
    const head = await ask(server, get('/', ...gzip).replace('GET', 'HEAD'), true);
    expect(whole.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect({ ...head.headers, date: '' }).toEqual({ ...whole.headers, date: '' });
    // RFC 9110, 15.4.5: Vary of 200 is in 304 as well.
    const known = await ask(server, get('/', ...gzip, `If-None-Match: ${whole.headers.etag}`));
    expect(known).toMatchObject({ status: 304, headers: { vary: 'Accept-Encoding' } });
    const plain = await ask(server, get().replace('GET', 'HEAD'), true);
    expect(plain.headers).toMatchObject({ vary: 'Accept-Encoding', 'accept-ranges': 'bytes' });
    expect(Number(plain.headers['content-length'])).toBeGreaterThan(1000);
  });

  // RFC 9110, 15.3.6
  test('205 has no content, and says so', async () => {
    expect(() => new Reply('x', { status: 205 })).toThrow('body must be null with status 205');
    const server = start({ fetch: () => new Reply(null, { status: 205 }) });
    expect(await ask(server, get())).toMatchObject({ status: 205, headers: { 'content-length': '0' } });
  });
});
