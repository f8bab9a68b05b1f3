import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, select, spawn } from '../../lib/index.js';
import { Mutex } from '../../lib/sync/index.js';
import { perform, plans } from './random-tasks.js';

const aborted = expect.objectContaining({ code: 'ABORT_ERR' });
const released = expect.objectContaining({ code: 'ERR_MILLRACE_PERMIT_RELEASED' });

test('what one task does with the lock is not interleaved with another, in either kind of task', async () => {
  const counter = new Mutex(0);
  function* inFiber() {
    using guard = yield* counter.lock();
    const before = guard.value;
    yield;
    guard.value = before + 1;
  }
  const inFunction = async () => {
    using guard = await counter.lock();
    const before = guard.value;
    await Promise.resolve();
    guard.value = before + 1;
  };
  await all(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? spawn(inFiber()) : spawn(inFunction))));
  using guard = await counter.lock();
  expect(guard.value).toBe(50);
});

test('the lock goes to those who wait in the order in which they came', async () => {
  const mutex = new Mutex();
  const first = await mutex.lock();
  const order: number[] = [];
  const waiting = [1, 2, 3].map((n) =>
    mutex.lock().then((guard) => {
      order.push(n);
      guard.release();
    }),
  );
  expect(mutex.locked).toBe(true);
  expect(mutex.tryLock()).toBe(null);
  first.release();
  expect(mutex.tryLock()).toBe(null);
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
  expect(mutex.locked).toBe(false);
  using guard = mutex.tryLock();
  expect(guard?.released).toBe(false);
});

test('a lock that is cancelled, before or after it was had, is free for the next', async () => {
  const mutex = new Mutex();
  await select({ first: all([]), lock: mutex.lock() }, { biased: true });
  expect(mutex.locked).toBe(false);
  const held = await mutex.lock();
  const cancelled = mutex.lock();
  const next = mutex.lock();
  cancelled.cancel();
  await expect(cancelled).rejects.toEqual(aborted);
  held.release();
  expect((await next).released).toBe(false);
});

test('after the release the value is out of reach', async () => {
  const mutex = new Mutex('secret');
  const guard = await mutex.lock();
  guard.release();
  expect(() => guard.value).toThrow(released);
  expect(() => {
    guard.value = 'changed';
  }).toThrow(released);
  expect(() => guard.release()).toThrow(released);
  using again = await mutex.lock();
  expect(again.value).toBe('secret');
});

test('wrong options name themselves', () => {
  expect(() => new Mutex().lock(null as never)).toThrow(/options must be an object; got null/);
});

describe('under random schedules', () => {
  test('one task is in at a time, and the lock is free in the end', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), async (plan) => {
        const mutex = new Mutex(0);
        let inside = 0;
        let entered = 0;
        await perform(plan, function* (actor, step) {
          const outcome = yield* actor.wait(step, (options) => mutex.lock(options));
          if (!outcome.won) return;
          try {
            expect(++inside).toBe(1);
            const before = outcome.value.value;
            entered++;
            outcome.value.value = before + 1;
            for (let turn = 0; turn < step.choice % 3; turn++) yield undefined;
            expect(outcome.value.value).toBe(before + 1);
          } finally {
            inside--;
            outcome.value.release();
          }
        });
        expect(mutex.tryLock()?.value).toBe(entered);
      }),
      { numRuns: 400 },
    );
  });
});
