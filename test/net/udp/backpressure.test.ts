// Sends for which the kernel has no room, which the fake decides: they wait, are told, and leave in their order.
import { afterEach, describe, expect, test } from 'vitest';
import { sleep, spawn } from '../../../lib/index.js';
import { BROKEN, installFake, NO_FAULTS, SeededRandom, withSeeds } from '../../../lib/internal/fake/index.js';
import { codeOf } from '../scene.js';
import { takeTexts, UdpScene } from './conformance.js';

const fake = installFake({ seed: 1 });
const scene = new UdpScene();
afterEach(async () => {
  fake.reseed(1, NO_FAULTS);
  await scene.end();
  while (fake.counters().datagramSocketsOpen !== 0) await sleep(1);
  expect(fake.counters().faults).toBe(0);
});

describe('a kernel without room', () => {
  test('send waits above the high watermark, until the low one, and drain is told once for each crossing', async () => {
    await withSeeds(20, async (seed) => {
      fake.reseed(seed, { partialSend: 0.9 });
      let drains = 0;
      const at = await scene.bind({ highWaterMark: 2 ** 20 });
      const from = await scene.connect(at.port, { highWaterMark: 4000, lowWaterMark: 1000, drain: () => drains++ });
      const texts = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(50));
      const reader = spawn(() => takeTexts(at, texts.length));
      let crossings = 0;
      for (const text of texts) {
        const sent = from.send(text);
        // Until the tick ends nobody knows how much the kernel takes.
        await sleep(0);
        if (!sent.queued) continue;
        crossings++;
        expect(from.bytesQueued).toBeLessThan(4000 + 3 * 114);
        await sent;
        expect(from.bytesQueued).toBeLessThanOrEqual(1000);
        expect(drains).toBe(crossings);
      }
      expect(await reader).toEqual(texts);
      expect(crossings).toBeGreaterThan(0);
      await scene.end();
    });
  });

  test('send throws above the limit', async () => {
    fake.reseed(1, { partialSend: 1 });
    const from = await scene.connect(9, { sendLimit: 1000 });
    const send = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        from.send('x'.repeat(100));
        await sleep(0);
      }
    };
    expect(await codeOf(send)).toBe('ERR_MILLRACE_SOCKET_LIMIT');
    expect(from.bytesQueued).toBeLessThan(1000 + 2 * 164);
  });

  test('destroy loses what waits and says how much; the send that waits is thrown so', async () => {
    fake.reseed(1, { partialSend: 1 });
    let lost = -1;
    const from = await scene.connect(9, { highWaterMark: 100, close: (_socket, count) => (lost = count) });
    for (let i = 0; i < 5; i++) from.send('x'.repeat(100));
    await sleep(0);
    const waiting = from.send('more');
    expect(waiting.queued).toBe(true);
    const code = codeOf(() => waiting);
    from.destroy();
    expect(await code).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    await from.close();
    expect(lost).toBe(6);
  });
});

test('whatever breaks: every datagram arrives once or never, in the order of its sender', async () => {
  await withSeeds(20, async (seed) => {
    fake.reseed(seed, BROKEN);
    const random = new SeededRandom(seed);
    const got = new Map<string, number[]>();
    const server = await scene.bind({
      message(socket, datagram) {
        const key = String(datagram.from);
        const list = got.get(key) ?? [];
        got.set(key, list);
        list.push(Number(datagram));
        if (random.chance(0.5)) socket.send(datagram, datagram);
        else socket.send(String(datagram), datagram.from);
      },
    });
    const clients = await Promise.all([0, 1, 2].map(() => scene.connect(server.port)));
    const keys = clients.map((client) => `127.0.0.1:${client.port}`);
    const answers = clients.map((client) =>
      spawn(async () => {
        const numbers: number[] = [];
        for (;;) {
          const datagrams = await client.receiveMany(1 + random.below(20));
          if (datagrams === null) return numbers;
          numbers.push(...datagrams.map(Number));
        }
      }),
    );
    for (let i = 0; i < 200; i++) {
      clients[random.below(3)]?.send(String(i));
      if (random.chance(0.2)) await sleep(random.below(3));
    }
    await sleep(100);
    for (const client of clients) await client.close();
    for (const [i, task] of answers.entries()) {
      const sent = got.get(keys[i] as string) ?? [];
      expectIncreasing(sent);
      const back = await task;
      expectIncreasing(back);
      expect(back.every((number) => sent.includes(number))).toBe(true);
    }
    await scene.end();
  });
});

function expectIncreasing(numbers: number[]): void {
  for (const [i, number] of numbers.entries()) if (i > 0) expect(number).toBeGreaterThan(numbers[i - 1] as number);
}
