// Reading as a stream: order, waiting, giving up, and that giving up loses nothing.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scope, select, sleep, spawn, timeout } from '../../lib/index.js';
import { codeOf, expectSameBytes, pattern, readExactly, Scene, until } from './scene.js';

const scene = new Scene();

describe('read', () => {
  test('waits for bytes, and takes them in order', async () => {
    const { at, from } = await scene.pair();
    const reads = [at.read(), at.read()];
    await from.write('first');
    expect(String(await reads[0])).toBe('first');
    await from.write('second');
    expect(String(await reads[1])).toBe('second');
  });

  test('finds what came before anybody read', async () => {
    const { at, from } = await scene.pair();
    await from.write('early');
    await until(() => at.bytesRead === 5);
    expect(String(await at.read())).toBe('early');
  });

  test('gives each reader its own memory', async () => {
    const { at, from } = await scene.pair();
    await from.write('aaaa');
    const first = await at.read();
    await from.write('bbbb');
    expect([String(first), String(await at.read())]).toEqual(['aaaa', 'bbbb']);
  });

  test('all that wait are told of the end', async () => {
    const { at, from } = await scene.pair();
    const reads = [at.read(), at.read(), at.read()];
    from.shutdown();
    expect(await Promise.all(reads)).toEqual([null, null, null]);
  });

  test('after a reset gives first what had come, then the error, again and again', async () => {
    const { at, from } = await scene.pair();
    await from.write('x');
    await until(() => at.bytesRead === 1);
    from.destroy();
    await until(() => at.closed);
    expect(String(await at.read())).toBe('x');
    expect(await codeOf(() => at.read())).toBe('ECONNRESET');
    expect(await codeOf(() => at.read())).toBe('ECONNRESET');
  });
});

describe('readInto, whose memory goes away while it waits', () => {
  const gone: [string, (memory: ArrayBuffer) => void][] = [
    ['transferred', (memory) => void structuredClone(memory, { transfer: [memory] })],
    ['shrunk', (memory) => (memory as ArrayBuffer & { resize(length: number): void }).resize(3)],
  ];
  test.each(gone)("%s: it is told so, and the bytes are the next read's", async (_name, take) => {
    // With 10 bytes of room the 5 that come are given at once, and the 26 are queued before.
    for (const text of ['hello', 'abcdefghijklmnopqrstuvwxyz']) {
      const { at, from } = await scene.pair();
      const Resizable = ArrayBuffer as unknown as new (
        length: number,
        options: { maxByteLength: number },
      ) => ArrayBuffer;
      const memory = new Resizable(10, { maxByteLength: 20 });
      const first = codeOf(() => at.readInto(new Uint8Array(memory)));
      const second = at.readExact(text.length);
      take(memory);
      await from.write(text);
      expect(await first).toBe('ERR_MILLRACE_INVALID_STATE');
      expect(String(await second)).toBe(text);
    }
  });
});

describe('a read that is given up loses no byte', () => {
  test('as the loser of a select', async () => {
    const { at, from } = await scene.pair();
    for (let i = 0; i < 100; i++) {
      const winner = await select({ other: sleep(0), bytes: at.read() });
      if (winner.key === 'bytes') expect.fail('nothing was written yet');
      await from.write(`${i};`);
      expect(String(await at.read())).toBe(`${i};`);
    }
  });

  test('as the loser of a select in which both were ready', async () => {
    const { at, from } = await scene.pair();
    const { at: otherAt, from: otherFrom } = await scene.pair();
    const got: Record<string, string> = { a: '', b: '' };
    let expected = '';
    for (let i = 0; i < 100; i++) {
      expected += `${i};`;
      await from.write(`${i};`);
      await otherFrom.write(`${i};`);
      await until(() => at.bytesRead === expected.length && otherAt.bytesRead === expected.length);
      const winner = await select({ a: at.read(), b: otherAt.read() });
      got[winner.key] += String(winner.value);
    }
    for (const [key, socket] of [
      ['a', at],
      ['b', otherAt],
    ] as const) {
      while ((got[key] as string).length < expected.length) got[key] += String(await socket.read());
      expect(got[key]).toBe(expected);
    }
  });

  test('by a timeout', async () => {
    const { at, from } = await scene.pair();
    expect(await codeOf(() => timeout(1, at.read()))).toBe('ERR_MILLRACE_TIMEOUT');
    await from.write('late');
    expect(String(await at.read())).toBe('late');
  });

  test('by the abort of its task, fiber or async', async () => {
    const { at, from } = await scene.pair();
    const fiber = spawn(function* () {
      return yield* at.read();
    });
    const task = spawn(async () => at.read());
    await until(() => fiber.status === 'waiting' && task.status === 'waiting');
    fiber.abort();
    task.abort();
    expect(await codeOf(() => fiber)).toBe('ABORT_ERR');
    expect(await codeOf(() => task)).toBe('ABORT_ERR');
    await from.write('still here');
    expect(String(await at.read())).toBe('still here');
  });

  test('by its own cancel, pending or done', async () => {
    const { at, from } = await scene.pair();
    const first = at.read();
    first.cancel('mine');
    expect(await codeOf(() => first)).toBe('ABORT_ERR');
    await from.write('x');
    await until(() => at.bytesRead === 1);
    const second = at.read();
    second.cancel();
    expect(String(await at.read())).toBe('x');
  });

  test('however the giving up and the bytes fall together', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 3000 }), waitMs: fc.constantFrom(0, 0, 0.1, 0.3) }), {
          minLength: 5,
          maxLength: 40,
        }),
        async (plan) => {
          const { at, from } = await scene.pair();
          const all = pattern(plan.reduce((sum, { bytes }) => sum + bytes, 0));
          const got: Buffer[] = [];
          await scope(async (tasks) => {
            tasks.spawn(async () => {
              let sent = 0;
              for (const { bytes, waitMs } of plan) {
                await from.write(all.subarray(sent, sent + bytes));
                sent += bytes;
                if (waitMs > 0) await sleep(waitMs);
              }
              from.shutdown();
            });
            for (;;) {
              const winner = await select({ given: sleep(0), bytes: at.read() });
              if (winner.key !== 'bytes') continue;
              if (winner.value === null) break;
              got.push(winner.value);
            }
          });
          expectSameBytes(Buffer.concat(got), all);
          at.destroy();
          from.destroy();
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('in scopes', () => {
  test('a scope whose child fails ends the reads of its siblings, and the sockets live on', async () => {
    const { at, from } = await scene.pair();
    const failed = codeOf(() =>
      scope(async (tasks) => {
        tasks.spawn(async () => {
          await at.read();
        });
        tasks.spawn(async () => {
          await sleep(1);
          throw Object.assign(new Error('mine'), { code: 'MINE' });
        });
      }),
    );
    expect(await failed).toBe('MINE');
    await from.write('x');
    expect(String(await readExactly(at, 1))).toBe('x');
  });

  test('an aborted task that reads by for await closes its socket on the way out', async () => {
    const { at, from } = await scene.pair();
    const reader = spawn(async () => {
      for await (const _ of at);
    });
    await until(() => reader.status === 'waiting');
    reader.abort();
    expect(await codeOf(() => reader)).toBe('ABORT_ERR');
    await at.close();
    expect(await from.read()).toBeNull();
  });
});
