// The core of what holds for every backend, over the fake: whatever order, delays, splits and shortages a seed brings.
import { afterEach, describe, expect, test } from 'vitest';
import { select, sleep, spawn } from '../../lib/index.js';
import { installFake, ROUGH, SeededRandom, withSeeds } from '../../lib/internal/fake/index.js';
import { connect, type ListenOptions, listen, type Socket } from '../../lib/net/index.js';
import { codeOf, Deferred, expectSameBytes, pattern, readAll } from './scene.js';

const SEEDS = 30;
const fake = installFake({ seed: 1, windowBytes: 30_000, receiveBuffers: 16 });

afterEach(() => expect(fake.counters()).toMatchObject({ faults: 0, socketsOpen: 0 }));

/** Runs `body` for each seed with the two ends of one connection; all is closed and gone after each. */
function forSeeds(
  body: (ends: { at: Socket; from: Socket; random: SeededRandom }) => Promise<void>,
  accepting: ListenOptions = {},
  connecting: object = {},
): Promise<void> {
  return withSeeds(SEEDS, async (seed) => {
    fake.reseed(seed, ROUGH);
    const accepted = new Deferred<Socket>();
    const listener = await listen({ ...accepting, host: '127.0.0.1', open: accepted.resolve });
    const from = await connect({ ...connecting, host: '127.0.0.1', port: listener.port });
    const at = await accepted.promise;
    await body({ at, from, random: new SeededRandom(seed) });
    for (const socket of [at, from]) socket.destroy();
    await listener.close();
    while (fake.counters().socketsOpen !== 0) await sleep(1);
  });
}

describe('over seeds', () => {
  test('close lets all leave that was written, and the write that waited is done', async () => {
    await forSeeds(async ({ at, from, random }) => {
      const bytes = pattern(1 + random.below(200_000), 3);
      const written = from.write(bytes);
      const closed = from.close();
      expectSameBytes(await readAll(at), bytes);
      await closed;
      await written;
    });
  });

  test('a half-open connection goes on in the other direction', async () => {
    await forSeeds(
      async ({ at, from, random }) => {
        from.shutdown();
        expect(await at.read()).toBeNull();
        const bytes = pattern(1 + random.below(100_000), 4);
        await at.write(bytes);
        at.shutdown();
        expectSameBytes(await readAll(from), bytes);
      },
      { allowHalfOpen: true },
      { allowHalfOpen: true },
    );
  });

  test('destroy is a reset for the peer, and codes are stable ever after', async () => {
    await forSeeds(async ({ at, from, random }) => {
      if (random.chance(0.5)) void from.write(pattern(50_000));
      const closed = new Deferred();
      void spawn(async () => {
        while ((await codeOf(() => at.read())) === 'nothing');
        closed.resolve();
      });
      from.destroy();
      await closed.promise;
      expect(await codeOf(() => at.read())).toBe('ECONNRESET');
      expect(await codeOf(() => at.write('x'))).toBe('ECONNRESET');
      expect(await codeOf(() => from.write('x'))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    });
  });

  test('a read that loses a select gives its bytes back', async () => {
    await forSeeds(async ({ at, from, random }) => {
      const bytes = pattern(1 + random.below(60_000), 5);
      const writer = spawn(async () => {
        for (let sent = 0; sent < bytes.length; ) {
          const length = 1 + random.below(3000);
          await from.write(bytes.subarray(sent, sent + length));
          sent += length;
          await sleep(random.below(3));
        }
        await from.close();
      });
      const got: Buffer[] = [];
      for (;;) {
        const winner = await select({ pause: sleep(random.below(2)), bytes: at.read() });
        if (winner.key === 'pause') continue;
        if (winner.value === null) break;
        got.push(winner.value);
      }
      await writer;
      expectSameBytes(Buffer.concat(got), bytes);
    });
  });

  test('drain is told once for a crossing', async () => {
    let drains = 0;
    await forSeeds(
      async ({ at, from, random }) => {
        drains = 0;
        const reader = spawn(() => readAll(at));
        for (let crossing = 1; crossing <= 3; crossing++) {
          for (let i = 0; i < 2 + random.below(10); i++) void from.write(pattern(60_000));
          await from.write(pattern(60_000));
          while (from.bytesQueued > 0) await sleep(1);
          expect(drains).toBe(crossing);
        }
        await from.close();
        expect((await reader).length).toBe(from.bytesWritten);
      },
      {},
      { drain: () => drains++ },
    );
  });

  test('a handler that ends its socket hears of nothing but its close', async () => {
    const events: string[] = [];
    let closed = new Deferred();
    await forSeeds(
      async ({ from, random }) => {
        events.length = 0;
        closed = new Deferred();
        void from.write(pattern(1 + random.below(50_000)));
        from.shutdown();
        await closed.promise;
        expect(events).toEqual(['data', 'close']);
      },
      {
        data(socket) {
          events.push('data');
          if (events.length % 2 === 0) socket.destroy();
          else void socket.close();
        },
        end: () => void events.push('end'),
        drain: () => void events.push('drain'),
        error: () => void events.push('error'),
        close() {
          events.push('close');
          closed.resolve();
        },
      },
    );
  });

  test('pause and resume lose nothing', async () => {
    let got: Buffer[] = [];
    let ended = new Deferred();
    await forSeeds(
      async ({ at, from, random }) => {
        got = [];
        ended = new Deferred();
        const bytes = pattern(1 + random.below(150_000), 6);
        void from.write(bytes);
        from.shutdown();
        while (at.open) {
          if (random.chance(0.5)) at.pause();
          else at.resume();
          await sleep(random.below(4));
          at.resume();
          await sleep(1);
        }
        await ended.promise;
        expectSameBytes(Buffer.concat(got), bytes);
      },
      {
        data: (_socket, chunk) => void got.push(chunk.copy()),
        end: () => ended.resolve(),
      },
    );
  });
});
