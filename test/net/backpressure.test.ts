// Nobody has to hold more than the watermarks allow: writers are told to wait, readers make their peer wait.
import { describe, expect, test } from 'vitest';
import { scope, spawn } from '../../lib/index.js';
import type { Socket } from '../../lib/net/index.js';
import { codeOf, Deferred, expectSameBytes, pattern, readAll, readExactly, Scene, until } from './scene.js';

const scene = new Scene();
const MEBIBYTE = 1024 * 1024;

describe('a peer that does not read', () => {
  test('makes write() wait above the high watermark, and not below it', async () => {
    const { from } = await scene.pair({}, { highWaterMark: 1000 });
    expect(from.write(Buffer.alloc(1000)).state).not.toBe(0);
    expect(from.write(Buffer.alloc(1)).state).toBe(0);
    expect(from.bytesQueued).toBe(1001);
    await from.write('');
    expect(from.bytesQueued).toBe(0);
  });

  test('is told drain once for a crossing, however much was written above it', async () => {
    let drains = 0;
    const drained = new Deferred();
    const { at, from } = await scene.pair(
      {},
      {
        drain(socket) {
          drains++;
          if (socket.bytesQueued === 0) drained.resolve();
        },
      },
    );
    for (let crossing = 1; crossing <= 5; crossing++) {
      const before = at.bytesRead;
      for (let i = 0; i < 100; i++) void from.write(Buffer.alloc(10_000));
      expect(drains).toBe(crossing - 1);
      const written = from.write(Buffer.alloc(10_000));
      await readExactly(at, 1_010_000);
      await written;
      expect(at.bytesRead - before).toBe(1_010_000);
      await until(() => drains >= crossing);
      expect(drains).toBe(crossing);
    }
  });

  test('holds up one writer that waits: no more than a write above the watermark is queued', async () => {
    const { at, from } = await scene.pair();
    let most = 0;
    const total = 40 * MEBIBYTE;
    const writer = spawn(async () => {
      for (let sent = 0; sent < total; sent += 100_000) {
        await from.write(Buffer.alloc(Math.min(100_000, total - sent)));
        most = Math.max(most, from.bytesQueued);
      }
      await from.close();
    });
    const stalledAt = await stalls(from);
    expect(stalledAt).toBeLessThan(total);
    expect((await readAll(at)).length).toBe(total);
    await writer;
    expect(most).toBeLessThanOrEqual(64 * 1024 + 100_000);
  });

  test('is an ERR_MILLRACE_SOCKET_LIMIT for a writer that heeds nothing, and nothing of what was accepted is lost', async () => {
    const { at, from } = await scene.pair({}, { writeLimit: MEBIBYTE });
    at.pause();
    const sent: Buffer[] = [];
    const code = await codeOf(() => {
      for (;;) {
        const piece = pattern(50_000, sent.length);
        void from.write(piece);
        sent.push(piece);
      }
    });
    expect(code).toBe('ERR_MILLRACE_SOCKET_LIMIT');
    expect(from.bytesQueued).toBeLessThanOrEqual(MEBIBYTE + 50_000);
    expect(from.open).toBe(true);
    at.resume();
    void from.close();
    expectSameBytes(await readAll(at), Buffer.concat(sent));
  });

  test('may be given more at once than all memory for sending, and gets it all', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(24_000_000);
    void from.write(bytes);
    void from.close();
    expectSameBytes(await readAll(at), bytes);
  });

  test('ends the wait of a task that is aborted, and the bytes are sent all the same', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(8_000_000);
    const writer = spawn(async () => {
      await from.write(bytes);
    });
    await until(() => from.bytesQueued > 0);
    writer.abort('enough');
    expect(await codeOf(() => writer)).toBe('ABORT_ERR');
    expect(from.open).toBe(true);
    expectSameBytes(await readExactly(at, bytes.length), bytes);
  });

  test('releases every one of many writers', async () => {
    const { at, from } = await scene.pair();
    await scope(async (all) => {
      for (let i = 0; i < 20; i++) {
        all.spawn(async () => {
          for (let j = 0; j < 20; j++) await from.write(Buffer.alloc(30_000));
        });
      }
      await readExactly(at, 20 * 20 * 30_000);
    });
    expect(from.bytesQueued).toBe(0);
  });
});

