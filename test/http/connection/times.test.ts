// How long a peer may take for what, in virtual time; and that time which the server itself has taken is not the peer's.
import { describe, expect, test } from 'vitest';
import { Reply } from '../../../lib/http/index.js';
import { Deferred } from '../../net/scene.js';
import { FakePeer, fake, get, pass, post, rest, start, until } from '../fake-scene.js';

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';
/** The server looks at all connections about once a second. */
const LOOK_MS = 1250;

describe('a peer that is slow', () => {
  test('to say anything is closed without a word after headMs', async () => {
    const server = start({ fetch: () => 'x', limits: { headMs: 5000 } });
    const peer = await FakePeer.open(server);
    await pass(5000 - LOOK_MS);
    expect(peer.isEnded).toBe(false);
    await pass(2 * LOOK_MS);
    expect(await peer.rest()).toBe('');
  });

  test('with its head, byte by byte, is told 408 after headMs', async () => {
    const server = start({ fetch: () => 'x', limits: { headMs: 5000 } });
    const peer = await FakePeer.open(server);
    for (const byte of 'GET / H') {
      peer.say(byte);
      await pass(1000);
    }
    expect(await peer.reply()).toMatchObject({ status: 408, headers: { connection: 'close' } });
  });

  test('with a second head is told 408 too, when the first was answered', async () => {
    const server = start({ fetch: () => 'x', limits: { headMs: 5000, keepAliveMs: 60_000 } });
    const peer = await FakePeer.open(server);
    expect((await peer.say(get()).reply()).text).toBe('x');
    await pass(20_000);
    peer.say('GET / HT');
    await rest();
    await pass(5000 - LOOK_MS);
    expect(peer.isEnded).toBe(false);
    await pass(2 * LOOK_MS);
    expect((await peer.reply()).status).toBe(408);
  });

  test('with its body is 408 for the handler that reads it', async () => {
    const server = start({
      fetch: (request) => request.text(),
      limits: { bodyBytesPerSecond: 100, bodyGraceMs: 3000 },
    });
    const peer = await FakePeer.open(server);
    peer.say(HEAD);
    for (let i = 0; i < 5; i++) {
      peer.say('x'.repeat(50));
      await pass(1000);
    }
    expect(await peer.reply()).toMatchObject({ status: 408, headers: { connection: 'close' } });
    const quick = await FakePeer.open(server);
    quick.say(HEAD);
    for (let i = 0; i < 10; i++) {
      quick.say('x'.repeat(150));
      await pass(1000);
    }
    expect(quick.text).toBe('');
  });

  test('because it waits for 100 Continue is not: that is not its time, and then the body has its own', async () => {
    const go = new Deferred<void>();
    const server = start({
      fetch: async (request) => {
        if (request.path === '/first') await go.promise;
        return `got ${await request.text()}`;
      },
      limits: { bodyBytesPerSecond: 100, bodyGraceMs: 3000 },
    });
    const head = (path: string): string => post(path, 'hello', 'Expect: 100-continue').slice(0, -'hello'.length);
    const peer = await FakePeer.open(server);
    peer.say(get('/first'));
    peer.say(head('/second'));
    const other = await FakePeer.open(server);
    other.say(head('/first'));
    await pass(20_000);
    expect([peer.text, other.text]).toEqual(['', '']);
    go.resolve();
    expect((await peer.reply()).text).toBe('got ');
    for (const waits of [peer, other]) expect((await waits.reply()).status).toBe(100);
    await pass(3000 - LOOK_MS);
    expect([peer.text, other.text]).toEqual(['', '']);
    expect((await other.say('hello').reply()).text).toBe('got hello');
    await pass(3 * LOOK_MS);
    expect((await peer.reply()).status).toBe(408);
  });

  test('was quick once, which is no credit for ever', async () => {
    const server = start({
      fetch: (request) => request.text(),
      limits: { bodyBytesPerSecond: 100, bodyGraceMs: 2000 },
    });
    const peer = await FakePeer.open(server);
    peer.say(HEAD + 'x'.repeat(30_000));
    await pass(2 * 2000 + 2000 + 2 * LOOK_MS);
    expect((await peer.reply()).status).toBe(408);
  });

  test('with a whole request, however steadily it comes, is 408 after requestMs', async () => {
    const server = start({ fetch: (request) => request.text(), limits: { requestMs: 8000, bodyBytesPerSecond: 1 } });
    const peer = await FakePeer.open(server);
    peer.say(HEAD);
    for (let i = 0; i < 7; i++) {
      peer.say('x'.repeat(1000));
      await pass(1000);
    }
    expect(peer.text).toBe('');
    await pass(3000);
    expect((await peer.reply()).status).toBe(408);
  });

  test('with a body that nobody reads any more ends its connection', async () => {
    const server = start({ fetch: () => 'early', limits: { bodyGraceMs: 2000 } });
    const peer = await FakePeer.open(server);
    peer.say('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
    expect((await peer.reply()).text).toBe('early');
    await pass(2000 + 2 * LOOK_MS);
    expect(await peer.rest()).toBe('');
  });

  test('to ask again is closed after keepAliveMs, and not before', async () => {
    const server = start({ fetch: () => 'x', limits: { keepAliveMs: 20_000 } });
    const peer = await FakePeer.open(server);
    for (let i = 0; i < 3; i++) {
      expect((await peer.say(get()).reply()).text).toBe('x');
      await pass(20_000 - LOOK_MS);
      expect(peer.isEnded).toBe(false);
    }
    await pass(2 * LOOK_MS);
    expect(await peer.rest()).toBe('');
  });

  test('to read is reset after writeStallMs, and its handler is told', async () => {
    const ends: string[] = [];
    const server = start({
      limits: { writeStallMs: 10_000 },
      fetch: (request) =>
        Reply.stream(async (writer) => {
          request.signal.addEventListener('abort', () => ends.push('aborted'));
          try {
            for (;;) await writer.write('x'.repeat(50_000));
          } finally {
            ends.push('thrown');
          }
        }),
    });
    const peer = await FakePeer.open(server);
    peer.pause().say(get());
    await rest();
    await pass(10_000 - LOOK_MS);
    expect(server.connections).toBe(1);
    await pass(3 * LOOK_MS);
    expect(server.connections).toBe(0);
    expect(ends.toSorted()).toEqual(['aborted', 'thrown']);
  });

  test('to read, but reads a little now and then, is not reset', async () => {
    const server = start({ limits: { writeStallMs: 5000 }, fetch: () => 'x'.repeat(1_000_000) });
    const peer = await FakePeer.open(server);
    peer.pause().say(get());
    for (let i = 0; i < 10; i++) {
      await pass(3000);
      peer.resume();
      const had = peer.text.length;
      await until(() => peer.text.length > had);
      peer.pause();
    }
    expect(server.connections).toBe(1);
    expect((await peer.resume().reply()).text.length).toBe(1_000_000);
  });
});

describe('a last reply', () => {
  test('to a peer that reads slowly is not cut while it is read', async () => {
    const server = start({ fetch: () => 'x'.repeat(400_000) });
    const peer = await FakePeer.open(server);
    peer.pause().say('GET / HTTP/1.0\r\n\r\n');
    await rest();
    for (let i = 0; i < 6; i++) {
      await pass(4000);
      peer.resume();
      const had = peer.text.length;
      await until(() => peer.text.length > had);
      peer.pause();
    }
    expect((await peer.resume().reply()).text.length).toBe(400_000);
    expect(peer.error).toBeNull();
  });

  test('to a peer that does not end its side: it is listened to for a while, and no reset cuts the reply', async () => {
    const server = start({ fetch: () => 'bye' });
    const peer = await FakePeer.open(server);
    expect((await peer.say(get('/', 'Connection: close')).reply()).text).toBe('bye');
    expect(await peer.rest()).toBe('');
    expect(server.connections).toBe(1);
    await pass(2000 + 2 * LOOK_MS);
    expect(server.connections).toBe(0);
    expect(peer.error).toBeNull();
  });

  test('to a peer that goes on sending is heard out, within limits', async () => {
    const server = start({ fetch: () => 'bye' });
    const peer = await FakePeer.open(server);
    expect((await peer.say(get('/', 'Connection: close')).reply()).text).toBe('bye');
    for (let i = 0; i < 40 && server.connections > 0; i++) {
      peer.say('x'.repeat(1_000_000));
      await until(() => peer.unsent === 0 || server.connections === 0);
    }
    expect(server.connections).toBe(0);
  });
});

describe('time that the server takes', () => {
  test('for a body that its handler does not read is not the peer of it', async () => {
    const gate = new Deferred<void>();
    const server = start({
      limits: { bodyGraceMs: 2000, requestMs: 600_000 },
      fetch: async (request) => {
        await gate.promise;
        return String((await request.text()).length);
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(post('/', 'x'.repeat(300_000)));
    await rest();
    await pass(60_000);
    expect(peer.text).toBe('');
    gate.resolve();
    await pass(LOOK_MS);
    expect((await peer.reply()).text).toBe('300000');
  });

  test('for the peer to read a reply is not that of a head that it has begun', async () => {
    const server = start({ limits: { headMs: 2000, writeStallMs: 60_000 }, fetch: () => 'x'.repeat(300_000) });
    const peer = await FakePeer.open(server);
    const second = get('/2');
    peer.pause().say(get('/1') + second.slice(0, 10));
    await rest();
    await pass(20_000);
    peer.resume();
    expect((await peer.reply()).text.length).toBe(300_000);
    peer.say(second.slice(10));
    expect((await peer.reply()).status).toBe(200);
  });

  test('for many that are idle is none: nobody keeps the process busy', async () => {
    const server = start({ fetch: () => 'x' });
    const peers = [];
    for (let i = 0; i < 200; i++) {
      const peer = await FakePeer.open(server);
      peers.push(peer);
      peer.say(get());
    }
    for (const peer of peers) await peer.reply();
    const before = fake.counters().timersFired as number;
    await pass(10_000);
    expect((fake.counters().timersFired as number) - before).toBeLessThanOrEqual(50);
    expect(server.connections).toBe(200);
  });
});

describe('closing', () => {
  test('resets what is left after drainMs, whatever it is doing', async () => {
    const server = start({
      fetch: (request) => {
        if (request.path === '/never') return new Promise<never>(() => {});
        if (request.path === '/body') return request.text();
        return Reply.stream(async (writer) => {
          for (;;) await writer.write('x'.repeat(10_000));
        });
      },
    });
    const never = await FakePeer.open(server);
    never.say(get('/never'));
    const body = await FakePeer.open(server);
    body.say(HEAD.replace('/', '/body'));
    const reader = await FakePeer.open(server);
    reader.pause().say(get('/stream'));
    const head = await FakePeer.open(server);
    head.say('GET /');
    const idle = await FakePeer.open(server);
    await rest();
    let left = -1;
    void server.close({ drainMs: 3000 }).then((count) => {
      left = count;
    });
    await pass(2900);
    expect(left).toBe(-1);
    expect(idle.isEnded).toBe(true);
    await pass(200);
    expect(left).toBeGreaterThanOrEqual(4);
    expect([server.connections, server.pendingRequests]).toEqual([0, 0]);
  });

  test('before it listens, twice, and with less time than before', async () => {
    const server = start({ fetch: () => new Promise<never>(() => {}) });
    const peer = await FakePeer.open(server);
    peer.say(get());
    await until(() => server.pendingRequests === 1);
    const closes = [server.close({ drainMs: 60_000 }), server.close({ drainMs: 1000 })];
    await rest();
    await pass(1000);
    expect(await Promise.all(closes)).toEqual([1, 1]);
    const early = start({ fetch: () => 'x' });
    expect(await early.close({ drainMs: 0 })).toBe(0);
  });
});

test('reload under load: whoever was asked answers, the next one finds the new routes', async () => {
  const gate = new Deferred<string>();
  const server = start({ routes: { '/slow': () => gate.promise, '/static': 'old', '/gone': 'old' } });
  const peer = await FakePeer.open(server);
  peer.say(get('/static') + get('/slow') + get('/static'));
  await rest();
  server.reload({ routes: { '/static': 'new', '/slow': 'new' } });
  peer.say(get('/static') + get('/gone'));
  await rest();
  expect(() => server.reload({ routes: { 'no slash': 'x' } })).toThrow();
  gate.resolve('old');
  const texts = [];
  for (let i = 0; i < 4; i++) texts.push((await peer.reply()).text);
  expect(texts).toEqual(['old', 'old', 'old', 'new']);
  expect((await peer.reply()).status).toBe(404);
  expect((await peer.say(get('/static')).reply()).text).toBe('new');
});
