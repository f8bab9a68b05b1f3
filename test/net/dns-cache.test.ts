// The cache of looked-up names, on virtual time and with a resolver of the test's own.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CancelToken, sleep } from '../../lib/index.js';
import { installFake } from '../../lib/internal/fake/index.js';
import { type Answer, DNS_NAMES_MAX, DNS_TTL_MS } from '../../lib/net/dns-cache.js';
import { connect, dnsCache, type Listener, type LookupAddress, listen } from '../../lib/net/index.js';
import { codeOf, Deferred } from './scene.js';

const fake = installFake({ seed: 1 });
let asked: { host: string; family: number; answer: Answer }[] = [];
let automatic: LookupAddress[] | Error | null;
let listener: Listener;

beforeEach(async () => {
  asked = [];
  automatic = [{ address: '127.0.0.1', family: 4 }];
  dnsCache.configure({ ttlMs: DNS_TTL_MS, max: DNS_NAMES_MAX });
  dnsCache.useResolver((host, family, answer) => {
    asked.push({ host, family, answer });
    if (automatic instanceof Error) answer(automatic, []);
    else if (automatic !== null) answer(null, automatic);
  });
  listener = await listen({ host: '127.0.0.1', data() {} });
});

afterEach(async () => {
  await listener.close();
  dnsCache.useResolver(null);
  while (fake.counters().socketsOpen !== 0) await sleep(1);
});

async function reach(host: string, options: object = {}): Promise<void> {
  const socket = await connect({ host, port: listener.port, ...options });
  await socket.close();
}

describe('an answer', () => {
  test('is used for five seconds, whatever the case of the name', async () => {
    for (const host of ['a.test', 'A.test', 'a.TEST']) await reach(host);
    expect(asked.length).toBe(1);
    await sleep(DNS_TTL_MS - 100);
    await reach('a.test');
    expect(asked.length).toBe(1);
    await sleep(101);
    await reach('a.test');
    expect(asked.length).toBe(2);
    expect(dnsCache.size).toBe(1);
  });

  test('is asked for by family', async () => {
    await reach('a.test');
    await reach('a.test', { family: 4 });
    expect(asked.map(({ family }) => family)).toEqual([0, 4]);
    dnsCache.clear('A.TEST');
    expect(dnsCache.size).toBe(0);
  });

  test('of a listener is kept too', async () => {
    await (await listen({ host: 'a.test' })).close();
    await reach('a.test');
    expect(asked.length).toBe(1);
  });

  test('that is an error or empty is not kept', async () => {
    automatic = Object.assign(new Error('getaddrinfo ENOTFOUND a.test'), { code: 'ENOTFOUND' });
    expect(await codeOf(() => reach('a.test'))).toBe('ENOTFOUND');
    automatic = [];
    expect(await codeOf(() => reach('a.test'))).toBe('ENOTFOUND');
    automatic = [{ address: '127.0.0.1', family: 4 }];
    await reach('a.test');
    expect(asked.length).toBe(3);
  });

  test('of a lookup of the user is never kept', async () => {
    let called = 0;
    const lookup = async (): Promise<string> => {
      called++;
      return '127.0.0.1';
    };
    await reach('a.test', { lookup });
    await reach('a.test', { lookup });
    expect([called, asked.length, dnsCache.size]).toEqual([2, 0, 0]);
  });

  test('is not needed for an address or for localhost', async () => {
    for (const host of ['127.0.0.1', '::1', 'localhost', 'b.localhost']) await reach(host);
    expect(asked).toEqual([]);
  });
});

describe('the cache', () => {
  test('keeps so many names, and forgets what was looked up the longest ago', async () => {
    dnsCache.configure({ max: 3 });
    for (const host of ['a.test', 'b.test', 'c.test', 'a.test', 'd.test', 'a.test', 'b.test']) await reach(host);
    expect(asked.map(({ host }) => host)).toEqual(['a.test', 'b.test', 'c.test', 'd.test', 'b.test']);
    expect(dnsCache.size).toBe(3);
    dnsCache.configure({ max: 1 });
    expect(dnsCache.size).toBe(1);
  });

  test('is off with a time of 0, and joins nobody then', async () => {
    await reach('a.test');
    dnsCache.configure({ ttlMs: 0 });
    expect(dnsCache.size).toBe(0);
    await Promise.all([reach('a.test'), reach('a.test')]);
    expect(asked.length).toBe(3);
    expect(dnsCache.size).toBe(0);
  });

  test('can be cleared, and an answer that comes after that is not kept', async () => {
    automatic = null;
    const reached = reach('a.test');
    dnsCache.clear();
    asked[0]?.answer(null, [{ address: '127.0.0.1', family: 4 }]);
    await reached;
    expect(dnsCache.size).toBe(0);
  });

  test.each([
    [null, 'options must be an object; got null'],
    [{ ttlMs: -1 }, 'options.ttlMs must be from 0'],
    [{ ttlMs: '1' }, 'options.ttlMs must be a number of milliseconds; got "1"'],
    [{ max: 0 }, 'options.max must be an integer from 1 to 1048576; got 0'],
  ])('refuses %o', (options, message) => {
    expect(() => dnsCache.configure(options as never)).toThrow(message);
    expect(() => dnsCache.clear(1 as never)).toThrow('host must be a host name; got 1');
  });
});

