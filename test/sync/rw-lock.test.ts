import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, select, spawn } from '../../lib/index.js';
import { type ReadGuard, RwLock, type WriteGuard } from '../../lib/sync/index.js';
import { perform, plans, turnsPass } from './random-tasks.js';

const released = expect.objectContaining({ code: 'ERR_MILLRACE_PERMIT_RELEASED' });

test('readers are in together, a writer alone', async () => {
  const lock = new RwLock('old');
  const readers = [await lock.read(), await lock.read()];
  expect(lock.tryWrite()).toBe(null);
  const write = lock.write();
  for (const reader of readers) reader.release();
  const writer = await write;
  expect([lock.tryRead(), lock.tryWrite()]).toEqual([null, null]);
  writer.value = 'new';
  writer.release();
  using reader = await lock.read();
  expect(reader.value).toBe('new');
});

test('a reader that comes after a waiting writer waits behind it, so writers do not starve', async () => {
  const lock = new RwLock();
  const order: string[] = [];
  const reading = await lock.read();
  function* writer() {
    using _guard = yield* lock.write();
    order.push('writer');
  }
  function* reader() {
    using _guard = yield* lock.read();
    order.push('reader');
  }
  const tasks = [spawn(writer()), spawn(reader()), spawn(reader())];
  await turnsPass(3);
  expect(lock.tryRead()).toBe(null);
  expect(order).toEqual([]);
  reading.release();
  await all(tasks);
  expect(order).toEqual(['writer', 'reader', 'reader']);
});

test('when a waiting writer gives up, the readers behind it are let in', async () => {
  const lock = new RwLock();
  const reading = await lock.read();
  const write = lock.write();
  const second = lock.read();
  write.cancel();
  expect((await second).released).toBe(false);
  await expect(write).rejects.toMatchObject({ code: 'ABORT_ERR' });
  reading.release();
});

test('losing a select leaves the lock free', async () => {
  const lock = new RwLock();
  await select({ first: all([]), write: lock.write() }, { biased: true });
  await select({ first: all([]), read: lock.read() }, { biased: true });
  expect(lock.tryWrite()?.released).toBe(false);
});

test('a writer can turn into a reader, and no other writer gets in between', async () => {
  const lock = new RwLock(1);
  const writer = await lock.write();
  const other = lock.write();
  writer.value = 2;
  const reader = writer.downgrade();
  await turnsPass(3);
  expect([reader.value, other.state]).toEqual([2, 0]);
  expect(() => writer.value).toThrow(released);
  expect(() => writer.downgrade()).toThrow(released);
  reader.release();
  (await other).release();
  expect(() => reader.value).toThrow(released);
  expect(() => reader.release()).toThrow(released);
});

describe('under random schedules', () => {
  test('readers or one writer, never both, and nobody keeps the lock', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), async (plan) => {
        const lock = new RwLock(0);
        let readers = 0;
        let writers = 0;
        let writes = 0;
        const check = (): void => {
          expect(writers).toBeLessThanOrEqual(1);
          if (writers === 1) expect(readers).toBe(0);
        };
        await perform(plan, function* (actor, step) {
          if (step.choice % 2 === 0) {
            const outcome = yield* actor.wait(step, (options) => lock.read(options));
            if (!outcome.won) return;
            try {
              readers++;
              check();
              for (let turn = 0; turn < step.choice % 3; turn++) yield undefined;
              expect(outcome.value.value).toBe(writes);
            } finally {
              readers--;
              outcome.value.release();
            }
            return;
          }
          const outcome = yield* actor.wait(step, (options) => lock.write(options));
          if (!outcome.won) return;
          let guard: WriteGuard<number> | ReadGuard<number> = outcome.value;
          let writing = true;
          try {
            writers++;
            check();
            outcome.value.value = ++writes;
            if (step.choice % 3 > 0) yield undefined;
            if (step.choice % 5 === 0) {
              writing = false;
              writers--;
              readers++;
              guard = outcome.value.downgrade();
              check();
              yield undefined;
              expect(guard.value).toBe(writes);
            }
          } finally {
            if (writing) writers--;
            else readers--;
            guard.release();
          }
        });
        expect(lock.tryWrite()?.value).toBe(writes);
      }),
      { numRuns: 400 },
    );
  });
});
