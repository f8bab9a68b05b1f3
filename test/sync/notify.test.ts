import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, select, spawn } from '../../lib/index.js';
import { Notify } from '../../lib/sync/index.js';
import { perform, plans, turnsPass } from './random-tasks.js';

test('one notification wakes the one that waited longest', async () => {
  const notify = new Notify();
  const woken: number[] = [];
  const tasks = [1, 2, 3].map((n) =>
    spawn(function* () {
      yield* notify.notified();
      woken.push(n);
    }),
  );
  await turnsPass(2);
  notify.notifyOne();
  await turnsPass(2);
  expect(woken).toEqual([1]);
  notify.notifyOne();
  notify.notifyOne();
  await all(tasks);
  expect(woken).toEqual([1, 2, 3]);
});

test('a notification that nobody waits for is kept, one and no more', async () => {
  const notify = new Notify();
  notify.notifyOne();
  notify.notifyOne();
  await notify.notified();
  const second = notify.notified();
  await turnsPass(2);
  expect(second.state).toBe(0);
  notify.notifyOne();
  await second;
});

test('notifyWaiters wakes all that wait and keeps nothing', async () => {
  const notify = new Notify();
  const waiting = [notify.notified(), notify.notified()];
  notify.notifyWaiters();
  await all(waiting);
  expect(notify.notified().state).toBe(0);
});

test('a wait counts from the call on, not from the await', async () => {
  const notify = new Notify();
  const notified = notify.notified();
  notify.notifyWaiters();
  await notified;
});

test('a notification for one that lost a select goes to the next; one for all does not', async () => {
  const notify = new Notify();
  notify.notifyOne();
  await select({ first: all([]), notified: notify.notified() }, { biased: true });
  const [one, two] = [notify.notified(), notify.notified()];
  await one;
  notify.notifyWaiters();
  two.cancel();
  expect(notify.notified().state).toBe(0);
});

test('a cancelled wait is not woken in the place of another', async () => {
  const notify = new Notify();
  const [first, second] = [notify.notified(), notify.notified()];
  first.cancel();
  notify.notifyOne();
  await second;
  await expect(first).rejects.toMatchObject({ code: 'ABORT_ERR' });
});

describe('under random schedules', () => {
  test('a queue of jobs made with it leaves no job undone while a worker waits', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), async (plan) => {
        const notify = new Notify();
        const jobs: number[] = [];
        let added = 0;
        let done = 0;
        function* faithful() {
          for (;;) {
            while (jobs.length === 0) yield* notify.notified();
            jobs.pop();
            done++;
          }
        }
        const worker = spawn(faithful());
        await perform(plan, function* (actor, step) {
          if (actor.index % 2 === 0) {
            added++;
            jobs.push(step.choice);
            notify.notifyOne();
            return;
          }
          while (jobs.length === 0) {
            if (!(yield* actor.wait(step, (options) => notify.notified(options))).won) return;
          }
          jobs.pop();
          done++;
        });
        await turnsPass(3);
        expect(jobs).toEqual([]);
        expect(done).toBe(added);
        worker.abort();
        await worker.catch(() => {});
      }),
      { numRuns: 400 },
    );
  });
});