/** Waits until `socket` has been told to wait and no byte has left during many turns of the loop; the bytes written. */
async function stalls(socket: Socket): Promise<number> {
  for (let still = 0, before = -1; still < 50; ) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const now = socket.bytesWritten - socket.bytesQueued;
    still = now === before && socket.bytesQueued > 0 ? still + 1 : 0;
    before = now;
  }
  return socket.bytesWritten;
}

describe('a socket that nobody reads', () => {
  test('holds at most its watermark and what was under way, and stops its peer', async () => {
    const { at, from } = await scene.pair({ highWaterMark: 20_000 });
    let sent = 0;
    const writer = spawn(async () => {
      for (; sent < 64 * MEBIBYTE; sent += 65_536) await from.write(Buffer.alloc(65_536));
      await from.close();
    });
    await stalls(from);
    expect(at.bytesRead).toBeGreaterThan(20_000);
    // Completions of one tick were under way already when it was told to stop.
    expect(at.bytesRead).toBeLessThan(20_000 + 4 * MEBIBYTE);
    const held = at.bytesRead;
    await stalls(from);
    expect(at.bytesRead).toBe(held);
    expect((await readAll(at)).length).toBe(64 * MEBIBYTE);
    await writer;
  });

  test('with pause() stops its peer, and with resume() loses nothing', async () => {
    let got = 0;
    const { at, from } = await scene.pair({
      data: (_socket, chunk) => {
        got += chunk.length;
      },
    });
    at.pause();
    at.pause();
    const total = 12_000_000;
    void from.write(Buffer.alloc(total));
    await stalls(from);
    const before = got;
    await stalls(from);
    expect(got).toBe(before);
    at.resume();
    at.resume();
    await until(() => got === total);
    for (let i = 0; i < 50; i++) {
      at.pause();
      await from.write(pattern(1000));
      at.resume();
      at.pause();
      at.resume();
    }
    await until(() => got === total + 50_000);
  });

  test('that the user has paused stays so when what came before is read', async () => {
    const { at, from } = await scene.pair();
    await from.write('before');
    await until(() => at.bytesRead === 6);
    at.pause();
    expect(String(await at.read())).toBe('before');
    await from.write('after');
    await stillness();
    expect(at.bytesRead).toBe(6);
    at.resume();
    expect(String(await at.read())).toBe('after');
  });

  test('paused, with a peer that ends: the end is told after resume', async () => {
    const events: string[] = [];
    const closed = new Deferred();
    const { at, from } = await scene.pair({
      data: (_socket, chunk) => void events.push(String(chunk)),
      end: () => void events.push('end'),
      close: () => closed.resolve(),
    });
    at.pause();
    await from.write('x');
    from.shutdown();
    await stillness();
    at.resume();
    await closed.promise;
    expect(events).toEqual(['x', 'end']);
  });
});

/** Many turns of the loop. */
async function stillness(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('a chain of sockets passes the pressure on from its last reader to its first writer', async () => {
  const last = await scene.pair();
  const listener = await scene.listen();
  void spawn(async () => {
    const middle = (await listener.accept()) as Socket;
    for await (const bytes of middle) await last.from.write(bytes);
    await last.from.close();
    await middle.close();
  });
  const first = await scene.connect(listener.port);
  const bytes = pattern(30_000_000);
  const writer = spawn(async () => {
    for (let at = 0; at < bytes.length; at += 50_000) await first.write(bytes.subarray(at, at + 50_000));
    first.shutdown();
  });
  expect(await stalls(first)).toBeLessThan(bytes.length);
  expectSameBytes(await readAll(last.at), bytes);
  await writer;
});
