import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, select, spawn, timeout } from '../../lib/index.js';
import { type BroadcastReceiver, broadcast, CLOSED, EMPTY, LaggedError } from '../../lib/sync/index.js';
import { perform, plans, turnsPass } from './random-tasks.js';

test('every receiver gets every message since it was made', async () => {
  const [news, first] = broadcast<string>(8);
  expect(news.send('a')).toBe(1);
  const second = news.subscribe();
  expect(news.send('b')).toBe(2);
  news.close();
  const heard = async (receiver: BroadcastReceiver<string>) => {
    const all: string[] = [];
    for await (const message of receiver) all.push(message);
    return all;
  };
  expect([await heard(first), await heard(second)]).toEqual([['a', 'b'], ['b']]);
});

test('those who wait are woken by one send, all of them', async () => {
  const [news, first] = broadcast<number>(1);
  const receivers = [first, news.subscribe(), news.subscribe()];
  const heard = receivers.map((receiver) =>
    spawn(function* () {
      return [yield* receiver.recv(), yield* receiver.recv()];
    }),
  );
  await turnsPass(2);
  news.send(1);
  await turnsPass(2);
  news.send(2);
  expect(await all(heard)).toEqual([
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
});

test('several tasks that wait at one receiver get one message each, in turn', async () => {
  const [news, reader] = broadcast<number>(4);
  const waiting = [reader.recv(), reader.recv(), reader.recv()];
  for (const n of [1, 2, 3]) news.send(n);
  expect(await Promise.all(waiting)).toEqual([1, 2, 3]);
});

test('a receiver whose wait was cancelled waits again like any other', async () => {
  const [news, first] = broadcast<number>(4);
  const second = news.subscribe();
  const cancelled = first.recv();
  cancelled.cancel();
  await expect(cancelled).rejects.toMatchObject({ code: 'ABORT_ERR' });
  const waiting = [first.recv(), second.recv(), first.recv(), second.recv()];
  for (const n of [1, 2]) news.send(n);
  await turnsPass(2);
  expect(waiting.map((wait) => wait.value)).toEqual([1, 1, 2, 2]);
});

test('one that is too slow is told how many messages it missed, and goes on with the oldest left', async () => {
  const [news, reader] = broadcast<number>(3);
  for (let n = 0; n < 10; n++) news.send(n);
  expect(reader.length).toBe(3);
  const error = await reader.recv().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LaggedError);
  expect(error).toMatchObject({ code: 'ERR_MILLRACE_CHANNEL_LAGGED', missed: 7 });
  expect([await reader.recv(), await reader.recv(), reader.tryRecv(), reader.tryRecv()]).toEqual([7, 8, 9, EMPTY]);
  for (let n = 0; n < 4; n++) news.send(n);
  expect(() => reader.tryRecv()).toThrow(expect.objectContaining({ missed: 1 }));
});

test('the news of missed messages is not lost with a select either', async () => {
  const [news, reader] = broadcast<number>(1);
  for (const n of [1, 2, 3]) news.send(n);
  await select({ first: all([]), it: reader.recv() }, { biased: true });
  news.send(4);
  await select({ first: all([]), it: select({ it: timeout(1000, reader.recv()) }) }, { biased: true });
  await expect(reader.recv()).rejects.toMatchObject({ missed: 3 });
  expect(await reader.recv()).toBe(4);
});

test('a message that lost a select comes first again, however many came since', async () => {
  const [news, reader] = broadcast<number>(2);
  news.send(1);
  const untaken = reader.recv();
  for (const n of [2, 3, 4]) news.send(n);
  untaken.cancel();
  expect(await reader.recv()).toBe(1);
  await expect(reader.recv()).rejects.toMatchObject({ missed: 1 });
  expect([await reader.recv(), await reader.recv()]).toEqual([3, 4]);
});

test('what everybody has had is let go, and so is what a closed receiver has not had', async () => {
  const [news, reader] = broadcast<object>(4);
  const slow = news.subscribe();
  const heardByOne = (): WeakRef<object> => {
    news.send({ large: true });
    return new WeakRef(reader.tryRecv() as object);
  };
  const reference = heardByOne();
  slow.close();
  expect(news.receivers).toBe(1);
  await collected(reference);
  expect(reader.tryRecv()).toBe(EMPTY);
});

async function collected(reference: WeakRef<object>): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 50 && reference.deref() !== undefined; i++) {
    await new Promise(setImmediate);
    collect();
  }
  expect(reference.deref()).toBe(undefined);
}

