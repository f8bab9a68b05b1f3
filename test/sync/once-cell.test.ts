import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, CancelToken, spawn, taskLocal, yieldNow } from '../../lib/index.js';
import { Notify, OnceCell } from '../../lib/sync/index.js';
import { perform, plans, turnsPass } from './random-tasks.js';

const aborted = expect.objectContaining({ code: 'ABORT_ERR' });

test('the value is made once, however many ask at the same time', async () => {
  const cell = new OnceCell<number>();
  let made = 0;
  const make = async () => {
    await yieldNow();
    return ++made;
  };
  function* ask() {
    return yield* cell.getOrInit(make);
  }
  expect(await all([spawn(ask()), spawn(ask()), spawn(ask())])).toEqual([1, 1, 1]);
  expect(await cell.getOrInit(() => 99)).toBe(1);
  expect([cell.get(), cell.initialized]).toEqual([1, true]);
});

test('generator functions and plain ones can make it, and undefined is a value', async () => {
  const cell = new OnceCell<undefined>();
  let made = 0;
  const make = function* () {
    yield;
    made++;
    return undefined;
  };
  await cell.getOrInit(make);
  await cell.getOrInit(make);
  expect([made, cell.initialized]).toEqual([1, true]);
});

test('one that fails tells its caller, and the next who waits tries', async () => {
  const cell = new OnceCell<string>();
  const failing = cell.getOrInit(async () => {
    await yieldNow();
    throw new Error('no luck');
  });
  const second = cell.getOrInit(() => 'second');
  const third = cell.getOrInit(() => 'third');
  await expect(failing).rejects.toThrow('no luck');
  expect(await all([second, third])).toEqual(['second', 'second']);
});

test('one that is cancelled is waited for to its end before the next tries', async () => {
  const cell = new OnceCell<string>();
  const cleaned = new Notify();
  const story: string[] = [];
  const token = new CancelToken();
  const first = cell.getOrInit(
    function* () {
      try {
        yield* new Notify().notified();
      } finally {
        story.push('cleaned up');
        cleaned.notifyOne();
      }
      return 'first';
    },
    { signal: token },
  );
  const second = cell.getOrInit(() => {
    story.push('second');
    return 'second';
  });
  await turnsPass(3);
  token.cancel();
  await expect(first).rejects.toEqual(aborted);
  expect(await second).toBe('second');
  expect(story).toEqual(['cleaned up', 'second']);
});

test('one that waits for its turn can be cancelled alone', async () => {
  const cell = new OnceCell<string>();
  const go = new Notify();
  const first = cell.getOrInit(async () => {
    await go.notified();
    return 'first';
  });
  const second = cell.getOrInit(() => 'second');
  second.cancel();
  await expect(second).rejects.toEqual(aborted);
  go.notifyOne();
  expect(await first).toBe('first');
});

test('the initialiser belongs to who asked, also if it starts in the turn of another', async () => {
  const cell = new OnceCell<string>();
  const store = new AsyncLocalStorage<string>();
  const local = taskLocal<string>('local');
  const failing = cell.getOrInit(async () => {
    await yieldNow();
    throw new Error('no luck');
  });
  const mine = local.run('my local', () => {
    return store.run('my store', () => cell.getOrInit(() => `${store.getStore()}, ${local.get()}`));
  });
  await expect(failing).rejects.toThrow('no luck');
  expect(await mine).toBe('my store, my local');
});

test('a value can be set once, and not while it is being made', async () => {
  const cell = new OnceCell<number>();
  const invalid = expect.objectContaining({ code: 'ERR_MILLRACE_INVALID_STATE' });
  const making = cell.getOrInit(async () => 1);
  expect(() => cell.set(2)).toThrow(invalid);
  await making;
  expect(() => cell.set(3)).toThrow(invalid);
  const other = new OnceCell<number>();
  other.set(4);
  expect(await other.getOrInit(() => 5)).toBe(4);
  expect(() => other.getOrInit(7 as never)).toThrow(/initialise must be a function; got 7/);
});

describe('under random schedules', () => {
  test('one initialiser at a time, none after the first success, and everybody has the same value', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), async (plan) => {
        const cell = new OnceCell<number>();
        let running = 0;
        let successes = 0;
        const values = new Set<number>();
        await perform(plan, function* (actor, step) {
          const make = function* () {
            expect(++running).toBe(1);
            try {
              for (let turn = 0; turn < step.choice % 4; turn++) yield;
              if (step.choice % 3 > 0) throw new Error('no luck');
              return 100 + ++successes;
            } finally {
              running--;
            }
          };
          try {
            const outcome = yield* actor.wait(step, (options) => cell.getOrInit(make, options));
            if (outcome.won) values.add(outcome.value);
          } catch (error) {
            if ((error as Error).message !== 'no luck') throw error;
          }
        });
        expect(running).toBe(0);
        expect(successes).toBeLessThanOrEqual(1);
        expect([...values]).toEqual(values.size === 0 ? [] : [101]);
        expect(cell.get()).toBe(successes === 1 ? 101 : undefined);
        if (successes === 0) expect(await cell.getOrInit(() => 7)).toBe(7);
      }),
      { numRuns: 300 },
    );
  });
});
