// Reads that ask for something: so many bytes, all of them, or up to a delimiter.
import { describe, expect, test } from 'vitest';
import { select, sleep, spawn, timeout } from '../../lib/index.js';
import { ReadLimitError, UnexpectedEndError } from '../../lib/net/index.js';
import { codeOf, expectSameBytes, pattern, readAll, Scene, until } from './scene.js';

const scene = new Scene();

async function errorOf(body: () => unknown): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('read(n)', () => {
  test('gives at most so many, and the rest to the next', async () => {
    const { at, from } = await scene.pair();
    await from.write('abcdef');
    await until(() => at.bytesRead === 6);
    expect(at.bytesUnread).toBe(6);
    expect(String(await at.read(4))).toBe('abcd');
    expect(String(await at.read(4))).toBe('ef');
    const waiting = at.read(2);
    await from.write('xyz');
    expect(String(await waiting)).toBe('xy');
    expect(String(await at.read())).toBe('z');
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 31, '1', null, {}])('read(%s) is refused', async (limit) => {
    const { at } = await scene.pair();
    expect(await codeOf(() => at.read(limit as number))).toMatch(/ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)/);
  });
});

describe('readInto', () => {
  test('fills memory of the caller, and tells the end with 0', async () => {
    const { at, from } = await scene.pair();
    const target = Buffer.alloc(4, '.');
    const waiting = at.readInto(target);
    await from.write('ab');
    expect([await waiting, String(target)]).toEqual([2, 'ab..']);
    await from.write('cdefgh');
    await until(() => at.bytesRead === 8);
    expect([await at.readInto(target), String(target)]).toEqual([4, 'cdef']);
    expect([await at.readInto(target.subarray(1)), String(target)]).toEqual([2, 'cghf']);
    from.shutdown();
    expect(await at.readInto(target)).toBe(0);
  });

  test('given up puts back what it had been given', async () => {
    const { at, from } = await scene.pair();
    const target = Buffer.alloc(4);
    const read = at.readInto(target);
    await from.write('abcdef');
    await until(() => at.bytesRead === 6);
    read.cancel();
    target.fill(0);
    expect(String(await at.readExact(6))).toBe('abcdef');
  });

  test.each([undefined, 'x', new ArrayBuffer(4), new Uint8Array(0)])('readInto(%o) is refused', async (target) => {
    const { at } = await scene.pair();
    expect(await codeOf(() => at.readInto(target as Uint8Array))).toMatch(/ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)/);
  });
});

describe('readExact', () => {
  test('gives all, from fragments of one byte', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(300);
    const writer = spawn(function* () {
      for (const byte of bytes) {
        yield* from.write(Uint8Array.of(byte));
        yield* sleep(0);
      }
    });
    const got: Buffer[] = [];
    for (const count of [1, 2, 3, 94, 200]) got.push(await at.readExact(count));
    await writer;
    expect(got.map(({ length }) => length)).toEqual([1, 2, 3, 94, 200]);
    expectSameBytes(Buffer.concat(got), bytes);
  });

  test('gives more than the watermark, and more than a socket would hold', async () => {
    const { at, from } = await scene.pair({ highWaterMark: 1000 });
    const bytes = pattern(5_000_000);
    void from.write(bytes);
    expectSameBytes(await at.readExact(4_000_000), bytes.subarray(0, 4_000_000));
    expectSameBytes(await at.readExact(1_000_000), bytes.subarray(4_000_000));
  });

  test('of 0 is done at once, also at the end', async () => {
    const { at, from } = await scene.pair();
    expect((await at.readExact(0)).length).toBe(0);
    from.shutdown();
    expect(await at.read()).toBeNull();
    expect((await at.readExact(0)).length).toBe(0);
  });

  test('tells how many came when the end comes first, and they can still be read', async () => {
    const { at, from } = await scene.pair();
    const read = errorOf(() => at.readExact(10));
    void from.write('six by');
    from.shutdown();
    const error = await read;
    expect(error).toBeInstanceOf(UnexpectedEndError);
    expect(error).toMatchObject({ code: 'ERR_MILLRACE_UNEXPECTED_END', received: 6 });
    expect(String(await at.readExact(6))).toBe('six by');
    expect(await errorOf(() => at.readExact(1))).toMatchObject({ received: 0 });
    expect(await at.read()).toBeNull();
  });

  test('throws the error that came instead of the rest', async () => {
    const { at, from } = await scene.pair();
    const read = errorOf(() => at.readExact(10));
    await from.write('six by');
    await until(() => at.bytesRead === 6);
    from.destroy();
    expect(await read).toMatchObject({ code: 'ECONNRESET' });
    expect(String(await at.readExact(6))).toBe('six by');
    expect(await codeOf(() => at.readExact(1))).toBe('ECONNRESET');
  });

  test('given up half way loses no byte, for a read of another kind', async () => {
    const { at, from } = await scene.pair();
    await from.write('half');
    await until(() => at.bytesRead === 4);
    expect(await codeOf(() => timeout(1, at.readExact(8)))).toBe('ERR_MILLRACE_TIMEOUT');
    const winner = await select({ other: sleep(0), bytes: at.readExact(5) });
    expect(winner.key).toBe('other');
    expect(String(await at.readExact(4))).toBe('half');
  });

  test('makes the one behind it wait for its turn', async () => {
    const { at, from } = await scene.pair();
    const first = at.readExact(4);
    const second = at.read();
    await from.write('ab');
    await until(() => at.bytesRead === 2);
    expect(second.state).toBe(0);
    await from.write('cdef');
    expect(String(await first)).toBe('abcd');
    expect(String(await second)).toBe('ef');
  });

  test('given up lets the one behind it have what had come', async () => {
    const { at, from } = await scene.pair();
    const first = at.readExact(4);
    const second = at.read();
    const given = codeOf(() => first);
    await from.write('ab');
    await until(() => at.bytesRead === 2);
    first.cancel();
    expect(await given).toBe('ABORT_ERR');
    expect(String(await second)).toBe('ab');
  });
});