test("closing: the sender's lets receivers finish, a receiver's ends it at once", async () => {
  const [news, reader] = broadcast<number>(2);
  const other = news.subscribe();
  const waiting = other.recv();
  other.close();
  expect(await waiting).toBe(CLOSED);
  expect(other.tryRecv()).toBe(CLOSED);
  expect(news.send(1)).toBe(1);
  const next = [reader.recv(), reader.recv()];
  news.close();
  expect(await Promise.all(next)).toEqual([1, CLOSED]);
  expect(() => news.send(2)).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_CHANNEL_CLOSED' }));
});

test('without receivers a message goes nowhere, which is told', () => {
  const [news, reader] = broadcast<number>(2);
  reader.close();
  expect(news.send(1)).toBe(0);
  expect(news.subscribe().tryRecv()).toBe(EMPTY);
});

test('a wrong capacity names itself', () => {
  expect(() => broadcast(0)).toThrow(/capacity must be an integer from 1 to 16777215; got 0/);
});

describe('under random schedules', () => {
  test('each receiver sees every message in order, or is told how many it missed', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), fc.integer({ min: 1, max: 4 }), async (plan, capacity) => {
        const [news, first] = broadcast<number>(capacity);
        const receivers = [first, news.subscribe(), news.subscribe()];
        const heard = receivers.map(() => ({ messages: [] as number[], missed: 0 }));
        let sent = 0;
        await perform(plan, function* (actor, step) {
          if (actor.index === 0 || actor.index > receivers.length) {
            for (let i = 0; i < 1 + (step.choice % 3); i++) news.send(sent++);
            return;
          }
          const mine = heard[actor.index - 1] as (typeof heard)[number];
          const receiver = receivers[actor.index - 1] as BroadcastReceiver<number>;
          try {
            const outcome = yield* actor.wait(step, (options) => receiver.recv(options));
            if (outcome.won) mine.messages.push(outcome.value as number);
          } catch (error) {
            if (!(error instanceof LaggedError)) throw error;
            mine.missed += error.missed;
          }
        });
        receivers.forEach((receiver, i) => {
          const mine = heard[i] as (typeof heard)[number];
          for (;;) {
            try {
              const message = receiver.tryRecv();
              if (typeof message !== 'number') break;
              mine.messages.push(message);
            } catch (error) {
              mine.missed += (error as LaggedError).missed;
            }
          }
          expect(mine.messages.length + mine.missed).toBe(sent);
          expect(mine.messages).toEqual([...new Set(mine.messages)].sort((a, b) => a - b));
        });
      }),
      { numRuns: 400 },
    );
  });

  test('several tasks at one receiver share its messages, none is lost or had twice', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), async (plan) => {
        const [news, reader] = broadcast<number>(1000);
        const heard: number[] = [];
        let sent = 0;
        await perform(plan, function* (actor, step) {
          if (actor.index % 2 === 0) {
            news.send(sent++);
            return;
          }
          const outcome = yield* actor.wait(step, (options) => reader.recv(options));
          if (outcome.won) heard.push(outcome.value as number);
        });
        for (let n = reader.tryRecv(); typeof n === 'number'; n = reader.tryRecv()) heard.push(n);
        expect(heard.sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, n) => n));
      }),
      { numRuns: 300 },
    );
  });
});
