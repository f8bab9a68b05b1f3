// Each limit, from both sides of its edge. Those of times stand in connection/times.test.ts, too.
import { describe, expect, test } from 'vitest';
import { type HttpLimits, serve } from '../../lib/http/index.js';
import { DEFAULT_LIMITS, limitsOf } from '../../lib/http/limits.js';
import { codeOf, Deferred } from '../net/scene.js';
import { FakePeer, get, pass, rest, start, until } from './fake-scene.js';

const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
/** The server looks at all connections about once a second. */
const LOOK_MS = 1250;

/** The status that `bytes` are answered with. */
async function statusOf(limits: Partial<HttpLimits>, bytes: string): Promise<number> {
  const server = start({ fetch: (request) => request.text(), limits });
  const peer = await FakePeer.open(server);
  return (await peer.say(bytes).reply()).status;
}

describe('the bytes of', () => {
  test('requestLineBytes', async () => {
    const line = (length: number): string => `GET /${'a'.repeat(length - 14)} HTTP/1.1`;
    const request = (length: number): string => `${line(length)}\r\nHost: a\r\n\r\n`;
    expect(line(100).length).toBe(100);
    expect(await statusOf({ requestLineBytes: 100 }, request(100))).toBe(200);
    expect(await statusOf({ requestLineBytes: 100 }, request(101))).toBe(414);
  });

  test('headBytes', async () => {
    const head = (length: number): string => get('/', `X: ${'a'.repeat(length - get('/', 'X: ').length)}`);
    expect(head(200).length).toBe(200);
    // The request line has no more room than the head, unless it is said to have.
    for (const limits of [{ headBytes: 200, requestLineBytes: 64 }, { headBytes: 200 }]) {
      expect(await statusOf(limits, head(200))).toBe(200);
      expect(await statusOf(limits, head(201))).toBe(431);
    }
    expect(limitsOf({ headBytes: 200 }).requestLineBytes).toBe(200);
    expect(() => limitsOf({ headBytes: 200, requestLineBytes: 201 })).toThrow('at most headBytes (200)');
  });

  test('fields', async () => {
    expect(await statusOf({ fields: 3 }, get('/', 'A: b', 'C: d'))).toBe(200);
    expect(await statusOf({ fields: 3 }, get('/', 'A: b', 'C: d', 'E: f'))).toBe(431);
  });

  test('bodyBytes, with a length and in chunks', async () => {
    const long = (length: number): string =>
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`;
    const chunks = (length: number): string => `${CHUNKED}${'1\r\nx\r\n'.repeat(length)}0\r\n\r\n`;
    for (const body of [long, chunks]) {
      expect(await statusOf({ bodyBytes: 100 }, body(100))).toBe(200);
      expect(await statusOf({ bodyBytes: 100 }, body(101))).toBe(413);
      expect(await statusOf({ bodyBytes: 0 }, body(0))).toBe(200);
      expect(await statusOf({ bodyBytes: 0 }, body(1))).toBe(413);
    }
  });

  test('bodyBytes, of a body that comes piece by piece', async () => {
    for (const [length, status] of [
      [100, 200],
      [101, 413],
    ] as const) {
      const server = start({ fetch: (request) => request.text(), limits: { bodyBytes: 100 } });
      const peer = await FakePeer.open(server);
      peer.say(CHUNKED);
      for (let i = 0; i < length; i++) {
        peer.say('1\r\nx\r\n');
        await rest();
      }
      expect((await peer.say('0\r\n\r\n').reply()).status).toBe(status);
    }
  });

  test('chunkExtensionBytes', async () => {
    const chunks = (extension: number): string => `${CHUNKED}1;${'a'.repeat(extension - 1)}\r\nx\r\n0\r\n\r\n`;
    expect(await statusOf({ chunkExtensionBytes: 10 }, chunks(10))).toBe(200);
    expect(await statusOf({ chunkExtensionBytes: 10 }, chunks(11))).toBe(413);
    expect(await statusOf({ chunkExtensionBytes: 0 }, `${CHUNKED}0\r\n\r\n`)).toBe(200);
    expect(await statusOf({ chunkExtensionBytes: 0 }, `${CHUNKED}0;a\r\n\r\n`)).toBe(413);
  });

  test('trailerBytes, with the empty line behind them', async () => {
    const trailers = (length: number): string => `${CHUNKED}0\r\nA: ${'b'.repeat(length - 7)}\r\n\r\n`;
    expect(await statusOf({ trailerBytes: 20 }, trailers(20))).toBe(200);
    expect(await statusOf({ trailerBytes: 20 }, trailers(21))).toBe(431);
    expect(await statusOf({ trailerBytes: 2 }, `${CHUNKED}0\r\n\r\n`)).toBe(200);
    expect(await statusOf({ trailerBytes: 2 }, `${CHUNKED}0\r\nA:\r\n\r\n`)).toBe(431);
  });
});

describe('the number of', () => {
  test('requests of a connection that are handled at the same time: pipelineDepth', async () => {
    const gate = new Deferred<string>();
    let handled = 0;
    const server = start({
      limits: { pipelineDepth: 3 },
      fetch: () => {
        handled++;
        return gate.promise;
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(get().repeat(3));
    await rest();
    expect(handled).toBe(3);
    peer.say(get());
    await rest();
    expect(handled).toBe(3);
    gate.resolve('x');
    for (let i = 0; i < 4; i++) expect((await peer.reply()).text).toBe('x');
  });

  test('connections: the next one waits until one has gone', async () => {
    const server = start({ fetch: () => 'x', limits: { connections: 2 } });
    const peers = [await FakePeer.open(server), await FakePeer.open(server)];
    for (const peer of peers) expect((await peer.say(get()).reply()).text).toBe('x');
    const third = await FakePeer.open(server);
    third.say(get());
    await rest();
    expect([server.connections, third.text]).toEqual([2, '']);
    peers[0]?.reset();
    expect((await third.reply()).text).toBe('x');
  });

  test('requests of a connection: requestsPerConnection', async () => {
    const server = start({ fetch: () => 'x', limits: { requestsPerConnection: 2 } });
    const peer = await FakePeer.open(server);
    expect((await peer.say(get()).reply()).headers.connection).toBeUndefined();
    expect((await peer.say(get()).reply()).headers.connection).toBe('close');
    expect(await peer.say(get()).rest()).toBe('');
  });

  test('requests that are handled, and that wait: concurrentRequests, queuedRequests', async () => {
    const gate = new Deferred<string>();
    let handled = 0;
    const server = start({
      limits: { concurrentRequests: 2, queuedRequests: 1 },
      fetch: () => {
        handled++;
        return gate.promise;
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(get().repeat(3));
    await rest();
    expect([handled, server.pendingRequests]).toEqual([2, 2]);
    const shed = await FakePeer.open(server);
    expect((await shed.say(get()).reply()).status).toBe(503);
    gate.resolve('x');
    for (let i = 0; i < 3; i++) expect((await peer.reply()).text).toBe('x');
    expect((await shed.say(get()).reply()).status).toBe(200);
    const none = start({
      limits: { concurrentRequests: 1, queuedRequests: 0 },
      fetch: () => new Promise<never>(() => {}),
    });
    const first = await FakePeer.open(none);
    first.say(get());
    await until(() => none.pendingRequests === 1);
    const second = await FakePeer.open(none);
    expect((await second.say(get()).reply()).status).toBe(503);
  });
});

describe('the milliseconds of', () => {
  /** Whether the connection is open after so long. */
  async function isOpenAfter(ms: number, limits: Partial<HttpLimits>, bytes: string): Promise<boolean> {
    const server = start({ fetch: (request) => request.text(), limits });
    const peer = await FakePeer.open(server);
    peer.say(bytes);
    await rest();
    await pass(ms);
    return !peer.isEnded;
  }
  const body = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';

  test.each<[keyof HttpLimits, Partial<HttpLimits>, string]>([
    ['headMs', {}, ''],
    ['headMs', {}, 'GET /'],
    ['keepAliveMs', {}, get()],
    ['bodyGraceMs', {}, body],
    ['requestMs', { bodyBytesPerSecond: 0 }, body],
  ])('%s: not before, but about a second later, and never with 0', async (name, limits, bytes) => {
    const given = { ...limits, [name]: 20_000 };
    expect(await isOpenAfter(20_000 - LOOK_MS, given, bytes)).toBe(true);
    expect(await isOpenAfter(20_000 + LOOK_MS, given, bytes)).toBe(false);
    if (name === 'bodyGraceMs') return;
    expect(await isOpenAfter(3_600_000, { ...limits, [name]: 0 }, bytes)).toBe(true);
  });

  test('bodyBytesPerSecond: 0 is no floor', async () => {
    expect(await isOpenAfter(200_000, { bodyBytesPerSecond: 0, requestMs: 0 }, body)).toBe(true);
  });

  test('writeStallMs: not before, but about a second later, and never with 0', async () => {
    for (const [ms, writeStallMs, open] of [
      [20_000 - LOOK_MS, 20_000, 1],
      [20_000 + 3 * LOOK_MS, 20_000, 0],
      [3_600_000, 0, 1],
    ] as const) {
      const server = start({ fetch: () => 'x'.repeat(1_000_000), limits: { writeStallMs, keepAliveMs: 0 } });
      const peer = await FakePeer.open(server);
      peer.pause().say(get());
      await rest();
      await pass(ms);
      expect(server.connections).toBe(open);
    }
  });
});

test.each([
  ['requestLineBytes', 64, 16_384],
  ['headBytes', 64, 65_000],
  ['fields', 1, 4096],
  ['bodyBytes', 0, 2 ** 31 - 1],
  ['chunkExtensionBytes', 0, 2 ** 30],
  ['trailerBytes', 2, 65_000],
  ['headMs', 0, 2 ** 30],
  ['bodyBytesPerSecond', 0, 2 ** 31 - 1],
  ['bodyGraceMs', 0, 2 ** 30],
  ['requestMs', 0, 2 ** 30],
  ['keepAliveMs', 0, 2 ** 30],
  ['writeStallMs', 0, 2 ** 30],
  ['pipelineDepth', 1, 1024],
  ['connections', 1, 2 ** 31 - 1],
  ['requestsPerConnection', 1, 2 ** 31 - 1],
  ['concurrentRequests', 1, 2 ** 31 - 1],
  ['queuedRequests', 0, 2 ** 31 - 1],
] as const)('%s is from %i to %i, an integer', async (name, min, max) => {
  expect(Object.keys(DEFAULT_LIMITS)).toContain(name);
  for (const value of [min, max]) {
    expect(limitsOf({ [name]: value })[name]).toBe(value);
    const server = start({ fetch: () => 'x', limits: { [name]: value } });
    const peer = await FakePeer.open(server);
    expect((await peer.say(get()).reply()).status).toBe(200);
  }
  for (const value of [min - 1, max + 1]) {
    expect(await codeOf(() => serve({ fetch: () => 'x', limits: { [name]: value } }))).toBe('ERR_OUT_OF_RANGE');
  }
  expect(await codeOf(() => limitsOf({ [name]: min + 0.5 }))).toBe('ERR_OUT_OF_RANGE');
  expect(await codeOf(() => limitsOf({ [name]: '5' as never }))).toBe('ERR_INVALID_ARG_TYPE');
});

test('a limit that does not exist is an error', async () => {
  expect(await codeOf(() => limitsOf({ bodyBites: 5 } as never))).toBe('ERR_OUT_OF_RANGE');
});
