// Many peers that are slow, silent or greedy, at once: others are served meanwhile, what is held is bounded by counts that are
// known, and when their time is over nothing of them is left.
import { describe, expect, test } from 'vitest';
import { openCodec } from '../../lib/http/codec.js';
import { type HttpServer, serve } from '../../lib/http/index.js';
import { exchange, FakePeer, fake, get, pass, rest, start, until } from './fake-scene.js';

const MANY = 300;
/** The server looks at all connections about once a second. */
const LOOK_MS = 1250;

async function open(server: HttpServer, count: number, said: string): Promise<FakePeer[]> {
  const peers: FakePeer[] = [];
  for (let i = 0; i < count; i++) peers.push((await FakePeer.open(server)).say(said));
  await rest();
  return peers;
}

/** Somebody who means well is served at once, while time stands still. */
async function expectServed(server: HttpServer): Promise<void> {
  for (let i = 0; i < 5; i++) {
    expect(await exchange(server, get('/good', 'Connection: close'))).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\ngood$/s);
  }
}

test('slow heads: each gets 408 after headMs, however it trickles', async () => {
  const server = start({ fetch: () => 'good', limits: { headMs: 10_000 } });
  const peers = await open(server, MANY, 'GET / HTTP/1.1\r\nHost: a\r\n');
  for (let second = 0; second < 8; second++) {
    for (const peer of peers) peer.say(`X-${second}: y\r\n`);
    await pass(1000);
    if (second === 4) await expectServed(server);
  }
  await pass(2000 + 2 * LOOK_MS);
  for (const peer of peers) expect((await peer.reply()).status).toBe(408);
});

test('slow bodies: those below the floor get 408, and the memory of the others is what they have sent', async () => {
  const server = start({
    fetch: (request) => (request.path === '/good' ? 'good' : request.text()),
    limits: { bodyGraceMs: 3000, bodyBytesPerSecond: 100 },
  });
  const head = 'POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n';
  const peers = await open(server, MANY, head);
  for (let second = 0; second < 6; second++) {
    for (const peer of peers) peer.say('x');
    await pass(1000);
    if (second === 1) await expectServed(server);
  }
  for (const peer of peers) expect((await peer.reply()).status).toBe(408);
  expect(server.pendingRequests).toBe(0);
});

test('slow readers: they are not asked for more than they take, and are reset when they take nothing', async () => {
  let made = 0;
  const server = start({
    fetch: (request) => {
      if (request.path === '/good') return 'good';
      made++;
      return 'x'.repeat(100_000);
    },
    limits: { writeStallMs: 10_000 },
  });
  const peers: FakePeer[] = [];
  // As many as the send arena has room for: the fake keeps there what a kernel would have taken.
  for (let i = 0; i < 9; i++) peers.push((await FakePeer.open(server)).pause().say(get().repeat(200)));
  await rest();
  expect(made).toBeLessThanOrEqual(9 * 16);
  await expectServed(server);
  await pass(10_000 + 3 * LOOK_MS);
  expect(server.connections).toBe(0);
});

test('connections: those above the limit wait in the backlog, and the silent ones make room for them', async () => {
  const server = start({ fetch: () => 'good', limits: { connections: 50, headMs: 5000 } });
  await open(server, MANY, '');
  expect(server.connections).toBe(50);
  const good = (await FakePeer.open(server)).say(get('/good'));
  for (let i = 0; i < 20 && good.text === ''; i++) {
    await pass(2 * LOOK_MS);
    expect(server.connections).toBeLessThanOrEqual(50);
  }
  expect((await good.reply()).text).toBe('good');
});

test('idle ones: each costs no timer, no request and nothing in the codec but its place', async () => {
  const server = start({ fetch: () => 'good', limits: { keepAliveMs: 60_000 } });
  const peers = await open(server, MANY, get());
  for (const peer of peers) expect((await peer.reply()).text).toBe('good');
  expect(fake.counters().timersArmed).toBe(1);
  expect([server.connections, server.pendingRequests]).toEqual([MANY, 0]);
  expect(openCodec().connections).toBe(MANY);
  await pass(30_000);
  await expectServed(server);
  await pass(30_000 + 2 * LOOK_MS);
  for (const peer of peers) expect(await peer.rest()).toBe('');
});

test('requests: what cannot be handled is refused at once, and the refused may ask again', async () => {
  const server = start({
    fetch: (request) => (request.path === '/good' ? 'good' : new Promise<never>(() => {})),
    limits: { concurrentRequests: 20, queuedRequests: 30 },
  });
  const peers = await open(server, MANY, get('/never'));
  const refused = peers.filter((peer) => peer.text.startsWith('HTTP/1.1 503 '));
  expect([server.pendingRequests, refused.length]).toEqual([20, MANY - 50]);
  for (const peer of peers) if (!refused.includes(peer)) peer.reset();
  await until(() => server.connections === refused.length);
  expect(server.pendingRequests).toBe(0);
  for (const peer of refused.slice(0, 20)) {
    await peer.reply();
    expect((await peer.say(get('/good')).reply()).text).toBe('good');
  }
});

describe('resets', () => {
  test('at any moment leave nothing', async () => {
    const server = start({
      fetch: async (request) => (request.path === '/good' ? 'good' : `${(await request.text()).length}`),
    });
    const said = [
      '',
      'GET /',
      get(),
      `${get()}GET`,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx',
      'nonsense\r\n',
    ];
    for (const bytes of said) {
      for (const peer of await open(server, 20, bytes)) peer.reset();
    }
    await until(() => server.connections === 0);
    expect([server.pendingRequests, openCodec().connections]).toEqual([0, 0]);
    await expectServed(server);
  });
});

test('more servers, one after the other, than the codec has places for', async () => {
  for (let i = 0; i < 42; i++) {
    const servers = Array.from({ length: 100 }, () => serve({ hostname: '127.0.0.1', fetch: () => 'good' }));
    await Promise.all(servers.map((server) => server.close({ drainMs: 0 })));
  }
});

test('a signal closes the server as close() does: what is left after five seconds is reset', async () => {
  const controller = new AbortController();
  const server = start({
    signal: controller.signal,
    fetch: (request) => (request.path === '/never' ? new Promise<never>(() => {}) : 'good'),
  });
  const never = (await FakePeer.open(server)).say(get('/never'));
  const idle = (await FakePeer.open(server)).say(get());
  expect((await idle.reply()).text).toBe('good');
  controller.abort();
  expect(await idle.rest()).toBe('');
  await pass(4000);
  expect(never.isEnded).toBe(false);
  await pass(2000);
  expect(never.isEnded).toBe(true);
  expect([server.connections, server.pendingRequests]).toEqual([0, 0]);
});