describe('lookups of one name at the same time', () => {
  test('are one, and cancelling one leaves the others', async () => {
    automatic = null;
    const token = new CancelToken();
    const connects = [reach('a.test'), reach('a.test', { signal: token }), reach('a.test')];
    expect(asked.length).toBe(1);
    token.cancel('mine');
    expect(await codeOf(() => connects[1])).toBe('ABORT_ERR');
    asked[0]?.answer(null, [{ address: '127.0.0.1', family: 4 }]);
    await Promise.all([connects[0], connects[2]]);
    await reach('a.test');
    expect(asked.length).toBe(1);
  });

  test('that are all cancelled still fill the cache', async () => {
    automatic = null;
    const token = new CancelToken();
    const connecting = reach('a.test', { signal: token });
    token.cancel();
    expect(await codeOf(() => connecting)).toBe('ABORT_ERR');
    asked[0]?.answer(null, [{ address: '127.0.0.1', family: 4 }]);
    await reach('a.test');
    expect(asked.length).toBe(1);
  });

  test('fail together', async () => {
    automatic = null;
    const connects = [reach('a.test'), reach('a.test')].map((connecting) => codeOf(() => connecting));
    asked[0]?.answer(Object.assign(new Error('no'), { code: 'EAI_AGAIN' }), []);
    expect(await Promise.all(connects)).toEqual(['EAI_AGAIN', 'EAI_AGAIN']);
  });
});

describe('a lookup of the user', () => {
  const answers: [string, unknown][] = [
    [
      'calls back with all',
      (_: string, __: object, callback: (...args: unknown[]) => void) =>
        callback(null, [{ address: '127.0.0.1', family: 4 }]),
    ],
    [
      'calls back with one',
      (_: string, __: object, callback: (...args: unknown[]) => void) => setImmediate(callback, null, '127.0.0.1', 4),
    ],
    ['promises one', async () => '127.0.0.1'],
    ['promises all', async () => ['127.0.0.1', { address: '::1', family: 6 }]],
    ['promises an object', async () => ({ address: '127.0.0.1', family: 4 })],
    [
      'calls back twice',
      (_: string, __: object, callback: (...args: unknown[]) => void) => {
        callback(null, '127.0.0.1');
        callback(new Error('late'));
      },
    ],
  ];

  test.each(answers)('%s', async (_, lookup) => {
    await reach('a.test', { lookup });
  });

  const failures: [string, unknown, string][] = [
    [
      'throws',
      () => {
        throw Object.assign(new Error('mine'), { code: 'MINE' });
      },
      'MINE',
    ],
    [
      'rejects',
      async () => {
        throw Object.assign(new Error('mine'), { code: 'MINE' });
      },
      'MINE',
    ],
    ['gives nothing', async () => [], 'ENOTFOUND'],
    ['gives undefined', async () => undefined, 'ENOTFOUND'],
    ['gives no address', async () => 'example', 'ERR_INVALID_IP_ADDRESS'],
    ['gives nonsense', async () => [{ address: 5 }], 'ERR_INVALID_IP_ADDRESS'],
  ];

  test.each(failures)('%s: the error is that of the connect', async (_, lookup, code) => {
    expect(await codeOf(() => reach('a.test', { lookup }))).toBe(code);
  });

  test('is told what is asked, and its signal when nobody waits any more', async () => {
    const called = new Deferred<[string, { family: number; all: boolean; signal: AbortSignal }]>();
    const token = new CancelToken();
    const lookup = (host: string, options: never): Promise<string> => {
      called.resolve([host, options]);
      return new Promise(() => {});
    };
    const connecting = reach('A.test', { lookup, family: 6, signal: token });
    const [host, options] = await called.promise;
    expect([host, options.family, options.all, options.signal.aborted]).toEqual(['A.test', 6, true, false]);
    token.cancel();
    expect(options.signal.aborted).toBe(true);
    expect(await codeOf(() => connecting)).toBe('ABORT_ERR');
  });
});
