// Timeouts, over the fake and its virtual time: exact to the millisecond.
import { afterEach, describe, expect, test } from 'vitest';
import { now, sleep } from '../../lib/index.js';
import { installFake } from '../../lib/internal/fake/index.js';
import { armedTimers } from '../../lib/internal/timers.js';
import { connect, type ListenOptions, listen, type Socket, SocketTimeoutError } from '../../lib/net/index.js';
import { codeOf, Deferred } from './scene.js';

const WINDOW_BYTES = 10_000;
const fake = installFake({ seed: 1, windowBytes: WINDOW_BYTES });
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  while (fake.counters().socketsOpen !== 0) await sleep(1);
  expect(fake.counters().faults).toBe(0);
  expect(armedTimers()).toBe(0);
});

async function pair(accepting: ListenOptions = {}, connecting: object = {}): Promise<{ at: Socket; from: Socket }> {
  const accepted = new Deferred<Socket>();
  const listener = await listen({ ...accepting, host: '127.0.0.1', open: accepted.resolve });
  const from = await connect({ ...connecting, host: '127.0.0.1', port: listener.port });
  const at = await accepted.promise;
  ends.push(
    () => at.destroy(),
    () => from.destroy(),
    () => listener.close(),
  );
  return { at, from };
}

/** When `told` comes, in milliseconds after the call. */
async function msUntil(told: Promise<unknown>): Promise<number> {
  const before = now();
  await told;
  return now() - before;
}

describe('idleTimeout', () => {
  test('destroys a socket on which no byte moves, with a SocketTimeoutError', async () => {
    const failed = new Deferred<Error>();
    const { at, from } = await pair({ idleTimeout: 1000, error: (_socket, error) => failed.resolve(error) });
    const read = codeOf(() => at.read());
    const waitedMs = await msUntil(failed.promise);
    expect(waitedMs).toBeGreaterThanOrEqual(990);
    expect(waitedMs).toBeLessThanOrEqual(1250);
    expect(await failed.promise).toBeInstanceOf(SocketTimeoutError);
    expect(await failed.promise).toMatchObject({ kind: 'idle', code: 'ERR_MILLRACE_TIMEOUT' });
    expect(await read).toBe('ERR_MILLRACE_TIMEOUT');
    expect(at.open).toBe(false);
    expect(await codeOf(() => from.read())).toBe('ECONNRESET');
  });

  test('is put off by every byte, received or sent, and never comes early', async () => {
    const told = new Deferred();
    const { at, from } = await pair({ idleTimeout: 1000, timeout: () => told.resolve() });
    let last = 0;
    for (let i = 0; i < 20; i++) {
      await sleep(900 - i);
      if (i % 2 === 0) await at.write('x');
      else await from.write('y');
      last = now();
      await sleep(1);
    }
    await told.promise;
    expect(now() - last).toBeGreaterThanOrEqual(1000);
    expect(now() - last).toBeLessThanOrEqual(1251);
  });

  test('with a handler leaves the socket alone, and is told once until a byte moves', async () => {
    const told: SocketTimeoutError[] = [];
    const { at, from } = await pair({ idleTimeout: 100, timeout: (_socket, error) => void told.push(error) });
    await sleep(1000);
    expect(told.map(({ kind }) => kind)).toEqual(['idle']);
    expect(at.open).toBe(true);
    await from.write('x');
    await sleep(1000);
    expect(told.length).toBe(2);
    at.setIdleTimeout(50);
    await sleep(1000);
    expect(told.length).toBe(3);
    at.setIdleTimeout(0);
    await from.write('x');
    await sleep(1000);
    expect([told.length, at.idleTimeout, armedTimers()]).toEqual([3, 0, 0]);
  });

  test('costs few looks, however much moves', async () => {
    const { at, from } = await pair({ idleTimeout: 1000 });
    const before = fake.counters().timersFired as number;
    const sleeps = 2000;
    for (let i = 0; i < sleeps; i++) {
      await from.write('x');
      await sleep(1);
    }
    expect(at.open).toBe(true);
    expect((fake.counters().timersFired as number) - before - sleeps).toBeLessThanOrEqual(10);
  });
});

