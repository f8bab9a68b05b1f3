import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Awaitable,
  all,
  dumpTasks,
  metrics,
  now,
  race,
  scope,
  select,
  shield,
  sleep,
  spawn,
  taskLocal,
  timeout,
} from '../../lib/index.js';
import { pauseTime, resumeTime } from '../../lib/test/index.js';
import { turn } from '../turn.js';

beforeEach(() => pauseTime());
afterEach(async () => {
  await turn();
  expect([dumpTasks(), metrics().timersPending]).toEqual([[], 0]);
  resumeTime();
});

function later<T>(ms: number, value: T): () => Promise<T> {
  return async () => {
    await sleep(ms);
    return value;
  };
}

describe('select', () => {
  test('gives the first arm and its value, and cancels the others', async () => {
    const ends: string[] = [];
    const start = now();
    const { key, value } = await select({
      slow: async () => {
        try {
          await sleep(1000);
        } finally {
          ends.push('slow cancelled');
        }
      },
      fiber: function* () {
        try {
          yield* sleep(1000);
        } finally {
          ends.push('fiber cancelled');
        }
      },
      quick: later(10, 'value'),
      timer: sleep(500),
    });
    expect([key, value, now() - start]).toEqual(['quick', 'value', 10]);
    await turn();
    expect(ends.sort()).toEqual(['fiber cancelled', 'slow cancelled']);
  });

  test('a JoinHandle that loses is not aborted', async () => {
    const task = spawn(later(100, 'still'));
    expect((await select({ task, timer: sleep(1) })).key).toBe('timer');
    expect(task.status).toBe('waiting');
    expect(await task).toBe('still');
  });

  test('the first failure is thrown', async () => {
    await expect(select({ a: sleep(100), b: () => Promise.reject(new Error('broken')) })).rejects.toThrow('broken');
  });

  test('biased takes the first ready arm; without it every ready arm has its turn', async () => {
    const ready = (): Record<'a' | 'b' | 'c', Awaitable<number>> => ({
      a: done[0] as never,
      b: done[1] as never,
      c: done[2] as never,
    });
    const done = [spawn(() => 1), spawn(() => 2), spawn(() => 3)];
    await all(done);
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      expect((await select(ready(), { biased: true })).key).toBe('a');
      seen.add((await select(ready())).key);
    }
    expect([...seen].sort()).toEqual(['a', 'b', 'c']);
  });

  test('from a fiber, a thousand times, leaving nothing behind', async () => {
    await spawn(function* () {
      for (let i = 0; i < 1000; i++) yield* select({ short: sleep(1), long: sleep(10_000) });
    });
  });

  test('the same operation in two arms, and a promise among them', async () => {
    const shared = sleep(5);
    expect((await select({ a: shared, b: shared, c: new Promise(() => {}) })).key).toMatch(/[ab]/);
  });
});

describe('race', () => {
  test('gives the first result or failure and cancels the rest', async () => {
    expect(await race([later(30, 'slow'), later(10, 'quick'), sleep(1000)])).toBe('quick');
    await expect(race([sleep(50), () => Promise.reject(new Error('first'))])).rejects.toThrow('first');
  });
});

describe('all', () => {
  test('gives the results in order', async () => {
    expect(await all([later(30, 'a'), later(10, 'b'), spawn(() => 'c'), Promise.resolve('d')])).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
    expect(await all([])).toEqual([]);
    expect(await all(new Set([spawn(() => 1)]))).toEqual([1]);
  });

  test('the first failure is thrown at once and cancels the rest, but not tasks of their own', async () => {
    const handle = spawn(later(100, 'goes on'));
    const ends: string[] = [];
    const start = now();
    await expect(
      all([
        handle,
        async () => {
          try {
            await sleep(1000);
          } finally {
            ends.push('cancelled');
          }
        },
        async () => {
          await sleep(10);
          throw new Error('broken');
        },
      ]),
    ).rejects.toThrow('broken');
    expect(now() - start).toBe(10);
    expect(await handle).toBe('goes on');
    expect(ends).toEqual(['cancelled']);
  });

  test('an item that had failed already', async () => {
    const failed = spawn(() => {
      throw new Error('before');
    });
    await failed.catch(() => {});
    await expect(all([sleep(100), failed])).rejects.toThrow('before');
  });

  test('of ten thousand', async () => {
    const results = await all(
      Array.from({ length: 10_000 }, (_, i) =>
        spawn(function* () {
          yield* sleep(i % 7);
          return i;
        }),
      ),
    );
    expect(results.length).toBe(10_000);
    expect(results[9999]).toBe(9999);
  });
});

describe('combinations refuse what one cannot wait for, and name it', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['options that are none', () => select({ a: () => 1 }, 5 as never), /^options must be an object; got 5/],
    [
      'biased that is no boolean',
      () => select({ a: () => 1 }, { biased: 'no' as never }),
      /^options\.biased must be a boolean; got "no"/,
    ],
    [
      'a signal that cannot be listened to',
      () => sleep(1, { signal: { aborted: false } as never }),
      /^options\.signal must be a CancelToken or an AbortSignal/,
    ],
    ['a name that is no string', () => taskLocal(5 as never), /^name must be a string; got 5/],
    ['all', () => all([spawn(() => 1), 5 as never]), /items\[1\]/],
    ['all', () => all(5 as never), /items must be an iterable/],
    ['race', () => race([]), /items must be a list with at least one item/],
    ['select', () => select({}), /at least one arm/],
    ['select', () => select({ a: null as never }), /arms\.a/],
    ['select', () => select(null as never), /arms/],
    ['timeout', () => timeout(1, 'x' as never), /operation/],
    ['shield', () => shield(1 as never), /body/],
    ['scope', () => scope(1 as never), /fn must be a function/],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(TypeError);
  });
});
