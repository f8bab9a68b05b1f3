// The stream face over the fake, over seeds: whatever order, delays, splits and shortages come, no byte is lost, doubled or
// moved, and everything ends.
import { afterEach, describe, expect, test } from 'vitest';
import { scope, select, sleep, spawn } from '../../lib/index.js';
import { BROKEN, installFake, ROUGH, SeededRandom, withSeeds } from '../../lib/internal/fake/index.js';
import { openArenas } from '../../lib/net/arenas.js';
import { connect, type ListenOptions, listen, type Socket } from '../../lib/net/index.js';
import { codeOf, Deferred, expectSameBytes, pattern, readAll } from './scene.js';

const SEEDS = 40;
const MEBIBYTE = 2 ** 20;
const fake = installFake({ seed: 1, windowBytes: 30_000, receiveBuffers: 16 });

afterEach(() => expect(fake.counters()).toMatchObject({ faults: 0, socketsOpen: 0 }));

interface Ends {
  at: Socket;
  from: Socket;
  random: SeededRandom;
}

function forSeeds(
  body: (ends: Ends) => Promise<void>,
  accepting: ListenOptions = {},
  connecting: object = {},
  faults = ROUGH,
): Promise<void> {
  return withSeeds(SEEDS, async (seed) => {
    fake.reseed(seed, { ...faults, refuse: 0, outOfDescriptors: 0 });
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

/** Writes `bytes` in pieces and lists of any size, now and then waiting. */
async function writeAll(socket: Pick<Socket, 'write'>, bytes: Buffer, random: SeededRandom): Promise<void> {
  for (let sent = 0; sent < bytes.length; ) {
    const pieces: Buffer[] = [];
    for (let i = random.below(3); i >= 0; i--) {
      const piece = bytes.subarray(sent, sent + 1 + random.below(random.chance(0.2) ? 20_000 : 50));
      pieces.push(piece);
      sent += piece.length;
    }
    const written = socket.write(pieces.length === 1 ? (pieces[0] as Buffer) : pieces);
    if (random.chance(0.7)) await written;
    if (random.chance(0.1)) await sleep(random.below(3));
  }
}

describe('over seeds', () => {
  test('reads of every kind, some of them given up, give the stream', async () => {
    await forSeeds(
      async ({ at, from, random }) => {
        const bytes = pattern(1 + random.below(120_000), random.below(1000));
        const writer = spawn(async () => {
          await writeAll(from, bytes, random);
          from.shutdown();
        });
        const got: Buffer[] = [];
        let count = 0;
        const keep = (chunk: Buffer): void => {
          got.push(chunk);
          count += chunk.length;
        };
        for (;;) {
          const read = random.chance(0.3)
            ? at.read(1 + random.below(3000))
            : random.chance(0.5)
              ? at.readExact(Math.min(random.below(5000), bytes.length - count))
              : at.readUntil(Buffer.from([random.below(256), random.below(2)]).subarray(random.below(2)), MEBIBYTE);
          const winner = await select({ pause: sleep(random.below(3)), read }).catch(
            (error) => error as { code: string },
          );
          if ('code' in winner) {
            expect(winner.code).toBe('ERR_MILLRACE_UNEXPECTED_END');
            for (let chunk = await at.read(); chunk !== null; chunk = await at.read()) keep(chunk);
            break;
          }
          if (winner.key === 'pause') continue;
          if (winner.value === null) break;
          keep(winner.value as Buffer);
          if (count === bytes.length && random.chance(0.5)) break;
        }
        await writer;
        expectSameBytes(Buffer.concat(got), bytes);
      },
      { highWaterMark: 5000 },
    );
  });

  test('framed messages arrive whole', async () => {
    await forSeeds(async ({ at, from, random }) => {
      const messages = Array.from({ length: 30 }, (_, i) =>
        pattern(random.below(random.chance(0.2) ? 40_000 : 200), i),
      );
      const writer = spawn(async () => {
        for (const message of messages) {
          const header = Buffer.alloc(4);
          header.writeUInt32BE(message.length);
          await from.writev([header, message]);
        }
        await from.close();
      });
      for (const message of messages) {
        expectSameBytes(await at.readExact((await at.readExact(4)).readUInt32BE()), message);
      }
      expect(await codeOf(() => at.readExact(4))).toBe('ERR_MILLRACE_UNEXPECTED_END');
      await writer;
    });
  });

  test('lines arrive whole', async () => {
    await forSeeds(async ({ at, from, random }) => {
      const lines = Array.from(
        { length: 60 },
        () => `${'\r'.repeat(random.below(3))}${'x'.repeat(random.below(300))}\r\n`,
      );
      const writer = spawn(async () => {
        await writeAll(from, Buffer.from(lines.join('')), random);
        await from.close();
      });
      for (const line of lines) expect(String(await at.readUntil('\r\n', 400))).toBe(line);
      expect(await at.readUntil('\r\n', 400)).toBeNull();
      await writer;
    });
  });

  test('halves in four tasks exchange all, and both sockets close by themselves', async () => {
    await forSeeds(async ({ at, from, random }) => {
      const sides = [at, from].map((socket, i) => ({ ...socket.split(), bytes: pattern(random.below(80_000), i) }));
      await scope(async (tasks) => {
        for (const [i, { reader, writer, bytes }] of sides.entries()) {
          const expected = (sides[1 - i] as { bytes: Buffer }).bytes;
          tasks.spawn(async () => {
            await writeAll(writer, bytes, random);
            writer.close();
          });
          tasks.spawn(async () => {
            const got: Buffer[] = [];
            for await (const chunk of reader) got.push(chunk);
            expectSameBytes(Buffer.concat(got), expected);
          });
        }
      });
      while (!at.closed || !from.closed) await sleep(1);
    });
  });

  test('writes larger than what may be under way arrive among others, in order', async () => {
    await forSeeds(async ({ at, from, random }) => {
      const parts: Buffer[] = [];
      for (let i = 0; i < 6; i++) {
        const part = pattern(random.chance(0.4) ? MEBIBYTE + random.below(MEBIBYTE) : random.below(5000), i);
        parts.push(part);
        void from.write(random.chance(0.5) ? part : [part.subarray(0, 9), part.subarray(9)]);
        if (random.chance(0.3)) await sleep(random.below(20));
      }
      const closed = from.close();
      expectSameBytes(await readAll(at), Buffer.concat(parts));
      await closed;
      expect(from.bytesWritten).toBe(at.bytesRead);
    });
  }, 60_000);

  test('when all memory for sending is in use, writes wait for it, and nothing is lost or moved', async () => {
    const arenas = openArenas();
    const { reserve } = arenas;
    await forSeeds(async ({ at, from, random }) => {
      arenas.reserve = (bytes, whole) => (random.chance(0.4) ? -1 : reserve.call(arenas, bytes, whole));
      try {
        const reader = spawn(() => readAll(at));
        const expected: Buffer[] = [];
        for (let i = 0; i < 30; i++) {
          const bytes = Buffer.from(`${i}${'ü'.repeat(random.below(400))}`);
          const parts = [bytes, pattern(random.below(100_000), i)].slice(random.below(2));
          expected.push(...parts);
          const text = random.chance(0.5) && parts.length === 2 ? String(bytes) : (parts[0] as Buffer);
          const written = from.write(parts.length === 2 ? [text, parts[1] as Buffer] : (parts[0] as Buffer));
          if (random.chance(0.5)) await written;
        }
        const closed = from.close();
        expectSameBytes(await reader, Buffer.concat(expected));
        await closed;
        expect(from.bytesWritten).toBe(at.bytesRead);
      } finally {
        arenas.reserve = reserve;
      }
    });
  });

  test('every byte is received, or told as lost', async () => {
    let lost = 0;
    let closed = new Deferred();
    await forSeeds(
      async ({ at, from, random }) => {
        closed = new Deferred();
        const reader = spawn(async () => {
          let got = 0;
          try {
            for (;;) {
              const chunk = await at.read();
              if (chunk === null) return got;
              got += chunk.length;
              if (random.chance(0.05)) at.destroy();
            }
          } catch {
            return got;
          }
        });
        await codeOf(async () => {
          for (let i = 0; i < 20; i++) {
            const written = from.write(pattern(random.chance(0.1) ? 2 * MEBIBYTE : random.below(9000), i));
            if (random.chance(0.5)) await written;
          }
        });
        void from.close();
        await closed.promise;
        const got = await reader;
        // What the peer's kernel had when it broke is neither: at most the window.
        expect(from.bytesWritten - lost).toBeGreaterThanOrEqual(got);
        expect(from.bytesWritten - lost - got).toBeLessThanOrEqual(30_000 + 16 * 16_384);
        if (from.error === null && at.error === null && at.peerEnded) expect(got + lost).toBe(from.bytesWritten);
      },
      {},
      {
        close(_socket: Socket, lostBytes: number) {
          lost = lostBytes;
          closed.resolve();
        },
      },
      BROKEN,
    );
  }, 60_000);

  test('drain and the writes that wait come once for a crossing, at the low watermark', async () => {
    let drains = 0;
    let above = 0;
    await forSeeds(
      async ({ at, from, random }) => {
        drains = 0;
        const reader = spawn(() => readAll(at));
        for (let crossing = 1; crossing <= 4; crossing++) {
          const writes = Array.from({ length: 1 + random.below(5) }, () => from.write(pattern(50_000)));
          expect(writes.every(({ queued }) => queued)).toBe(true);
          await Promise.all(writes);
          expect(from.bytesQueued).toBeLessThanOrEqual(1000);
          await sleep(0);
          expect(drains).toBe(crossing);
        }
        await from.close();
        await reader;
        expect(above).toBe(0);
      },
      {},
      {
        highWaterMark: 40_000,
        lowWaterMark: 1000,
        drain(socket: Socket) {
          drains++;
          if (socket.bytesQueued > 1000) above++;
        },
      },
    );
  });

  test('a descriptor that is given away takes the rest of the stream with it', async () => {
    await forSeeds(async ({ at, from, random }) => {
      const bytes = pattern(20_000 + random.below(100_000), 4);
      const writer = spawn(async () => {
        await writeAll(from, bytes, random);
        from.shutdown();
      });
      const got: Buffer[] = [await at.readExact(random.below(10_000))];
      void at.write('said before');
      await sleep(random.below(5));
      const fd = await at.detach();
      for (let chunk = await at.read(); chunk !== null; chunk = await at.read()) got.push(chunk);
      const { Socket: Made } = await import('../../lib/net/socket.js');
      const again = new Made(fake.adopt(fd), {}, null);
      got.push(await readAll(again));
      await writer;
      expectSameBytes(Buffer.concat(got), bytes);
      expect(String(await from.readExact(11))).toBe('said before');
      again.destroy();
    });
  });
});
