import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AbortError,
  CancelToken,
  dumpTasks,
  now,
  Scope,
  scope,
  sleep,
  spawn,
  TimeoutError,
  wait,
} from '../../lib/index.js';
import { pauseTime, resumeTime } from '../../lib/test/index.js';
import { turn } from '../turn.js';

beforeEach(() => pauseTime());
afterEach(() => {
  expect(dumpTasks()).toEqual([]);
  resumeTime();
});

describe('scope', () => {
  test('gives what its body gives, after every task has ended', async () => {
    const ends: string[] = [];
    const value = await scope(async (tasks) => {
      tasks.spawn(async () => {
        await sleep(100);
        return ends.push('slow');
      });
      tasks.spawn(function* () {
        yield* sleep(50);
        ends.push('quick');
      });
      return 'value';
    });
    expect([value, ends]).toEqual(['value', ['quick', 'slow']]);
  });

  test.each<[string, () => PromiseLike<unknown>]>([
    [
      'generator function',
      () =>
        scope(function* (tasks) {
          return yield* tasks.spawn(() => 1);
        }),
    ],
    ['async function', () => scope(async (tasks) => await tasks.spawn(() => 1))],
    ['plain function', () => scope(() => 1)],
  ])('a body can be a %s', async (_, run) => {
    expect(await run()).toBe(1);
  });

  test('one failure cancels the others, waits for their end, and is thrown', async () => {
    const log: string[] = [];
    const start = now();
    const failure = new Error('broken');
    await expect(
      scope(async (tasks) => {
        tasks.spawn(async () => {
          try {
            await sleep(1000);
          } finally {
            log.push('cancelled');
          }
        });
        tasks.spawn(function* () {
          yield* sleep(10);
          throw failure;
        });
        await sleep(5000);
        log.push('unreachable');
      }),
    ).rejects.toBe(failure);
    expect([log, now() - start]).toEqual([['cancelled'], 10]);
  });

  test('several failures are an AggregateError in the order in which they came', async () => {
    const ended = scope(async (tasks) => {
      tasks.spawn(async () => {
        await sleep(10);
        throw new Error('first');
      });
      tasks.spawn(async () => {
        try {
          await sleep(1000);
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: what is tested
          throw new Error('second');
        }
      });
      await sleep(1000);
    });
    const error = (await ended.catch((thrown) => thrown)) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors.map((each: Error) => each.message)).toEqual(['first', 'second']);
  });

  test('a failure that a task joined and passed on is one failure', async () => {
    const failure = new Error('once');
    await expect(
      scope(async (tasks) => {
        const failing = tasks.spawn(() => {
          throw failure;
        });
        await failing;
      }),
    ).rejects.toBe(failure);
  });

  test('undefined and null can be thrown like anything else', async () => {
    await expect(
      scope(
        (tasks) =>
          void tasks.spawn(() => {
            throw undefined;
          }),
      ),
    ).rejects.toBe(undefined);
  });

  test('a child that was aborted by itself is no failure', async () => {
    const value = await scope(async (tasks) => {
      const child = tasks.spawn(() => sleep(1000));
      await sleep(1);
      child.abort();
      return 'fine';
    });
    expect(value).toBe('fine');
  });

  test('cancelled from outside it ends its tasks and throws the AbortError', async () => {
    const ends: string[] = [];
    const running = scope(async (tasks) => {
      tasks.spawn(function* () {
        try {
          yield* sleep(1000);
        } finally {
          ends.push('child');
        }
      });
      await sleep(1000);
    });
    await turn(0);
    for (let i = 0; i < 3; i++) await Promise.resolve();
    running.cancel('enough');
    await expect(running).rejects.toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
    expect(ends).toEqual(['child']);
  });

  test.each<[string, (end: number) => object]>([
    ['timeoutMs', () => ({ timeoutMs: 100 })],
    ['deadlineMs', (end) => ({ deadlineMs: end })],
    ['a token with a deadline', () => ({ signal: new CancelToken({ timeoutMs: 100 }) })],
    [
      'an AbortSignal',
      () => {
        const controller = new AbortController();
        void sleep(100).then(() => controller.abort(new TimeoutError('user')));
        return { signal: controller.signal };
      },
    ],
  ])('%s cancels it with a TimeoutError', async (_, options) => {
    const start = now();
    await expect(scope((tasks) => void tasks.spawn(() => sleep(1000)), options(start + 100))).rejects.toBeInstanceOf(
      TimeoutError,
    );
    expect(now() - start).toBe(100);
  });

  test('children inherit the deadline, also through nested scopes and tokens', async () => {
    const start = now();
    await expect(
      scope(
        async (outer) => {
          expect(outer.deadlineMs).toBe(start + 100);
          await scope(async (inner) => {
            expect(inner.deadlineMs).toBe(start + 100);
            await inner.spawn(async (task) => {
              expect(task.token.deadlineMs).toBe(start + 100);
              expect(new CancelToken({ signal: task.token, timeoutMs: 1000 }).deadlineMs).toBe(start + 100);
              await sleep(1000);
            });
          });
        },
        { timeoutMs: 100 },
      ),
    ).rejects.toBeInstanceOf(TimeoutError);
    expect(now() - start).toBe(100);
  });

  test('nested: the failure of the inner one is thrown where it was opened and can be caught there', async () => {
    const value = await scope(async (outer) => {
      const steady = outer.spawn(async () => {
        await sleep(50);
        return 'steady';
      });
      try {
        await scope(
          (inner) =>
            void inner.spawn(() => {
              throw new Error('inner');
            }),
        );
      } catch (error) {
        expect((error as Error).message).toBe('inner');
      }
      return await steady;
    });
    expect(value).toBe('steady');
  });

  test('aborting the task that opened it reaches the tasks of an inner scope', async () => {
    const ends: string[] = [];
    const task = spawn(function* () {
      yield* scope(function* (outer) {
        yield* outer.spawn(function* () {
          yield* scope(function* () {
            try {
              yield* sleep(1000);
            } finally {
              ends.push('innermost');
            }
          });
        });
      });
    });
    await turn(0);
    for (let i = 0; i < 8; i++) await Promise.resolve();
    const start = now();
    task.abort();
    await expect(task).rejects.toBeInstanceOf(AbortError);
    expect([ends, now() - start]).toEqual([['innermost'], 0]);
  });

  test('a task may still spawn while the scope ends; afterwards it is an error', async () => {
    const ends: string[] = [];
    let kept!: Scope;
    await scope((tasks) => {
      kept = tasks;
      tasks.spawn(async () => {
        await sleep(10);
        tasks.spawn(async () => {
          await sleep(10);
          return ends.push('grandchild');
        });
      });
    });
    expect(ends).toEqual(['grandchild']);
    expect(() => kept.spawn(() => 1)).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_SCOPE_ENDED' }));
  });

  test('in a cancelled scope a task is cancelled before it runs', async () => {
    let ran = false;
    const ended = scope(async (tasks) => {
      tasks.cancel('over');
      tasks.spawn(() => {
        ran = true;
      });
    });
    await expect(ended).rejects.toMatchObject({ cause: 'over' });
    expect(ran).toBe(false);
  });

  test('what its token gives to others is aborted with it', async () => {
    let signal!: AbortSignal;
    await expect(
      scope(async (tasks) => {
        signal = tasks.token.signal;
        tasks.spawn(() => {
          throw new Error('x');
        });
        await wait(new Promise((resolve) => signal.addEventListener('abort', resolve)));
      }),
    ).rejects.toThrow('x');
    expect(signal.aborted).toBe(true);
  });

  test('a bad option is refused, by name, and leaves no scope behind', async () => {
    expect(() => scope(() => 1, { timeoutMs: -1 })).toThrow(/options\.timeoutMs/);
    expect(() => scope(() => 1, { name: 1 as never })).toThrow(/options\.name/);
    expect(() => scope(() => 1, { signal: {} as never })).toThrow(/options\.signal/);
    expect(() => scope(() => 1, 5 as never)).toThrow(/options/);
  });
});

