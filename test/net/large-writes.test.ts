// Writes of any size and shape: lists in one go, and those that are larger than all that may be under way.
import { describe, expect, test } from 'vitest';
import { sleep, spawn } from '../../lib/index.js';
import type { Chunk } from '../../lib/net/index.js';
import { collect } from '../growth.mjs';
import { codeOf, Deferred, expectSameBytes, pattern, readAll, readExactly, Scene, until } from './scene.js';

const scene = new Scene();
const MEBIBYTE = 2 ** 20;

describe('lists', () => {
  test('of everything that can be written arrive in order', async () => {
    const { at, from } = await scene.pair();
    const shared = new SharedArrayBuffer(2);
    new Uint8Array(shared).set([9, 10]);
    const list = [
      'text ü',
      Buffer.from('buffer'),
      new Uint16Array([0x0201]),
      new DataView(Uint8Array.of(0, 3, 4, 0).buffer, 1, 2),
      Uint8Array.of(5, 6).buffer,
      '',
      new Uint8Array(0),
      shared,
      'x'.repeat(100_000),
    ];
    expect(from.write(list).queued).toBe(true);
    void from.writev(['end']);
    void from.write([]);
    void from.close();
    const expected = Buffer.concat([
      Buffer.from('text übuffer'),
      Buffer.from([1, 2, 3, 4, 5, 6, 9, 10]),
      Buffer.alloc(100_000, 'x'),
      Buffer.from('end'),
    ]);
    expectSameBytes(await readAll(at), expected);
    expect(from.bytesWritten).toBe(expected.length);
  });

  test('may hold the chunk that is answered', async () => {
    const listener = await scene.listen({ data: (socket, chunk) => void socket.write(['<', chunk, '>']) });
    const socket = await scene.connect(listener.port);
    await socket.write('hello');
    expect(String(await readExactly(socket, 7))).toBe('<hello>');
  });

  test('with something wrong in them send nothing', async () => {
    const { at, from } = await scene.pair();
    const dead = new Deferred<Chunk>();
    const other = await scene.pair({ data: (_socket, chunk) => dead.resolve(chunk) });
    await other.from.write('x');
    const chunk = await dead.promise;
    expect(await codeOf(() => from.write(['fine', null as never]))).toBe('ERR_INVALID_ARG_TYPE');
    expect(await codeOf(() => from.write(['fine', ['nested'] as never]))).toBe('ERR_INVALID_ARG_TYPE');
    expect(await codeOf(() => from.write(['fine', chunk]))).toBe('ERR_MILLRACE_CHUNK_DEAD');
    expect(await codeOf(() => from.writev('no list' as never))).toBe('ERR_INVALID_ARG_TYPE');
    expect(from.bytesWritten).toBe(0);
    await from.write('after');
    expect(String(await at.read())).toBe('after');
  });

  test('that are large as a whole are taken as the socket drains', async () => {
    const { at, from } = await scene.pair();
    const parts = Array.from({ length: 50 }, (_, i) => pattern(100_000, i));
    const written = from.write(['head', ...parts]);
    expect(from.bytesQueued).toBeGreaterThan(MEBIBYTE);
    void from.close();
    expectSameBytes(await readAll(at), Buffer.concat([Buffer.from('head'), ...parts]));
    await written;
  });
});

