// biome-ignore-all lint/correctness/useYield: a fiber need not wait
// biome-ignore-all lint/suspicious/noThenProperty: hostile thenables are tested
import { describe, expect, test } from 'vitest';
import {
  AbortError,
  all,
  type Fiber,
  type JoinHandle,
  race,
  scope,
  shield,
  sleep,
  spawn,
  type Task,
} from '../../lib/index.js';
import { turn } from '../turn.js';

function* double(n: number) {
  yield* sleep(0);
  return n * 2;
}

async function* asyncCount() {
  yield 1;
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

  test.each<[string, () => unknown]>([
    ['spawn, a generator', () => spawn(asyncCount() as never)],
    ['spawn, a function', () => spawn(asyncCount as never)],
    ['scope', () => scope(asyncCount as never)],
    ['shield', () => shield(asyncCount() as never)],
    ['race, a generator', () => race([asyncCount() as never])],
    ['race, a function', () => race([asyncCount as never])],
  ])('an async generator is refused by %s (it was polled for ever, or never run)', (_, start) => {
    expect(start).toThrow(/ must be .*got (an object|an instance|function)/);
  });

  test('a generator that runs already is told so (the second task threw undefined)', async () => {
    const generator = double(21);
    const first = spawn(generator);
    const second = spawn(generator);
    await expect(second).rejects.toMatchObject({ code: 'ERR_MILLRACE_CONSUMED' });
    await first;
  });
});
