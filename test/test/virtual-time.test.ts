import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CancelToken, interval, now, scope, sleep, sleepUntil, spawn, TimeoutError, timeout } from '../../lib/index.js';
import { advance, pauseTime, resumeTime, timeIsPaused, withVirtualTime } from '../../lib/test/index.js';

afterEach(() => resumeTime());

describe('paused, moved by hand', () => {
  beforeEach(() => pauseTime({ autoAdvance: false }));

  test('the clock stands still', async () => {
    const start = now();
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(now()).toBe(start);
  });

  test('advance moves it by exactly so much', async () => {
    const start = now();
    await advance(0.25);
    expect(now() - start).toBeCloseTo(0.25, 6);
    await advance(3_600_000);
    expect(now() - start).toBeCloseTo(3_600_000.25, 6);
  });

  test('everything that becomes due has run when advance resolves, in order, each at its own time', async () => {
    const start = now();
    const seen: [string, number][] = [];
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
      ['later', 30.001],
    ] as const) {
      void spawn(function* () {
        yield* sleep(ms);
        seen.push([name, now() - start]);
      });
    }
    await advance(30);
    expect(seen).toEqual([
      ['a', 10],
      ['b', 20],
      ['c', 30],
    ]);
    await advance(0.001);
    expect(seen.length).toBe(4);
  });

  test('what follows from it at that same time has run too, in either kind of task', async () => {
    let steps = 0;
    void spawn(async () => {
      await sleep(5);
      for (let i = 0; i < 50; i++) {
        await sleep(0);
        await Promise.resolve();
        steps++;
      }
    });
    void spawn(function* () {
      yield* sleep(5);
      for (let i = 0; i < 50; i++) {
        yield* sleep(0);
        yield;
        steps++;
      }
    });
    await advance(5);
    expect(steps).toBe(100);
  });

  test('a task that never rests does not hold it up for ever', async () => {
    let stop = false;
    const restless = spawn(async () => {
      await sleep(1);
      while (!stop) await sleep(0);
    });
    await advance(1);
    stop = true;
    await restless;
  });

  test('where a task never rests time cannot move, which is told', async () => {
    let stop = false;
    const restless = spawn(function* () {
      while (!stop) yield;
    });
    await expect(advance(1)).rejects.toMatchObject({ code: 'ERR_MILLRACE_INVALID_STATE' });
    stop = true;
    await restless;
  });

  test('a fiber can advance too; two at once add up', async () => {
    const start = now();
    const arrivals: number[] = [];
    await spawn(function* () {
      yield* advance(10);
      arrivals.push(now() - start);
    });
    await Promise.all([advance(10), advance(5).then(() => arrivals.push(now() - start))]);
    expect(arrivals).toEqual([10, 25]);
  });

  test('a timer that was armed before time was paused counts on', async () => {
    resumeTime();
    const slept = sleep(50_000);
    pauseTime({ autoAdvance: false });
    await advance(50_001);
    expect(slept.state).not.toBe(0);
  });

  test('an advance whose task was aborted leaves time paused', async () => {
    const task = spawn(function* () {
      yield* advance(1000);
    });
    await Promise.resolve();
    await Promise.resolve();
    task.abort();
    await expect(task).rejects.toThrow('cancelled');
    expect(timeIsPaused()).toBe(true);
  });

  test('resumeTime fails the advance that is under way', async () => {
    const pending = advance(10);
    resumeTime();
    await expect(pending).rejects.toMatchObject({ code: 'ERR_MILLRACE_INVALID_STATE' });
  });

  test.each([
    [Number.NaN, RangeError],
    [-1, RangeError],
    [Number.POSITIVE_INFINITY, RangeError],
    ['5', TypeError],
  ])('advance(%s) is refused', (ms, type) => {
    expect(() => advance(ms as number)).toThrow(type);
  });
});

describe('advancing by itself', () => {
  test('an hour of sleep takes no time, and exactly an hour', async () => {
    pauseTime();
    const start = now();
    await sleep(3_600_000);
    expect(now() - start).toBe(3_600_000);
  });

  test('timeouts, deadlines, intervals and tokens follow', async () => {
    pauseTime();
    const start = now();
    await expect(timeout(1000, sleep(2000))).rejects.toBeInstanceOf(TimeoutError);
    expect(now() - start).toBe(1000);
    await expect(scope(() => sleep(5000), { timeoutMs: 500 })).rejects.toBeInstanceOf(TimeoutError);
    expect(now() - start).toBe(1500);
    const ticks: number[] = [];
    const every = interval(100);
    for (let i = 0; i < 3; i++) ticks.push((await every.tick()) - start);
    expect(ticks).toEqual([1500, 1600, 1700]);
    const token = new CancelToken({ timeoutMs: 300 });
    await expect(sleep(10_000, { signal: token })).rejects.toBeInstanceOf(TimeoutError);
    expect(now() - start).toBe(2000);
    await sleepUntil(start + 2500);
    expect(now() - start).toBe(2500);
  });

  test('advance goes where it was told to and not on to the next deadline', async () => {
    pauseTime();
    const start = now();
    const later = sleep(1000);
    await advance(10);
    expect(now() - start).toBe(10);
    await later;
    expect(now() - start).toBe(1000);
  });

  test('turned off while an advance is under way, it stays off', async () => {
    pauseTime();
    const start = now();
    void sleep(1000);
    const moved = advance(10);
    pauseTime({ autoAdvance: false });
    await moved;
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    expect(now() - start).toBe(10);
  });
});

describe('pausing and resuming', () => {
  test('withVirtualTime gives what its function gives, and puts time back', async () => {
    const value = await withVirtualTime(async () => {
      expect(timeIsPaused()).toBe(true);
      await sleep(60_000);
      return 'done';
    });
    expect(value).toBe('done');
    expect(timeIsPaused()).toBe(false);
    await expect(withVirtualTime(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(timeIsPaused()).toBe(false);
  });

  test('one within another puts back the outer one', async () => {
    await withVirtualTime(
      async () => {
        await withVirtualTime(() => sleep(1000));
        const start = now();
        for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
        void sleep(5);
        for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
        expect(now()).toBe(start);
      },
      { autoAdvance: false },
    );
  });

  test('the clock never goes back, and deadlines keep their meaning (clock offset after resumeTime)', async () => {
    const before = now();
    await withVirtualTime(() => sleep(86_400_000));
    const after = now();
    expect(after - before).toBeGreaterThanOrEqual(86_400_000);
    const slept = now();
    await sleep(2);
    expect(now() - slept).toBeGreaterThanOrEqual(2);
  });

  test('advance in real time is an error', () => {
    expect(() => advance(1)).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_INVALID_STATE' }));
  });

  test('bad options are refused', async () => {
    expect(() => pauseTime({ autoAdvance: 1 as unknown as boolean })).toThrow(TypeError);
    expect(() => pauseTime(null as never)).toThrow(TypeError);
    await expect(withVirtualTime(3 as never)).rejects.toThrow(TypeError);
    expect(timeIsPaused()).toBe(false);
  });
});
