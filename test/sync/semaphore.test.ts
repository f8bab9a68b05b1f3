import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, CancelToken, select, spawn } from '../../lib/index.js';
import { Semaphore } from '../../lib/sync/index.js';
import { perform, plans, turnsPass } from './random-tasks.js';

const aborted = expect.objectContaining({ code: 'ABORT_ERR' });
const closed = expect.objectContaining({ code: 'ERR_MILLRACE_SYNC_CLOSED' });
const released = expect.objectContaining({ code: 'ERR_MILLRACE_PERMIT_RELEASED' });

test('no more tasks are in than there are permits', async () => {
  const semaphore = new Semaphore(3);
  let inside = 0;
  let most = 0;
  function* visit() {
    using _permit = yield* semaphore.acquire();
    most = Math.max(most, ++inside);
    yield;
    inside--;
  }
  await all(Array.from({ length: 20 }, () => spawn(visit())));
  expect(most).toBe(3);
  expect(semaphore.available).toBe(3);
});

test('permits go round in the order of asking, and one that asks for many is not overtaken', async () => {
  const semaphore = new Semaphore(2);
  const held = await semaphore.acquire();
  const order: string[] = [];
  const many = semaphore.acquireMany(2).then((permit) => {
    order.push('many');
    permit.release();
  });
  const one = semaphore.acquire().then(() => order.push('one'));
  expect(semaphore.available).toBe(1);
  expect(semaphore.tryAcquire()).toBe(null);
  held.release();
  await Promise.all([many, one]);
  expect(order).toEqual(['many', 'one']);
});

test('when one that waits for many gives up, those behind it are let in', async () => {
  const semaphore = new Semaphore(2);
  const held = await semaphore.acquire();
  const many = semaphore.acquireMany(2);
  const one = semaphore.acquire();
  many.cancel();
  await expect(many).rejects.toEqual(aborted);
  expect((await one).count).toBe(1);
  held.release();
  expect(semaphore.available).toBe(1);
});

test('a lost select gives its permits back, to whoever waits', async () => {
  const semaphore = new Semaphore(2);
  const { key } = await select({ first: all([]), permits: semaphore.acquireMany(2) }, { biased: true });
  expect(key).toBe('first');
  expect(semaphore.available).toBe(2);
  const untaken = semaphore.acquireMany(2);
  const next = semaphore.acquire();
  untaken.cancel();
  expect((await next).count).toBe(1);
  expect(semaphore.available).toBe(1);
});

test('a fiber aborted in front of a free semaphore takes no permit with it', async () => {
  const semaphore = new Semaphore(1);
  const task = spawn(function* (self) {
    self.abort();
    yield* semaphore.acquire();
  });
  await expect(task).rejects.toEqual(aborted);
  expect(semaphore.available).toBe(1);
});

test('an async task aborted in front of a free semaphore takes no permit with it either', async () => {
  const semaphore = new Semaphore(1);
  const task = spawn(async (self) => {
    await turnsPass(1);
    self.abort();
    await semaphore.acquire();
  });
  await expect(task).rejects.toEqual(aborted);
  expect(semaphore.available).toBe(1);
});

test('a signal ends the wait', async () => {
  const semaphore = new Semaphore(0);
  const controller = new AbortController();
  const token = new CancelToken();
  const waits = [semaphore.acquire({ signal: controller.signal }), semaphore.acquireMany(3, { signal: token })];
  controller.abort();
  token.cancel();
  for (const wait of waits) await expect(wait).rejects.toEqual(aborted);
  semaphore.addPermits(3);
  expect(semaphore.available).toBe(3);
});

test('permits can be added and forgotten', async () => {
  const semaphore = new Semaphore(0);
  const waiting = semaphore.acquireMany(3);
  semaphore.addPermits(2);
  expect(semaphore.available).toBe(2);
  semaphore.addPermits(2);
  const permit = await waiting;
  permit.forget();
  expect(semaphore.available).toBe(1);
  expect(() => permit.release()).toThrow(released);
});

test('releasing twice is an error; leaving the block after a release is none', async () => {
  const semaphore = new Semaphore(1);
  {
    using permit = await semaphore.acquire();
    permit.release();
    expect(permit.released).toBe(true);
    expect(() => permit.release()).toThrow(released);
  }
  expect(semaphore.available).toBe(1);
});

test('closing ends who waits and who comes; permits that are out can be released', async () => {
  const semaphore = new Semaphore(1);
  const permit = await semaphore.acquire();
  const waiting = semaphore.acquire();
  semaphore.close();
  await expect(waiting).rejects.toEqual(closed);
  await expect(semaphore.acquire()).rejects.toEqual(closed);
  expect(() => semaphore.tryAcquire()).toThrow(closed);
  permit.release();
  expect([semaphore.available, semaphore.closed]).toEqual([1, true]);
});

test('wrong numbers name the argument', () => {
  const semaphore = new Semaphore(1);
  expect(() => new Semaphore(-1)).toThrow(/permits must be an integer from 0 to 1073741823; got -1/);
  expect(() => new Semaphore('1' as never)).toThrow(TypeError);
  expect(() => semaphore.acquireMany(0)).toThrow(/count must be an integer from 1/);
  expect(() => semaphore.tryAcquire(1.5)).toThrow(RangeError);
  expect(() => semaphore.addPermits(2 ** 30 - 1)).toThrow(/count must be at most 1073741822/);
});

describe('under random schedules', () => {
  test('permits out + available = total, and never too many are out', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), fc.integer({ min: 1, max: 4 }), async (plan, total) => {
        const semaphore = new Semaphore(total);
        let out = 0;
        const check = (): void => {
          expect(out + semaphore.available).toBeLessThanOrEqual(total);
        };
        await perform(plan, function* (actor, step) {
          const count = 1 + (step.choice % total);
          const outcome =
            step.choice % 6 === 0
              ? { won: true as const, value: semaphore.tryAcquire(count) }
              : yield* actor.wait(step, (options) => semaphore.acquireMany(count, options));
          check();
          if (!outcome.won || outcome.value === null) return;
          try {
            out += count;
            check();
            for (let turn = 0; turn < step.choice % 3; turn++) yield undefined;
          } finally {
            out -= count;
            outcome.value.release();
          }
          check();
        });
        expect([out, semaphore.available]).toEqual([0, total]);
        // Nobody is left in the queue: all permits can be had at once.
        expect(semaphore.tryAcquire(total)?.count).toBe(total);
      }),
      { numRuns: 400 },
    );
  });
});
