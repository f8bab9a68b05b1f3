// Nothing that a handler puts into a reply can end a line of its head: it is an error where it is put, and if nobody catches
// that, the reply is 500 and holds nothing of it.
import { describe, expect, test } from 'vitest';
import { Fields, HttpError, Reply, serializeCookie } from '../../../lib/http/index.js';
import { encodeEvent } from '../../../lib/http/sse.js';
import { codeOf } from '../../net/scene.js';
import { get, RawClient, start } from '../scene.js';

const EVIL = { CR: '\r', LF: '\n', CRLF: '\r\n', NUL: '\0', 'CRLF and a field': '\r\nSet-Cookie: admin=1' };
const INJECTED = 'Set-Cookie: admin';

/** Each puts `text` somewhere where it would be sent in a head, or as a line of a protocol. */
const PLACES: Record<string, (text: string) => unknown> = {
  "a field's value": (text) => new Reply('', { headers: { 'x-own': `a${text}b` } }),
  "a field's name": (text) => new Reply('', { headers: { [`x${text}y`]: 'a' } }),
  'a value set later': (text) => new Reply('').headers.set('x-own', text),
  'a value appended': (text) => new Reply('').headers.append('x-own', `a${text}`),
  'one of several values': (text) => new Reply('', { headers: { 'set-cookie': ['a=b', `c=${text}`] } }),
  'fields of their own': (text) => new Fields({ a: text }),
  'a redirect': (text) => Reply.redirect(`/there${text}`),
  'a redirect to a URL of text': (text) => Reply.redirect(`https://a/${text}`, 301),
  "a cookie's name": (text) => serializeCookie(`name${text}`, 'a'),
  "a cookie's path": (text) => serializeCookie('name', 'a', { path: `/${text}` }),
  "a cookie's domain": (text) => serializeCookie('name', 'a', { domain: `a${text}` }),
  "an event's name": (text) => encodeEvent({ event: `tick${text}`, data: 'x' }),
  "an event's id": (text) => encodeEvent({ id: `7${text}`, data: 'x' }),
  "an error's fields": (text) =>
    new Reply('', { headers: new HttpError(400, 'x', { headers: { a: text } }).headers ?? {} }),
};

describe.each(Object.entries(EVIL))('%s in', (evil, text) => {
  test.each(Object.entries(PLACES))('%s is an error', async (place, put) => {
    // Events end their lines by CR and LF alone; NUL in a name harms nobody.
    if (place === "an event's name" && evil === 'NUL') return;
    expect(await codeOf(() => put(text))).toMatch(
      /^ERR_(MILLRACE_HTTP_FIELD|MILLRACE_HTTP_COOKIE|INVALID_ARG_\w+|OUT_OF_RANGE)$/,
    );
    const server = start({
      fetch: () => {
        put(text);
        return 'not caught';
      },
      handlerError() {},
    });
    const client = await RawClient.open(server);
    expect((await client.say(get()).reply()).status).toBe(500);
  });

  test("a cookie's value is encoded", () => {
    const cookie = serializeCookie('name', `a${text}b`);
    expect(cookie).toMatch(/^[\x21-\x7e]+$/);
    expect(new Reply('').cookie('name', `a${text}b`).headers.get('set-cookie')).toBe(cookie);
  });

  test('trailers is an error, and the body does not end as a whole one', async () => {
    const codes: unknown[] = [];
    const server = start({
      fetch: () =>
        Reply.stream(async (writer) => {
          await writer.write('x');
          codes.push(await codeOf(() => writer.trailers.set('x-sum', text)));
        }),
    });
    const client = await RawClient.open(server);
    const reply = await client.say(get()).reply();
    expect([reply.text, reply.trailers]).toEqual(['x', {}]);
    expect(codes).toEqual(['ERR_MILLRACE_HTTP_FIELD']);
  });

  test('an error that is thrown, or an upgrade, is 500 without it', async () => {
    const server = start({
      fetch: (request) => {
        if (request.wantsUpgrade) request.upgrade({ headers: { 'x-own': `a${text}` } });
        throw new HttpError(400, `message${text}`, { headers: { 'x-own': `a${text}` } });
      },
      handlerError() {},
    });
    const client = await RawClient.open(server);
    for (const fields of [[], ['Connection: Upgrade', 'Upgrade: x']]) {
      const reply = await client.say(get('/', ...fields)).reply();
      expect(reply).toMatchObject({ status: 500, text: 'Internal Server Error\n' });
      expect(JSON.stringify(reply.headers)).not.toContain(INJECTED);
    }
  });
});

test('a message of an error is a body, whatever is in it', async () => {
  const server = start({
    fetch: (request) => {
      throw new HttpError(400, `no\r\n\r\n<b>${request.path}</b>`);
    },
  });
  const client = await RawClient.open(server);
  const reply = await client.say(get('/x')).reply();
  expect(reply).toMatchObject({ status: 400, text: 'no\r\n\r\n<b>/x</b>\n' });
  expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
});

test('what a client sends does not come back in a head unless a handler puts it there, and then it is one line', async () => {
  const server = start({
    fetch: (request) => new Reply('', { headers: { 'x-echo': request.headers.get('x-own') ?? '' } }),
  });
  const client = await RawClient.open(server);
  const reply = await client.say(get('/', 'X-Own: a\tb \xe9')).reply();
  expect(reply.headers['x-echo']).toBe('a\tb \xe9');
});
