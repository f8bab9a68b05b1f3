// Every valid request is the same request wherever it is cut, through a whole server; and so is a pipeline of them.
import { expect, test } from 'vitest';
import { Reply } from '../../../lib/http/index.js';
import { FakePeer, rest, start } from '../fake-scene.js';
import { ACCEPTED } from '../refused.js';
import { ATTACKS } from './attacks.js';

const HOST = 'Host: a\r\n';

/** None of them ends its connection. */
const REQUESTS: readonly string[] = [
  `GET / HTTP/1.1\r\n${HOST}\r\n`,
  `\r\nHEAD /head?a=%20b&c HTTP/1.1\r\nhost: example.com:8080\r\nAccept:  */*  \r\nCookie: a=b; c="d"\r\n\r\n`,
  `POST /length HTTP/1.1\r\n${HOST}Content-Length: 11\r\n\r\nhello\r\nworl`,
  `PUT /chunks HTTP/1.1\r\n${HOST}Transfer-Encoding: CHUNKED\r\nTrailer: x-sum\r\n\r\n1\r\na\r\n00A;b="\\"c"\r\n0123456789\r\n0\r\nX-Sum: 7\r\nHost: no\r\n\r\n`,
  `OPTIONS * HTTP/1.1\r\n${HOST}Connection: keep-alive\r\n\r\n`,
  'GET HTTPS://user.example:444/abs?q HTTP/1.1\r\nHost: other\r\n\r\n',
  `GET /upgrade HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  `POST /h2c HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc`,
  'GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  ...ATTACKS.filter(({ goesOn }) => goesOn).map(({ bytes }) => bytes),
  ...ACCEPTED.map(([, bytes]) => bytes).filter(
    (bytes) => bytes.length < 500 && !/^CONNECT|close|^GET \/ HTTP\/1\.0/m.test(bytes),
  ),
];

/** Answers with all that it was asked. */
function tell() {
  return start({
    limits: { headMs: 0, keepAliveMs: 0 },
    async fetch(request) {
      const { method, target, path, queryString, host, httpVersion } = request;
      const body = await request.text();
      const fields = [...request.headers].map(([name, value]) => `${name}=${value}`);
      const trailers = [...request.trailers].map(([name, value]) => `${name}=${value}`);
      return Reply.json(
        { method, target, path, queryString, host, httpVersion, fields, body, trailers },
        {
          headers: { 'x-method': method },
        },
      );
    },
  });
}

test.each(REQUESTS.map((bytes) => [JSON.stringify(bytes).slice(1, 70), bytes]))('%s', async (_name, bytes) => {
  const isHead = bytes.includes('HEAD ');
  const peer = await FakePeer.open(tell());
  const told = async (): Promise<string> => {
    const { status, headers, text } = await peer.reply(isHead);
    return `${status} ${headers['x-method']} ${headers['content-length']} ${text}`;
  };
  peer.say(bytes);
  const whole = await told();
  expect(whole).toMatch(/^200 /);
  for (let cut = 1; cut < bytes.length; cut++) {
    peer.say(bytes.slice(0, cut));
    await rest();
    peer.say(bytes.slice(cut));
    expect(await told(), `cut at ${cut}`).toBe(whole);
  }
  for (const byte of bytes) {
    peer.say(byte);
    await rest();
  }
  expect(await told(), 'byte by byte').toBe(whole);
});

test('a pipeline of all of them, cut anywhere', async () => {
  const server = tell();
  const all = REQUESTS.join('');
  const peer = await FakePeer.open(server);
  const expectAll = async (what: string, expected: string[]): Promise<string[]> => {
    const found: string[] = [];
    for (const bytes of REQUESTS) {
      const { status, text, headers } = await peer.reply(bytes.includes('HEAD '));
      found.push(`${status} ${headers['x-method']} ${text}`);
    }
    if (expected.length > 0) expect(found, what).toEqual(expected);
    return found;
  };
  peer.say(all);
  const expected = await expectAll('whole', []);
  for (let cut = 1; cut < all.length; cut += 13) {
    peer.say(all.slice(0, cut));
    await rest();
    peer.say(all.slice(cut));
    await expectAll(`cut at ${cut}`, expected);
  }
});
