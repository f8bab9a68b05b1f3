import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AbortError, interval, metrics, now, select, sleep, spawn } from '../../lib/index.js';
import { channel } from '../../lib/sync/index.js';
import { pauseTime, resumeTime } from '../../lib/test/index.js';

beforeEach(() => pauseTime());
afterEach(() => resumeTime());

describe('interval', () => {
  test('ticks at once and then every period', async () => {
    const start = now();
    const every = interval(10);
    const ticks: number[] = [];
    for (let i = 0; i < 4; i++) ticks.push((await every.tick()) - start);
    expect(ticks).toEqual([0, 10, 20, 30]);
    every.stop();
  });

  test.each([
    ['burst', [0, 10, 20, 30, 40, 50]],
    ['delay', [0, 10, 45, 55, 65]],
    ['skip', [0, 10, 40, 50, 60]],
  ] as const)('missed ticks: %s', async (missed, expected) => {
    const start = now();
    const every = interval(10, { missed });
    const ticks: number[] = [];
    ticks.push((await every.tick()) - start);
    await sleep(35);
    while (ticks.length < expected.length) ticks.push((await every.tick()) - start);
    expect(ticks).toEqual(expected);
  });

  test('for await ends with stop, and by using', async () => {
    const ticks: number[] = [];
    {
      using every = interval(10);
      const start = now();
      for await (const due of every) {
        ticks.push(due - start);
        if (ticks.length === 3) break;
      }
    }
    expect(ticks).toEqual([0, 10, 20]);
    expect(metrics().timersPending).toBe(0);
  });

  test('a cancelled tick is not lost', async () => {
    const start = now();
    const every = interval(10);
    await every.tick();
    const task = spawn(async () => await every.tick());
    await Promise.resolve();
    await Promise.resolve();
    task.abort();
    await expect(task).rejects.toBeInstanceOf(AbortError);
    expect((await every.tick()) - start).toBe(10);
  });

  test('two ticks at once, and a tick after stop, are errors', async () => {
    const every = interval(10);
    await every.tick();
    const pending = every.tick();
    expect(() => every.tick()).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_INVALID_STATE' }));
    every.stop();
    await expect(pending).rejects.toBeInstanceOf(AbortError);
    expect(() => every.tick()).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_CONSUMED' }));
  });

  test('reset starts anew', async () => {
    const start = now();
    const every = interval(10);
    await every.tick();
    await sleep(5);
    every.reset();
    expect((await every.tick()) - start).toBe(15);
  });

  test('a tick that was pending when the interval was reset comes at the new time', async () => {
    const start = now();
    const every = interval(10);
    await every.tick();
    const pending = every.tick();
    await sleep(5);
    every.reset();
    expect((await pending) - start).toBe(15);
  });

  test('a tick that was there and lost a select is not lost: the next call gives it', async () => {
    const start = now();
    const every = interval(10);
    await every.tick();
    await sleep(25);
    const [sender, receiver] = channel<number>();
    for (let i = 0; i < 3; i++) {
      sender.trySend(i);
      const { key } = await select({ other: receiver.recv(), tick: every.tick() }, { biased: true });
      expect(key).toBe('other');
    }
    expect((await every.tick()) - start).toBe(10);
    expect((await every.tick()) - start).toBe(20);
    expect((await every.tick()) - start).toBe(30);
    every.stop();
  });

  test('a tick that is given back while the next one is waited for is what that one gets', async () => {
    const start = now();
    const every = interval(10);
    const lost = every.tick();
    const waiting = every.tick();
    lost.cancel();
    expect((await waiting) - start).toBe(0);
    expect((await every.tick()) - start).toBe(10);
    every.stop();
  });
});
