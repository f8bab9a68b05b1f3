import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Origin, type ProxyOptions, ProxyTrust, type TrustProxy } from '../../../lib/http/proxy/index.js';

const DIRECT = { address: '10.0.0.1', protocol: 'http', host: 'inner' } as const;

function origin(
  trust: TrustProxy | ProxyOptions,
  fields: Record<string, string>,
  direct: Partial<Origin> = {},
): Origin {
  return new ProxyTrust(trust).originOf(new Headers(fields), { ...DIRECT, ...direct });
}
const address = (trust: TrustProxy, forwardedFor: string, from = '10.0.0.1'): string =>
  origin(trust, { 'x-forwarded-for': forwardedFor }, { address: from }).address;

describe('who is believed', () => {
  test('nobody, unless told so', () => {
    for (const trust of [false, 0, []] as TrustProxy[]) {
      expect(new ProxyTrust(trust).isNone).toBe(true);
      expect(
        origin(trust, { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'x' }),
      ).toEqual({
        ...DIRECT,
        chain: ['10.0.0.1'],
      });
    }
  });

  test('everybody: the leftmost counts', () => {
    expect(address(true, '1.1.1.1, 2.2.2.2, 3.3.3.3')).toBe('1.1.1.1');
  });

  test('so many hops', () => {
    expect(address(1, '1.1.1.1, 2.2.2.2')).toBe('2.2.2.2');
    expect(address(2, '1.1.1.1, 2.2.2.2')).toBe('1.1.1.1');
    expect(address(9, '1.1.1.1, 2.2.2.2')).toBe('1.1.1.1');
  });

  test('certain addresses and networks', () => {
    expect(address(['10.0.0.0/8'], '1.1.1.1, 2.2.2.2, 10.9.9.9')).toBe('2.2.2.2');
    expect(address('loopback, uniquelocal', '1.1.1.1, 192.168.3.4, 127.0.0.9')).toBe('1.1.1.1');
    expect(address(['10.0.0.2'], '1.1.1.1')).toBe('10.0.0.1');
    expect(address(['2001:db8::/32'], '1.1.1.1, 2001:DB8:0:0::7', '2001:db8:ffff::1')).toBe('1.1.1.1');
    expect(address(['2001:db8::/32'], '1.1.1.1', '2001:db9::1')).toBe('2001:db9::1');
    expect(address(['10.0.0.0/31'], '1.1.1.1')).toBe('1.1.1.1');
    expect(address(['10.0.0.2/31'], '1.1.1.1')).toBe('10.0.0.1');
    expect(address(['0.0.0.0/0'], '1.1.1.1, 2.2.2.2')).toBe('1.1.1.1');
    expect(address(['0.0.0.0/0'], '1.1.1.1', '::1')).toBe('::1');
    expect(address(['::ffff:10.0.0.0/104'], '1.1.1.1', '::ffff:10.0.0.1')).toBe('1.1.1.1');
    expect(address(['10.0.0.0/8'], '1.1.1.1', '::ffff:10.0.0.1')).toBe('1.1.1.1');
  });

  test('whom a function believes, which hears how far away he is', () => {
    const asked: [string, number][] = [];
    const trust = (address: string, hop: number): boolean => {
      asked.push([address, hop]);
      return hop < 1;
    };
    expect(address(trust, '1.1.1.1, 2.2.2.2, 3.3.3.3')).toBe('3.3.3.3');
    expect(asked).toEqual([
      ['10.0.0.1', 0],
      ['3.3.3.3', 1],
    ]);
  });

  test('what a stranger writes counts for nothing, quotes that he leaves open either', () => {
    const claim = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('10.0.0.1', 'unknown', '', '"', '\\"', '\\', ';', 'for="', 'for=1.1.1.1'),
    );
    const options: ProxyOptions = { trust: ['10.0.0.0/8'], fields: 'forwarded' };
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 8 }), fc.constantFrom(', ', ',', ' '), (claims, between) => {
        const written = claims.join(between);
        expect(address(['10.0.0.0/8'], `${written}, 203.0.113.9, 10.0.0.7`)).toBe('203.0.113.9');
        const forwarded = `${written}, for="[2001:db8::9]:1";proto=https, for=10.0.0.7`;
        expect(origin(options, { forwarded }).address).toBe('2001:db8::9');
      }),
    );
  });
});

describe('addresses', () => {
  test.each([
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
  ])('%s is %s', (written, expected) => {
    expect(address(1, written)).toBe(expected);
  });

  test.each([
    'unknown',
    '_hidden',
    'example.com',
    '1.2.3',
    '1.2.3.4.5',
    '999.1.1.1',
    '[::1',
    '::1]',
    '-',
    '1.1.1.1; drop',
  ])('%j is none, and ends the chain at who said so', (written) => {
    expect(origin(true, { 'x-forwarded-for': `9.9.9.9, ${written}` })).toMatchObject({
      address: '10.0.0.1',
      chain: ['10.0.0.1'],
    });
    expect(address(true, `9.9.9.9, ${written}, 8.8.8.8`)).toBe('8.8.8.8');
  });

  test('of a chain are all told', () => {
    expect(origin(2, { 'x-forwarded-for': '1.1.1.1, 2.2.2.2, 3.3.3.3' }).chain).toEqual([
      '10.0.0.1',
      '3.3.3.3',
      '2.2.2.2',
    ]);
  });

  test('of a Unix socket are not there, and its proxy may be believed by hops', () => {
    expect(address(1, '1.1.1.1', '')).toBe('1.1.1.1');
    expect(address(['loopback'], '1.1.1.1', '')).toBe('');
  });
});