describe('await using new Scope()', () => {
  test('the block ends when its tasks have ended, and throws their failure', async () => {
    const ends: string[] = [];
    {
      await using tasks = new Scope({ name: 'block' });
      tasks.spawn(async () => {
        await sleep(20);
        return ends.push('a');
      });
      tasks.spawn(async () => {
        await sleep(10);
        return ends.push('b');
      });
      expect(dumpTasks().map((task) => task.group)).toEqual(['scope block', 'scope block']);
    }
    expect(ends).toEqual(['b', 'a']);
    const failing = async (): Promise<void> => {
      await using tasks = new Scope();
      tasks.spawn(() => {
        throw new Error('broken');
      });
      tasks.spawn(() => sleep(1000));
    };
    await expect(failing()).rejects.toThrow('broken');
  });

  test('in a task that is aborted its tasks are aborted too', async () => {
    const ends: string[] = [];
    const task = spawn(async () => {
      await using tasks = new Scope();
      tasks.spawn(async () => {
        try {
          await sleep(1000);
        } finally {
          ends.push('child');
        }
      });
      await sleep(1000);
    });
    await sleep(10);
    const start = now();
    task.abort();
    await expect(task).rejects.toThrow();
    expect([ends, now() - start]).toEqual([['child'], 0]);
  });

  test('a body that was aborted by itself is thrown (its AbortError was the result)', async () => {
    const aborted = scope(async (tasks) => {
      tasks.tasks()[0]?.abort('enough');
      await sleep(1);
    });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError', cause: 'enough' });
  });
});
