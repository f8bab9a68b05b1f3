import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AbortError,
  deadline,
  interval,
  metrics,
  now,
  sleep,
  sleepUntil,
  spawn,
  TimeoutError,
  timeout,
} from '../../lib/index.js';
import { DELAY_MS_MAX } from '../../lib/internal/timers.js';
import { advance, pauseTime, resumeTime } from '../../lib/test/index.js';
import { turn } from '../turn.js';

describe('in real time', () => {
  test('sleep is never early, by now() and by performance.now()', async () => {
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const delay = (i % 30) / 7;
        const [start, wall] = [now(), performance.now()];
        await sleep(delay);
        expect(now() - start).toBeGreaterThanOrEqual(delay);
        expect(performance.now() - wall).toBeGreaterThanOrEqual(delay);
      }),
    );
  });

  test('shorter sleeps end before longer ones', async () => {
    const order: number[] = [];
    await Promise.all(
      [8, 2, 5].map(async (ms) => {
        await sleep(ms);
        order.push(ms);
      }),
    );
    expect(order).toEqual([2, 5, 8]);
  });
});

describe('delays are checked', () => {
  const refused: [unknown, string][] = [
    [Number.NaN, 'RangeError'],
    [-1, 'RangeError'],
    [-0.001, 'RangeError'],
    [Number.POSITIVE_INFINITY, 'RangeError'],
    [DELAY_MS_MAX * 1.001, 'RangeError'],
    ['5', 'TypeError'],
    [undefined, 'TypeError'],
    [null, 'TypeError'],
    [5n, 'TypeError'],
    [{}, 'TypeError'],
    [[5], 'TypeError'],
  ];
  const takers: [string, (ms: never) => unknown][] = [
    ['sleep', (ms) => sleep(ms)],
    ['sleepUntil', (ms) => sleepUntil(ms)],
    ['timeout', (ms) => timeout(ms, Promise.resolve())],
    ['deadline', (ms) => deadline(ms, Promise.resolve())],
    ['interval', (ms) => interval(ms)],
  ];
  test.each(takers.flatMap(([name, take]) => refused.map(([ms, error]) => [name, take, ms, error] as const)))(
    '%s %s(%s): %s',
    (name, take, ms, error) => {
      const { timersPending } = metrics();
      const far =
        typeof ms === 'number' && ms > DELAY_MS_MAX && /Until|deadline/.test(name) ? (ms as number) + now() : ms;
      expect(() => take(far as never)).toThrow(
        expect.objectContaining({ name: error, message: expect.stringMatching(/Ms must be/) }),
      );
      expect(metrics().timersPending).toBe(timersPending);
    },
  );

  test('0 and the farthest delay are taken; an interval of 0 is not', async () => {
    await sleep(0);
    const far = sleep(DELAY_MS_MAX);
    far.cancel();
    await expect(far).rejects.toBeInstanceOf(AbortError);
    expect(() => interval(0)).toThrow(RangeError);
  });

  test('bad options do not leave a timer behind', () => {
    const { timersPending } = metrics();
    expect(() => sleep(5, null as never)).toThrow(TypeError);
    expect(() => sleep(5, { signal: 1 as never })).toThrow(/options\.signal/);
    expect(() => timeout(5, () => {}, { signal: 1 as never })).toThrow(/options\.signal/);
    expect(() => timeout(5, () => {}, null as never)).toThrow(TypeError);
    expect(() => interval(5, { signal: 1 as never })).toThrow(/options\.signal/);
    expect(() => interval(5, { missed: 'never' as never })).toThrow(/options\.missed/);
    expect(metrics().timersPending).toBe(timersPending);
  });
});

