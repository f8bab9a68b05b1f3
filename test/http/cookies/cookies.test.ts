import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CookieOptions, parseCookies, removalOfCookie, serializeCookie } from '../../../lib/http/cookies/index.js';

describe('the cookies of a request', () => {
  test('are names with values', () => {
    expect({ ...parseCookies('a=1; b=2;c=3 ;\td = 4') }).toEqual({ a: '1', b: '2', c: '3', d: '4' });
    expect({ ...parseCookies('') }).toEqual({});
    expect({ ...parseCookies(null) }).toEqual({});
  });

  test('of one name: the first counts', () => {
    expect({ ...parseCookies('a=1; a=2; A=3') }).toEqual({ a: '1', A: '3' });
    expect({ ...parseCookies('a=; a=2') }).toEqual({ a: '' });
  });

  test('are taken as they come: what is no cookie is skipped, and the rest counts', () => {
    expect({ ...parseCookies('junk; a=1; =nameless; ; b=x=y; c') }).toEqual({ a: '1', b: 'x=y' });
    expect({ ...parseCookies('a="q"; b="; c=""; d="x') }).toEqual({ a: 'q', b: '"', c: '', d: '"x' });
    expect({ ...parseCookies(';;;') }).toEqual({});
  });

  test('are decoded where that can be done', () => {
    expect({ ...parseCookies('a=%E2%82%AC; b=100%; c=%ff; d=a+b') }).toEqual({ a: '€', b: '100%', c: '%ff', d: 'a+b' });
  });

  test('cannot reach a prototype', () => {
    const cookies = parseCookies('__proto__=x; constructor=y');
    expect(Object.entries(cookies)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(cookies.toString).toBeUndefined();
  });
});

describe('a cookie of a reply', () => {
  test('has its attributes', () => {
    expect(serializeCookie('a', 'b')).toBe('a=b');
    expect(
      serializeCookie('__Secure-id', 'x', {
        path: '/app',
        domain: 'Example.com',
        maxAge: 3600,
        expires: new Date(784111777000),
        httpOnly: true,
        secure: true,
        sameSite: 'none',
        partitioned: true,
      }),
    ).toBe(
      '__Secure-id=x; Max-Age=3600; Domain=Example.com; Path=/app; Expires=Sun, 06 Nov 1994 08:49:37 GMT; HttpOnly; Secure; SameSite=None; Partitioned',
    );
    expect(serializeCookie('a', 'b', { httpOnly: false, secure: false, sameSite: 'strict' })).toBe(
      'a=b; SameSite=Strict',
    );
  });

  test('is removed by an end in the past', () => {
    expect(removalOfCookie('__Host-a', { path: '/', secure: true })).toBe(
      '__Host-a=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure',
    );
  });

  test('any value comes back through parseCookies, and is made of cookie-octets', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (value) => {
        const field = serializeCookie('n', value);
        expect(field).toMatch(/^n=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/);
        expect(parseCookies(`x=1; ${field}; y=2`).n).toBe(value);
      }),
    );
  });

  const code = 'ERR_MILLRACE_HTTP_FIELD';

  test.each(['', 'a b', 'a=b', 'a;b', 'a,b', 'ä', 'a\n', '"a"'])('is not called %j', (name) => {
    expect(() => serializeCookie(name, 'v')).toThrow(expect.objectContaining({ name: 'TypeError', code }));
  });

  test.each<[CookieOptions, string]>([
    [{ path: 'app' }, 'options.path must be a path'],
    [{ path: '' }, 'options.path'],
    [{ path: '/a;b' }, 'options.path'],
    [{ path: '/a\r\nb' }, 'options.path'],
    [{ path: '/ä' }, 'options.path'],
    [{ domain: '' }, 'options.domain must be the name of a host'],
    [{ domain: 'a b' }, 'options.domain'],
    [{ domain: 'a.b:80' }, 'options.domain'],
    [{ domain: 'a..b' }, 'options.domain'],
    [{ domain: '-a.b' }, 'options.domain'],
    [{ domain: 'a; Secure' }, 'options.domain'],
    [{ expires: new Date(Number.NaN) }, 'options.expires must be a Date that is valid'],
    [{ sameSite: 'none' }, "sameSite 'none' must be secure"],
    [{ partitioned: true }, 'partitioned must be secure'],
  ])('with %j is an error', (options, message) => {
    expect(() => serializeCookie('a', 'b', options)).toThrow(
      expect.objectContaining({ name: 'TypeError', code, message: expect.stringContaining(message) }),
    );
  });

  test.each<[string, CookieOptions]>([
    ['__Secure-a', {}],
    ['__secure-a', { secure: false }],
    ['__Host-a', { path: '/' }],
    ['__Host-a', { secure: true }],
    ['__Host-a', { secure: true, path: '/x' }],
    ['__HOST-a', { secure: true, path: '/', domain: 'a.b' }],
  ])('called %s keeps what the name promises: %j does not', (name, options) => {
    expect(() => serializeCookie(name, 'v', options)).toThrow(expect.objectContaining({ code }));
  });

  test('that browsers would drop for its length is an error', () => {
    expect(serializeCookie('a', 'x'.repeat(4095))).toHaveLength(4097);
    expect(() => serializeCookie('a', 'x'.repeat(4096))).toThrow(RangeError);
    expect(() => serializeCookie('a', 'é'.repeat(700))).toThrow('value must be short enough for 4096 bytes');
    expect(() => serializeCookie('a', 'b', { path: `/${'x'.repeat(1024)}` })).toThrow(
      'options.path must be at most 1024',
    );
  });

  test('options of the wrong type are told by name', () => {
    const wrong = (options: unknown): string => serializeCookie('a', 'b', options as CookieOptions);
    expect(() => wrong(null)).toThrow('options must be an object; got null');
    expect(() => wrong({ maxAge: '1' })).toThrow('options.maxAge must be a number; got "1"');
    expect(() => wrong({ maxAge: 1.5 })).toThrow(RangeError);
    expect(() => wrong({ secure: 1 })).toThrow('options.secure must be a boolean; got 1');
    expect(() => wrong({ sameSite: 'toString' })).toThrow("options.sameSite must be 'strict', 'lax' or 'none'");
    expect(() => wrong({ expires: 1 })).toThrow('options.expires must be a Date; got 1');
    expect(() => wrong({ path: 1 })).toThrow('options.path must be a string; got 1');
    expect(() => serializeCookie('a', 1 as unknown as string)).toThrow('value must be a string; got 1');
    expect(() => serializeCookie('a', '\ud800')).toThrow('surrogate');
  });
});