describe('readUntil', () => {
  test('gives what ends with the delimiter, which may lie across pieces', async () => {
    const { at, from } = await scene.pair();
    const lines = spawn(async () => {
      const got: string[] = [];
      for (;;) {
        const line = await at.readUntil('\r\n', 100);
        if (line === null) return got;
        got.push(String(line));
      }
    });
    for (const piece of ['one\r', '\ntwo\r\n\r', '\r\n', 'thr', 'ee\r\n']) {
      await from.write(piece);
      await sleep(1);
    }
    from.shutdown();
    expect(await lines).toEqual(['one\r\n', 'two\r\n', '\r\r\n', 'three\r\n']);
  });

  test('takes bytes too, and keeps what comes after for others', async () => {
    const { at, from } = await scene.pair();
    await from.write(Buffer.from([1, 2, 0, 0, 3]));
    expect([...((await at.readUntil(Uint8Array.of(0, 0), 10)) as Buffer)]).toEqual([1, 2, 0, 0]);
    expect([...(await at.readExact(1))]).toEqual([3]);
  });

  test('over its limit is an error, and the bytes stay', async () => {
    const { at, from } = await scene.pair();
    await from.write('12345678\n');
    const error = await errorOf(() => at.readUntil('\n', 8));
    expect(error).toBeInstanceOf(ReadLimitError);
    expect(error).toMatchObject({ code: 'ERR_MILLRACE_READ_LIMIT', limit: 8 });
    expect(String(await at.readUntil('\n', 9))).toBe('12345678\n');
  });

  test('tells when the end comes after bytes without a delimiter, and gives null after none', async () => {
    const { at, from } = await scene.pair();
    await from.write('line\nrest');
    from.shutdown();
    expect(String(await at.readUntil('\n', 100))).toBe('line\n');
    expect(await errorOf(() => at.readUntil('\n', 100))).toMatchObject({
      code: 'ERR_MILLRACE_UNEXPECTED_END',
      received: 4,
    });
    expect(String(await at.read())).toBe('rest');
    expect(await at.readUntil('\n', 100)).toBeNull();
  });

  test('finds one far behind the watermark', async () => {
    const { at, from } = await scene.pair({ highWaterMark: 1000 });
    const bytes = Buffer.concat([Buffer.alloc(3_000_000, 'x'), Buffer.from('--end--after')]);
    void from.write(bytes);
    expect((await at.readUntil('--end--', 2 ** 24))?.length).toBe(3_000_007);
    expect(String(await at.readExact(5))).toBe('after');
  });

  test.each([
    ['', 10],
    [new Uint8Array(0), 10],
    [7, 10],
    [undefined, 10],
    ['x', 0],
    ['x', undefined],
    ['x', '9'],
  ])('readUntil(%o, %o) is refused', async (delimiter, limit) => {
    const { at } = await scene.pair();
    expect(await codeOf(() => at.readUntil(delimiter as string, limit as number))).toMatch(
      /ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)/,
    );
  });
});

test('a socket whose end was learned from readExact closes, as after read', async () => {
  const { at, from } = await scene.pair();
  const read = codeOf(() => at.readExact(1));
  from.shutdown();
  expect(await read).toBe('ERR_MILLRACE_UNEXPECTED_END');
  await until(() => at.closed && from.peerEnded);
  expect((await readAll(from)).length).toBe(0);
});
