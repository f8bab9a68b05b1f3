// Large writes to a socket that has nothing to send: they leave while `write` runs.
import { expect, test } from 'vitest';
import { codeOf, counters, Deferred, expectSameBytes, pattern, Scene, until } from './scene.js';

const scene = new Scene();
const LARGE_BYTES = 16 * 1024;
const MEBIBYTE = 2 ** 20;

function sends(): number {
  return counters().sends as number;
}

test('a large write has left when write returns, and the memory may be used again', async () => {
  const { at, from } = await scene.pair();
  const before = sends();
  const bytes = pattern(LARGE_BYTES);
  const result = from.write(bytes);
  expect(sends() - before).toBe(1);
  expect(result.queued).toBe(false);
  expect(from.bytesQueued).toBe(0);
  const expected = Buffer.from(bytes);
  bytes.fill(0);
  await result;
  expectSameBytes(await at.readExact(expected.length), expected);
  expect(from.bytesWritten).toBe(LARGE_BYTES);
});

test('out of shared memory too', async () => {
  const { at, from } = await scene.pair();
  const bytes = new Uint8Array(new SharedArrayBuffer(LARGE_BYTES)).fill(7);
  const before = sends();
  await from.write(bytes);
  expect(sends() - before).toBe(1);
  expectSameBytes(await at.readExact(LARGE_BYTES), Buffer.alloc(LARGE_BYTES, 7));
});

test('it overtakes nothing that was written before it in the same tick, and nothing overtakes it', async () => {
  const { at, from } = await scene.pair();
  const large = pattern(3 * LARGE_BYTES);
  const expected: Buffer[] = [];
  for (let round = 0; round < 50; round++) {
    const before = sends();
    for (const part of [`head ${round}`, large, 'between', large, large, `tail ${round}`]) {
      void from.write(part);
      expected.push(Buffer.from(part as Buffer));
    }
    // The head waits for the end of the tick, and so does all that follows.
    expect(sends()).toBe(before);
    const all = Buffer.concat(expected.splice(0));
    expectSameBytes(await at.readExact(all.length), all);
  }
});

test('a list stays one system call', async () => {
  const { at, from } = await scene.pair();
  const before = sends();
  void from.write([pattern(LARGE_BYTES), 'and more']);
  expect(sends()).toBe(before);
  await at.readExact(LARGE_BYTES + 8);
  expect(sends() - before).toBe(1);
});

test('what the kernel does not take of it waits, is counted, and is told lost when the socket is destroyed', async () => {
  const lost = new Deferred<number>();
  const { at, from } = await scene.pair({}, { close: (_socket, lostBytes) => lost.resolve(lostBytes) });
  at.pause();
  let written = 0;
  for (; from.bytesQueued === 0; written += MEBIBYTE) void from.write(pattern(MEBIBYTE));
  const drain = from.write('');
  const waits = from.bytesQueued;
  expect(waits).toBeGreaterThan(0);
  const drained = codeOf(() => drain);
  from.destroy();
  expect(await drained).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  expect(await lost.promise).toBe(waits);
  expect(from.bytesWritten).toBe(written);
});

test('and one that crosses the watermark is told drain once, with every byte in its place', async () => {
  let drains = 0;
  const { at, from } = await scene.pair({}, { drain: () => drains++ });
  const bytes = pattern(MEBIBYTE);
  let rounds = 0;
  let result = from.write(bytes);
  for (rounds++; from.bytesQueued === 0; rounds++) result = from.write(bytes);
  expect(result.queued).toBe(true);
  void from.write('the end');
  for (let round = 0; round < rounds; round++) expectSameBytes(await at.readExact(MEBIBYTE), bytes);
  expect(String(await at.readExact(7))).toBe('the end');
  await result;
  await until(() => drains > 0);
  expect(drains).toBe(1);
});

test('after the peer’s reset it fails as every write does, once', async () => {
  const failed = new Deferred<unknown>();
  const { at, from } = await scene.pair({}, { error: (_socket, error) => failed.resolve(error) });
  await from.write('x');
  await at.read();
  at.destroy();
  await at.close();
  for (let i = 0; i < 100 && from.writable; i++) {
    expect(['nothing', 'ECONNRESET', 'EPIPE']).toContain(await codeOf(() => from.write(pattern(LARGE_BYTES))));
  }
  expect(['ECONNRESET', 'EPIPE']).toContain(((await failed.promise) as { code: string }).code);
});
