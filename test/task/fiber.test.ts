// biome-ignore-all lint/correctness/useYield: a fiber need not wait
// biome-ignore-all lint/suspicious/noThenProperty: hostile thenables are tested
import { describe, expect, test } from 'vitest';
import { type Fiber, type MillraceError, metrics, sleep, spawn, wait, yieldNow } from '../../lib/index.js';

describe('fibers', () => {
  test('what is yielded instead of yield*ed is told in the fiber, which may go on', async () => {
    const result = await spawn(function* () {
      try {
        (yield sleep(0) as never) as unknown;
      } catch (error) {
        return (error as MillraceError).code;
      }
      return 'nothing';
    } as never);
    expect(result).toBe('ERR_MILLRACE_YIELD');
  });

  test('bad yield caught with a wait in the handler resumes properly', async () => {
    const result = await spawn(function* () {
      try {
        yield 5 as never;
      } catch {
        yield* sleep(0);
        yield;
        return 'went on';
      }
    } as never);
    expect(result).toBe('went on');
  });

  test('yield* outside of a fiber is an error that says what to do', () => {
    const generator = (function* () {
      yield* sleep(0);
    })();
    expect(() => generator.next()).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_NOT_IN_FIBER' }));
    expect(() =>
      (function* () {
        yield* yieldNow();
      })().next(),
    ).toThrow(TypeError);
  });

  test('a generator driven by hand inside a fiber is an error; the fiber may end, and nothing wakes it again', async () => {
    const { group } = spawn(() => 1);
    const result = await spawn(function* () {
      const inner = (function* () {
        yield* sleep(1);
      })();
      inner.next();
      try {
        yield* sleep(1);
      } catch (error) {
        return (error as MillraceError).code;
      }
      return 'nothing';
    });
    expect(result).toBe('ERR_MILLRACE_INVALID_STATE');
    await sleep(3);
    expect(group.size).toBe(group.tasks().length);
    expect(metrics().tasksAlive).toBeGreaterThanOrEqual(0);
  });

  test('one operation yielded twice gives its result twice', async () => {
    const slept = sleep(0);
    const task = spawn(function* () {
      yield* slept;
      yield* slept;
      return 'done';
    });
    expect(await task).toBe('done');
  });

  test('wait takes foreign promises in either kind of task', async () => {
    expect(
      await spawn(function* () {
        return yield* wait(Promise.resolve(7));
      }),
    ).toBe(7);
    await expect(
      spawn(function* () {
        yield* wait(Promise.reject(new Error('foreign')));
      }),
    ).rejects.toThrow('foreign');
    expect(() => wait(5 as never)).toThrow(TypeError);
  });

  test('deep nesting of generators and of tasks', async () => {
    function* nested(depth: number): Fiber<number> {
      if (depth === 0) {
        yield* sleep(0);
        return 0;
      }
      return 1 + (yield* nested(depth - 1));
    }
    expect(await spawn(nested(500))).toBe(500);
    function* chain(depth: number): Fiber<number> {
      return depth === 0 ? 0 : 1 + (yield* spawn(chain(depth - 1)));
    }
    expect(await spawn(chain(5000))).toBe(5000);
  });
});