describe('under virtual time', () => {
  beforeEach(() => pauseTime());
  afterEach(() => resumeTime());

  describe('timeout', () => {
    test.each<[string, () => PromiseLike<unknown>, string[]]>(
      ((log: string[]) =>
        [
          ['an operation', () => timeout(10, sleep(100)), log],
          [
            'an async function',
            () =>
              timeout(10, async () => {
                try {
                  await sleep(100);
                } finally {
                  log.push('ended');
                }
              }),
            log,
          ],
          [
            'a generator function',
            () =>
              timeout(10, function* () {
                try {
                  yield* sleep(100);
                } finally {
                  log.push('ended');
                }
              }),
            log,
          ],
          [
            'a generator',
            () =>
              timeout(
                10,
                (function* () {
                  try {
                    yield* sleep(100);
                  } finally {
                    log.push('ended');
                  }
                })(),
              ),
            log,
          ],
          ['a promise', () => timeout(10, new Promise(() => {})), log],
        ] as [string, () => PromiseLike<unknown>, string[]][])([]),
    )('of %s: a TimeoutError, after what it limits has ended', async (name, start, log) => {
      log.length = 0;
      const from = now();
      await expect(start()).rejects.toMatchObject({
        name: 'TimeoutError',
        code: 'ERR_MILLRACE_TIMEOUT',
        message: 'Not done within 10 ms',
      });
      expect(now() - from).toBe(10);
      expect(log).toEqual(/function|generator/.test(name) ? ['ended'] : []);
      expect(metrics().timersPending).toBe(0);
    });

    test('of a handle: the task goes on', async () => {
      const task = spawn(async () => {
        await sleep(100);
        return 'done';
      });
      await expect(timeout(10, task)).rejects.toBeInstanceOf(TimeoutError);
      expect(await task).toBe('done');
    });

    test('in time: the result, and the timer is let go', async () => {
      expect(
        await timeout(100, async () => {
          await sleep(10);
          return 'value';
        }),
      ).toBe('value');
      expect(
        await timeout(
          100,
          spawn(() => 'ready'),
        ),
      ).toBe('ready');
      await expect(timeout(100, () => Promise.reject(new Error('own')))).rejects.toThrow('own');
      expect(metrics().timersPending).toBe(0);
    });

    test('what cleans up for longer than the limit is waited for; its own error is not hidden', async () => {
      const start = now();
      const error = new Error('clean-up failed');
      const limited = timeout(10, async () => {
        try {
          await sleep(100);
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: what is tested
          throw error;
        }
      });
      await expect(limited).rejects.toBe(error);
      expect(now() - start).toBe(10);
    });

    test('a result that comes in spite of the limit counts', async () => {
      const value = await timeout(10, async () => {
        try {
          await sleep(100);
        } catch {}
        return 'saved';
      });
      expect(value).toBe('saved');
    });

    test('nested: the inner one and the outer one each throw their own', async () => {
      const inner = timeout(100, timeout(10, sleep(1000)));
      await expect(inner).rejects.toThrow('within 10 ms');
      await expect(timeout(10, timeout(100, sleep(1000)))).rejects.toThrow('within 10 ms');
    });

    test('0 ms: what is ready wins, what is not loses', async () => {
      const ready = spawn(() => 1);
      await ready;
      expect(await timeout(0, ready)).toBe(1);
      await expect(timeout(0, sleep(1))).rejects.toBeInstanceOf(TimeoutError);
    });

    test('deadline: the same with a point in time', async () => {
      const end = now() + 50;
      await deadline(end, sleep(20));
      await expect(deadline(end, sleep(40))).rejects.toThrow('Not done before the deadline');
      expect(now()).toBe(end);
    });
  });

  describe('many', () => {
    test('ten thousand sleeps end each at its own time, in order', async () => {
      const start = now();
      const ends: number[] = [];
      const tasks = Array.from({ length: 10_000 }, (_, i) => {
        const delay = (i * 7919) % 1000;
        return spawn(function* () {
          yield* sleep(delay);
          if (now() - start !== delay) throw new Error(`${delay} ended at ${now() - start}`);
          ends.push(delay);
        });
      });
      await Promise.all(tasks);
      expect(ends).toEqual([...ends].sort((a, b) => a - b));
    });

    test('cancelling half of them leaves the other half', async () => {
      const sleeps = Array.from({ length: 1000 }, (_, i) => sleep(1 + (i % 10)));
      const ends = Promise.allSettled(sleeps);
      for (let i = 0; i < sleeps.length; i += 2) sleeps[i]?.cancel();
      await advance(10);
      expect((await ends).filter((end) => end.status === 'fulfilled').length).toBe(500);
      expect(metrics().timersPending).toBe(0);
    });
  });

  test("an unref'd sleep can be ref'd again, and both do nothing once it has ended", async () => {
    const slept = sleep(5).unref();
    slept.ref();
    await slept;
    slept.unref().ref();
    await turn();
  });
});
