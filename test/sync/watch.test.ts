import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, select, spawn } from '../../lib/index.js';
import { type WatchReceiver, watch } from '../../lib/sync/index.js';
import { perform, plans, turnsPass } from './random-tasks.js';

const closed = expect.objectContaining({ code: 'ERR_MILLRACE_CHANNEL_CLOSED' });

test('observers are told that the value changed, and see the latest', async () => {
  const [setting, observer] = watch('a');
  expect([observer.borrow(), observer.hasChanged()]).toEqual(['a', false]);
  const seen = spawn(function* () {
    yield* observer.changed();
    return observer.borrow();
  });
  await turnsPass(2);
  setting.send('b');
  setting.send('c');
  expect(await seen).toBe('c');
});

test('a change that was not seen yet is told at once, once', async () => {
  const [setting, observer] = watch(0);
  setting.send(1);
  await observer.changed();
  const next = observer.changed();
  await turnsPass(2);
  expect(next.state).toBe(0);
  setting.send(1);
  await next;
});

test("what counts as seen is in the observer's hands", async () => {
  const [setting, observer] = watch(0);
  setting.send(1);
  expect([observer.borrow(), observer.hasChanged()]).toEqual([1, true]);
  expect([observer.borrowAndUpdate(), observer.hasChanged()]).toEqual([1, false]);
  observer.markChanged();
  const twin = observer.clone();
  await observer.changed();
  expect([observer.hasChanged(), twin.hasChanged()]).toEqual([false, true]);
  setting.send(2);
  observer.markUnchanged();
  expect([observer.hasChanged(), setting.subscribe().hasChanged(), setting.receivers]).toEqual([false, false, 3]);
});

test('a value can be made from the one before; where that fails nothing has changed', () => {
  const [setting, observer] = watch(1);
  setting.sendModify((value) => value + 1);
  expect(setting.sendReplace(5)).toBe(2);
  observer.markUnchanged();
  expect(() =>
    setting.sendModify(() => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect([setting.borrow(), observer.hasChanged()]).toEqual([5, false]);
});

test('losing a select, or being cancelled, does not count as having seen', async () => {
  const [setting, observer] = watch(0);
  setting.send(1);
  await select({ first: all([]), changed: observer.changed() }, { biased: true });
  expect(observer.hasChanged()).toBe(true);
  const untaken = observer.changed();
  const waiting = observer.changed();
  untaken.cancel();
  await waiting;
  expect(observer.hasChanged()).toBe(false);
});

test('what was seen meanwhile stays seen when an older change is given back', () => {
  const [setting, observer] = watch(0);
  setting.send(1);
  const untaken = observer.changed();
  setting.send(2);
  expect(observer.borrowAndUpdate()).toBe(2);
  untaken.cancel();
  expect(observer.hasChanged()).toBe(false);
});

test('waitFor ends when its condition holds', async () => {
  const [count, observer] = watch(0);
  const big = observer.waitFor((n) => n >= 3);
  for (let n = 1; n <= 4; n++) {
    count.send(n);
    await turnsPass(3);
  }
  expect(await big).toBe(3);
  expect(await observer.waitFor((n) => n === 4)).toBe(4);
  await expect(
    observer.waitFor(() => {
      throw new Error('bad condition');
    }),
  ).rejects.toThrow('bad condition');
});

test('when the sender closes, the last value is still told, then the end', async () => {
  const [setting, observer] = watch(0);
  const other = setting.subscribe();
  const waiting = other.changed();
  setting.send(1);
  await waiting;
  const hopeless = other.changed();
  setting.close();
  await expect(hopeless).rejects.toEqual(closed);
  await observer.changed();
  await expect(observer.changed()).rejects.toEqual(closed);
  await expect(observer.waitFor((n) => n > 5)).rejects.toEqual(closed);
  expect(() => setting.send(2)).toThrow(closed);
  expect(() => setting.sendModify((n) => n)).toThrow(closed);
  expect([observer.borrow(), observer.closed]).toEqual([1, true]);
});

test('a loop sees the present value, then the later ones, and ends with the sender', async () => {
  const [setting, observer] = watch('a');
  const seen = spawn(async () => {
    const values: string[] = [];
    for await (const value of observer) values.push(value);
    return values;
  });
  for (const value of ['b', 'c']) {
    await turnsPass(20);
    setting.send(value);
  }
  await turnsPass(20);
  setting.close();
  expect(await seen).toEqual(['a', 'b', 'c']);
});

test('what is no function names itself', () => {
  const [setting, observer] = watch(1);
  expect(() => setting.sendModify(2 as never)).toThrow(/modify must be a function; got 2/);
  expect(() => observer.waitFor(undefined as never)).toThrow(/condition must be a function/);
});

describe('under random schedules', () => {
  test('every observer sees the last value, or will be told of it', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), async (plan) => {
        const [setting, first] = watch(0);
        const observers = [first, setting.subscribe(), setting.subscribe()];
        const seen = [0, 0, 0];
        let last = 0;
        await perform(plan, function* (actor, step) {
          if (actor.index === 0 || actor.index > observers.length) {
            setting.send(++last);
            return;
          }
          const observer = observers[actor.index - 1] as WatchReceiver<number>;
          const outcome = yield* actor.wait(step, (options) => observer.changed(options));
          if (!outcome.won) return;
          const value = observer.borrow();
          expect(value).toBeGreaterThan(0);
          expect(value).toBeGreaterThanOrEqual(seen[actor.index - 1] as number);
          seen[actor.index - 1] = value;
        });
        observers.forEach((observer, i) => {
          if (seen[i] !== last) expect(observer.hasChanged()).toBe(true);
        });
      }),
      { numRuns: 400 },
    );
  });
});
