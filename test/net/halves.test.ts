// One connection, two tasks: each has its half.
import { describe, expect, test } from 'vitest';
import { scope, spawn } from '../../lib/index.js';
import { codeOf, expectSameBytes, pattern, readAll, Scene, until } from './scene.js';

const scene = new Scene();

async function readHalf(reader: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of reader) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('split', () => {
  test('lets two tasks read and write at once, and both ends close the socket', async () => {
    const { at, from } = await scene.pair();
    const [there, back] = [pattern(3_000_000, 1), pattern(2_000_000, 2)];
    const a = at.split();
    const b = from.split();
    await scope(async (tasks) => {
      tasks.spawn(async () => {
        await b.writer.write(there);
        b.writer.close();
      });
      tasks.spawn(async () => {
        await a.writer.writev([back.subarray(0, 7), back.subarray(7)]);
        a.writer.close();
      });
      tasks.spawn(async () => expectSameBytes(await readHalf(a.reader), there));
      tasks.spawn(async () => expectSameBytes(await readHalf(b.reader), back));
    });
    await until(() => at.closed && from.closed);
  });

  test('a closed write half is the peer’s end, and reading goes on', async () => {
    const { at, from } = await scene.pair();
    const { reader, writer } = from.split();
    await writer.write('question');
    writer.close();
    expect(await codeOf(() => writer.write('more'))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    expect(String(await at.read())).toBe('question');
    await at.write('answer');
    expect(String(await reader.readExact(6))).toBe('answer');
    expect(from.open).toBe(true);
    void at.close();
    expect(await reader.read()).toBeNull();
    await until(() => from.closed);
  });

  test('the peer’s end does not end the write half', async () => {
    const { at, from } = await scene.pair();
    const { reader, writer } = at.split();
    from.shutdown();
    expect(await reader.readUntil('\n', 10)).toBeNull();
    await writer.write('still here');
    writer.close();
    expect(String(await readAll(from))).toBe('still here');
    await until(() => at.closed);
  });

  test('a closed read half discards what comes, so that the peer is not held up', async () => {
    const { at, from } = await scene.pair({ highWaterMark: 1000 });
    const { reader, writer } = at.split();
    const waiting = codeOf(() => reader.readExact(10));
    reader.close();
    reader.close();
    expect(await waiting).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    expect(await codeOf(() => reader.read())).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    await from.write(Buffer.alloc(20_000_000));
    await until(() => at.bytesRead === 20_000_000);
    await writer.write('done');
    expect(String(await from.readExact(4))).toBe('done');
    expect(at.open).toBe(true);
    writer.close();
    await until(() => at.closed);
    expect(await from.read()).toBeNull();
  });

  test('a read half that is closed last closes the socket after what was written', async () => {
    const { at, from } = await scene.pair();
    const { reader, writer } = from.split();
    const bytes = pattern(5_000_000);
    void writer.write(bytes);
    writer.close();
    reader.close();
    expectSameBytes(await readAll(at), bytes);
    await until(() => from.closed);
  });

  test('both closed, the socket closes without waiting for the peer', async () => {
    const { at, from } = await scene.pair({ allowHalfOpen: true });
    const { reader, writer } = from.split();
    writer.close();
    expect(await at.read()).toBeNull();
    expect(from.open).toBe(true);
    reader.close();
    await until(() => from.closed);
    expect(at.open).toBe(true);
  });

  test('using ends the halves; a loop that is left early ends the read half', async () => {
    const { at, from } = await scene.pair();
    const { reader, writer } = at.split();
    {
      using half = writer;
      await half.write('x');
    }
    expect(String(await readAll(from).catch(() => ''))).toBe('x');
    await until(() => at.closed);
    const second = await scene.pair();
    const halves = second.at.split();
    await second.from.write('x');
    for await (const _ of halves.reader) break;
    expect(await codeOf(() => halves.reader.read())).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    expect(second.at.open).toBe(true);
    void reader;
  });

  test('is done once, of an open socket that is read', async () => {
    const { at, from } = await scene.pair({ data: () => {} });
    expect(await codeOf(() => at.split())).toBe('ERR_MILLRACE_INVALID_STATE');
    from.split();
    expect(await codeOf(() => from.split())).toBe('ERR_MILLRACE_INVALID_STATE');
    expect(await codeOf(() => from.setHandlers({ data: () => {} }))).toBe('ERR_MILLRACE_INVALID_STATE');
    at.destroy();
    await until(() => from.closed);
    const gone = await scene.pair();
    await gone.from.close();
    expect(await codeOf(() => gone.from.split())).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  });

  test('a reset is told to both halves', async () => {
    const { at, from } = await scene.pair();
    const { reader, writer } = from.split();
    const read = codeOf(() => reader.read());
    const written = spawn(async () => {
      for (;;) await writer.write(Buffer.alloc(100_000));
    });
    await until(() => from.bytesQueued > 0);
    at.destroy();
    expect(await read).toMatch(/ECONNRESET|EPIPE/);
    expect(await codeOf(() => written)).toMatch(/ECONNRESET|EPIPE/);
  });
});
