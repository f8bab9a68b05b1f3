// biome-ignore-all lint/correctness/useYield: a fiber need not wait
// biome-ignore-all lint/suspicious/noThenProperty: hostile thenables are tested
import { describe, expect, test } from 'vitest';
import {
  AbortError,
  all,
  type Fiber,
  type JoinHandle,
  type MillraceError,
  metrics,
  race,
  scope,
  select,
  shield,
  sleep,
  spawn,
  type Task,
  timeout,
  wait,
  yieldNow,
} from '../../lib/index.js';
import { turn } from '../turn.js';

function* double(n: number) {
  yield* sleep(0);
  return n * 2;
}

describe('what can be spawned', () => {
  test.each<[string, () => JoinHandle<number>]>([
    ['a generator', () => spawn(double(21))],
    [
      'a generator function',
      () =>
        spawn(function* () {
          return yield* double(21);
        }),
    ],
    [
      'an async function',
      () =>
        spawn(async () => {
          await sleep(0);
          return 42;
        }),
    ],
    ['a plain function', () => spawn(() => 42)],
    ['a plain function that returns a promise', () => spawn(() => Promise.resolve(42))],
    ['a plain function that returns a generator', () => spawn((): Fiber<number> => double(21))],
    ['a plain function that returns an operation', () => spawn(() => spawn(() => 42))],
    [
      'a plain function that returns a thenable',
      () => spawn(() => ({ then: (done: (n: number) => void) => done(42) }) as PromiseLike<number>),
    ],
  ])('%s: awaited and yielded', async (_, start) => {
    expect(await start()).toBe(42);
    expect(
      await spawn(function* () {
        return yield* start();
      }),
    ).toBe(42);
    expect(await spawn(async () => await start())).toBe(42);
  });

  test('nothing runs before spawn returns, and tasks start in the order of their spawning', async () => {
    const order: number[] = [];
    const tasks = [
      spawn(() => void order.push(1)),
      spawn(function* () {
        order.push(2);
      }),
      spawn(async () => void order.push(3)),
    ];
    expect(order).toEqual([]);
    await all(tasks);
    expect(order).toEqual([1, 2, 3]);
  });

  test('the function is given its task', async () => {
    const tasks: Task[] = [];
    const handles = [
      spawn(async (task) => void tasks.push(task)),
      spawn(function* (task) {
        tasks.push(task);
      }),
      spawn((task) => void tasks.push(task)),
    ];
    await all(handles);
    for (const [i, handle] of handles.entries()) expect(tasks[i] === handle).toBe(true);
  });

  test.each([[1], ['text'], [null], [undefined], [{}], [Promise.resolve(1)], [[]]])('%s is refused', (body) => {
    expect(() => spawn(body as never)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });

  test('a name must be a string, options an object', () => {
    expect(() => spawn(() => 1, { name: 5 as never })).toThrow(/options\.name must be a string; got 5/);
    expect(() => spawn(() => 1, 'x' as never)).toThrow(TypeError);
  });

  test.each<[string, unknown]>([
    [
      'throws at once',
      (): never => {
        throw new RangeError('broken');
      },
    ],
    [
      'throws in a generator',
      function* () {
        throw new RangeError('broken');
      },
    ],
    [
      'throws later',
      async () => {
        await sleep(0);
        throw new RangeError('broken');
      },
    ],
    [
      'throws later in a generator',
      function* () {
        yield* sleep(0);
        throw new RangeError('broken');
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('broken'))],
    [
      'a thenable throws',
      () => ({
        then() {
          throw new RangeError('broken');
        },
      }),
    ],
    [
      'has a then that throws',
      () => ({
        get then() {
          throw new RangeError('broken');
        },
      }),
    ],
  ])('a body that %s fails the task and nothing else', async (_, body) => {
    const task = spawn(body as () => never);
    await expect(task).rejects.toThrow('broken');
    expect(task.status).toBe('failed');
    expect(await spawn(() => 'still here')).toBe('still here');
  });

  test('a thenable that calls back twice ends the task once (double end of a task)', async () => {
    const { size } = spawn(() => 1).group;
    const task = spawn(
      () =>
        ({
          then: (done: (n: number) => void, fail: (error: Error) => void) => {
            done(1);
            done(2);
            fail(new Error('late'));
          },
        }) as PromiseLike<number>,
    );
    expect(await task).toBe(1);
    await turn();
    expect(task.group.size).toBeLessThan(size + 1);
    expect(task.group.size).toBe(task.group.tasks().length);
  });
});

describe('a handle', () => {
  test('has an id that grows, a name, and a status that follows the task', async () => {
    const seen: string[] = [];
    const task = spawn(function* named(self) {
      seen.push(self.status);
      yield* sleep(0);
    });
    const other = spawn(async () => {}, { name: 'given' });
    expect(other.id).toBeGreaterThan(task.id);
    expect([task.name, other.name]).toEqual(['named', 'given']);
    expect([task.status, task.finished]).toEqual(['queued', false]);
    await Promise.resolve();
    await Promise.resolve();
    expect(task.status).toBe('waiting');
    await task;
    expect([...seen, task.status, task.finished]).toEqual(['running', 'completed', true]);
  });

  test('an async task that runs again after its await is waiting or running, never queued', async () => {
    const seen: string[] = [];
    await spawn(async (self) => {
      seen.push(self.status);
      await sleep(0);
      seen.push(self.status);
    });
    expect(seen).toEqual(['running', 'waiting']);
  });

  test('can be waited for by many, before and after the end', async () => {
    const task = spawn(double(1));
    const results = await all([
      task,
      spawn(async () => await task),
      spawn(function* () {
        return yield* task;
      }),
    ]);
    expect([
      ...results,
      await task,
      await spawn(function* () {
        return yield* task;
      }),
    ]).toEqual([2, 2, 2, 2, 2]);
  });

  test('has then, catch, finally and promise, as promises have', async () => {
    const failing = spawn(async () => {
      throw new Error('no');
    });
    expect(await failing.catch(() => 'caught')).toBe('caught');
    let ran = false;
    await spawn(() => 1).finally(() => {
      ran = true;
    });
    expect(ran).toBe(true);
    expect(spawn(() => 1).promise()).toBeInstanceOf(Promise);
  });

  test('a task that waits for itself or for the other in a ring can still be aborted', async () => {
    const itself: JoinHandle<unknown> = spawn(function* () {
      yield* itself;
    });
    await turn();
    itself.abort();
    await expect(itself).rejects.toBeInstanceOf(AbortError);
  });
});

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

describe('combinations refuse what one cannot wait for, and name it', () => {
  test.each<[string, () => unknown, RegExp]>([
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