describe('writeTimeout', () => {
  test('destroys a socket whose peer does not read, and does not mind an idle one', async () => {
    const { at, from } = await pair({}, { writeTimeout: 1000 });
    at.pause();
    await sleep(5000);
    expect([from.open, armedTimers()]).toEqual([true, 0]);
    await from.write('x');
    await sleep(5000);
    expect(from.open).toBe(true);
    const written = codeOf(() => from.write(Buffer.alloc(100_000)));
    const waitedMs = await msUntil(written);
    expect(await written).toBe('ERR_MILLRACE_TIMEOUT');
    expect(from.error).toMatchObject({ kind: 'write' });
    expect(waitedMs).toBeGreaterThanOrEqual(990);
    expect(waitedMs).toBeLessThanOrEqual(1260);
  });

  test('is put off by every byte that leaves', async () => {
    const { at, from } = await pair({ highWaterMark: 1 }, { writeTimeout: 1000 });
    const bytes = 200_000;
    const written = from.write(Buffer.alloc(bytes));
    const started = now();
    let got = 0;
    while (got < bytes) {
      got += ((await at.read()) as Buffer).length;
      await sleep(700);
    }
    await written;
    expect(now() - started).toBeGreaterThan(5000);
    expect(from.open).toBe(true);
  });

  test('ends a close that waits for a peer', async () => {
    const told = new Deferred<number>();
    const { at, from } = await pair(
      {},
      { writeTimeout: 300, close: (_socket: Socket, lost: number) => told.resolve(lost) },
    );
    at.pause();
    void from.write(Buffer.alloc(3_000_000));
    void from.close();
    expect(await told.promise).toBeGreaterThan(2_900_000);
  });

  test('is not late because an idle timeout is long', async () => {
    const { at, from } = await pair({}, { idleTimeout: 3_600_000, writeTimeout: 100 });
    at.pause();
    await sleep(1_000_000);
    const waitedMs = await msUntil(codeOf(() => from.write(Buffer.alloc(100_000))));
    expect(from.error).toMatchObject({ kind: 'write' });
    expect(waitedMs).toBeGreaterThanOrEqual(99);
    expect(waitedMs).toBeLessThanOrEqual(126);
  });

  test('set while bytes wait counts from then', async () => {
    const { at, from } = await pair();
    at.pause();
    const written = codeOf(() => from.write(Buffer.alloc(100_000)));
    await sleep(5000);
    from.setWriteTimeout(100);
    expect(from.writeTimeout).toBe(100);
    const waitedMs = await msUntil(written);
    expect(await written).toBe('ERR_MILLRACE_TIMEOUT');
    expect(waitedMs).toBeGreaterThanOrEqual(99);
  });
});

test('what a timeout handler throws destroys the socket and is told', async () => {
  const errors: Error[] = [];
  const { at } = await pair({
    idleTimeout: 10,
    timeout: () => {
      throw new Error('mine');
    },
    error: (_socket, error) => void errors.push(error),
  });
  await sleep(100);
  expect(at.closed).toBe(true);
  expect(errors.map(({ message }) => message)).toEqual(['mine']);
});

test('destroy with an error tells it to all that wait, once', async () => {
  const errors: Error[] = [];
  const { at, from } = await pair({}, { error: (_socket: Socket, error: Error) => void errors.push(error) });
  at.pause();
  const mine = Object.assign(new Error('mine'), { code: 'MINE' });
  const waiting = [codeOf(() => from.read()), codeOf(() => from.write(Buffer.alloc(1_000_000)))];
  from.destroy(mine);
  from.destroy(new Error('again'));
  expect(await Promise.all(waiting)).toEqual(['MINE', 'MINE']);
  expect(await codeOf(() => from.write('x'))).toBe('MINE');
  expect(await codeOf(() => from.read())).toBe('MINE');
  expect([errors, from.error]).toEqual([[mine], mine]);
});