describe('a write of hundreds of MiB', () => {
  test('takes no memory but its own, however slow its reader is', async () => {
    const { at, from } = await scene.pair();
    const bytes = Buffer.alloc(300 * MEBIBYTE, 'millrace');
    const before = process.memoryUsage().rss;
    const written = from.write(bytes);
    expect(written.queued).toBe(true);
    expect(from.bytesQueued).toBeGreaterThan(290 * MEBIBYTE);
    let most = 0;
    let got = 0;
    let toCollect = 0;
    while (got < bytes.length) {
      const chunk = (await at.read()) as Buffer;
      if (got % 1_000_003 === 0 && !chunk.equals(bytes.subarray(got, got + chunk.length))) expect.fail(`at ${got}`);
      got += chunk.length;
      // What was read is garbage, which is no part of what the write takes.
      if (got >= toCollect) {
        await collect();
        toCollect = got + 16 * MEBIBYTE;
      }
      most = Math.max(most, process.memoryUsage.rss());
    }
    await written;
    expect(from.bytesQueued).toBe(0);
    expect(most - before).toBeLessThan(64 * MEBIBYTE);
  });

  test('is followed by what is written after it, and nothing overtakes', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(5 * MEBIBYTE);
    void from.write(bytes);
    const copied = Buffer.from('second ');
    void from.write(copied);
    copied.fill(0);
    void from.write(['third ', 'fourth']);
    from.shutdown();
    expect(from.writable).toBe(false);
    expectSameBytes(await readAll(at), Buffer.concat([bytes, Buffer.from('second third fourth')]));
  });

  test('is an end to wait for: its memory is its owner’s again', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(3 * MEBIBYTE);
    const expected = Buffer.from(bytes);
    const reader = readExactly(at, bytes.length);
    await from.write(bytes);
    bytes.fill(0);
    expectSameBytes(await reader, expected);
  });

  test('with close waits for all, counts what is lost by destroy, and calls drain once', async () => {
    let drains = 0;
    const lost = new Deferred<number>();
    const { at, from } = await scene.pair(
      {},
      { drain: () => drains++, close: (_socket, lostBytes) => lost.resolve(lostBytes) },
    );
    const bytes = pattern(20 * MEBIBYTE);
    const reader = readExactly(at, bytes.length);
    await from.write(bytes);
    await reader;
    expect(drains).toBe(1);
    const written = codeOf(() => from.write(bytes));
    void from.close();
    await until(() => at.bytesRead > bytes.length);
    at.pause();
    from.destroy();
    expect(await written).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    const lostBytes = await lost.promise;
    expect(lostBytes).toBeGreaterThan(0);
    expect(at.bytesRead + lostBytes).toBeLessThanOrEqual(2 * bytes.length);
  });

  test('makes the writes behind it throw at writeLimit, and nothing is lost', async () => {
    const { at, from } = await scene.pair({}, { writeLimit: 2 * MEBIBYTE });
    const bytes = pattern(4 * MEBIBYTE);
    void from.write(bytes);
    expect(await codeOf(() => from.write('too much'))).toBe('ERR_MILLRACE_SOCKET_LIMIT');
    void from.close();
    expectSameBytes(await readAll(at), bytes);
  });

  test('out of memory that is taken away is an error, not other bytes', async () => {
    const errors: unknown[] = [];
    const { at, from } = await scene.pair({}, { error: (_socket, error) => void errors.push(error) });
    const memory = new ArrayBuffer(20 * MEBIBYTE);
    const written = codeOf(() => from.write(memory));
    structuredClone(memory, { transfer: [memory] });
    await codeOf(() => readAll(at));
    expect(await written).toBe('ERR_MILLRACE_INVALID_STATE');
    expect(errors).toMatchObject([{ code: 'ERR_MILLRACE_INVALID_STATE' }]);
  });

  test('given up by its task is sent all the same', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(10 * MEBIBYTE);
    const writer = spawn(async () => {
      await from.write(bytes);
    });
    await sleep(1);
    writer.abort();
    expect(await codeOf(() => writer)).toBe('ABORT_ERR');
    expectSameBytes(await readExactly(at, bytes.length), bytes);
  });
});

test('queued tells whether to wait', async () => {
  const { at, from } = await scene.pair({}, { highWaterMark: 100, lowWaterMark: 10 });
  const small = from.write('x');
  expect(small.queued).toBe(false);
  await small;
  const large = from.write(Buffer.alloc(200));
  expect(large.queued).toBe(true);
  expect(large.state).toBe(0);
  await large;
  expect(from.bytesQueued).toBeLessThanOrEqual(10);
  expect((await readExactly(at, 201)).length).toBe(201);
});

test('a write that need not wait is awaited in one turn of the microtask queue, as a promise of the engine is', async () => {
  const { from } = await scene.pair();
  let turns = 0;
  const count = (): void => {
    turns++;
  };
  void Promise.resolve().then(count).then(count).then(count).then(count);
  await from.write('x');
  expect(turns).toBe(1);
});