describe('protocol and host', () => {
  test('are what the outermost believed proxy says', () => {
    const fields = {
      'x-forwarded-for': '1.1.1.1, 2.2.2.2',
      'x-forwarded-proto': 'https, http',
      'x-forwarded-host': 'a.example, b',
    };
    expect(origin(1, fields)).toMatchObject({ address: '2.2.2.2', protocol: 'http', host: 'b' });
    expect(origin(2, fields)).toMatchObject({ address: '1.1.1.1', protocol: 'https', host: 'a.example' });
  });

  test('may be set once by the nearest', () => {
    const fields = {
      'x-forwarded-for': '1.1.1.1, 2.2.2.2',
      'x-forwarded-proto': 'HTTPS',
      'x-forwarded-host': 'a.example:8443',
    };
    expect(origin(1, fields)).toMatchObject({ protocol: 'https', host: 'a.example:8443' });
    expect(origin(2, fields)).toMatchObject({ protocol: 'https', host: 'a.example:8443' });
    expect(origin(1, { 'x-forwarded-proto': 'https' })).toMatchObject({
      address: '10.0.0.1',
      protocol: 'https',
      host: 'inner',
    });
  });

  test('are not what is neither', () => {
    for (const protocol of ['ftp', 'javascript', ''])
      expect(origin(1, { 'x-forwarded-proto': protocol }).protocol).toBe('http');
    for (const host of ['a/b', 'a@b', 'a b', 'http://a', 'a:b', 'a:123456', '"a"', '<script>']) {
      expect(origin(1, { 'x-forwarded-host': host }).host, host).toBe('inner');
    }
    expect(origin(1, { 'x-forwarded-host': '[::1]:80' }).host).toBe('[::1]:80');
  });
});

describe('Forwarded (RFC 7239)', () => {
  const options = (trust: TrustProxy): ProxyOptions => ({ trust, fields: 'forwarded' });

  test('is read from right to left, each element for its hop', () => {
    const forwarded = 'for=1.1.1.1;proto=https;host=a.example, For="[2001:db8::1]:4711";Proto=http;host="b:80"';
    expect(origin(options(1), { forwarded })).toMatchObject({ address: '2001:db8::1', protocol: 'http', host: 'b:80' });
    expect(origin(options(2), { forwarded })).toMatchObject({
      address: '1.1.1.1',
      protocol: 'https',
      host: 'a.example',
    });
  });

  test('may have commas and semicolons between quotes', () => {
    const forwarded = 'for=1.1.1.1;by="_a, for=6.6.6.6;b", for=10.0.0.2;by="_\\"x"';
    expect(origin(options(2), { forwarded })).toMatchObject({ chain: ['10.0.0.1', '10.0.0.2', '1.1.1.1'] });
  });

  test('may hide the client', () => {
    expect(origin(options(true), { forwarded: 'for=1.1.1.1, for=_secret;proto=https, for=10.0.0.2' })).toMatchObject({
      address: '10.0.0.2',
      protocol: 'https',
    });
    expect(origin(options(true), { forwarded: 'for=unknown' }).address).toBe('10.0.0.1');
  });

  test('that is malformed is believed up to there', () => {
    expect(origin(options(true), { forwarded: 'for=1.1.1.1, for=, for=2.2.2.2' }).address).toBe('2.2.2.2');
    expect(origin(options(true), { forwarded: 'for=2001:db8::1' }).address).toBe('10.0.0.1');
  });

  test('and X-Forwarded-For are not mixed: only what the proxies are known to write is read', () => {
    const fields = { forwarded: 'for=1.1.1.1', 'x-forwarded-for': '2.2.2.2', 'x-forwarded-proto': 'https' };
    expect(origin(1, fields)).toMatchObject({ address: '2.2.2.2', protocol: 'https' });
    expect(origin(options(1), fields)).toMatchObject({ address: '1.1.1.1', protocol: 'http' });
  });
});

test('a chain without end costs no more than one of 64', () => {
  const long = Array.from({ length: 5000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`).join(', ');
  expect(origin(true, { 'x-forwarded-for': long }).chain).toHaveLength(65);
});

describe('what cannot be believed in is an error', () => {
  test.each([
    'nonsense',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '::/129',
    '10.0.0/8',
    '',
    'localhost',
    '10.0.0.0/8/8',
    '1.1.1.1/a',
  ])('%j', (entry) => {
    expect(() => new ProxyTrust([entry])).toThrow(expect.objectContaining({ name: 'TypeError' }));
    expect(() => new ProxyTrust([entry])).toThrow('trustProxy must be made of IP addresses');
  });

  test('and so are other types', () => {
    const make = (options: unknown): ProxyTrust => new ProxyTrust(options as TrustProxy);
    expect(() => make(-1)).toThrow(RangeError);
    expect(() => make(1.5)).toThrow(RangeError);
    expect(() => make(null)).toThrow('trustProxy must be');
    expect(() => make(undefined)).toThrow(TypeError);
    expect(() => make({})).toThrow(TypeError);
    expect(() => make([1])).toThrow('trustProxy must be a list of addresses and networks; got 1');
    expect(() => make({ trust: 1, fields: 'both' })).toThrow("trustProxy.fields must be 'x-forwarded' or 'forwarded'");
  });
});
