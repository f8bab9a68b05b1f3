import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dumpTasks, JoinSet, sleep, spawn } from '../../lib/index.js';
import { pauseTime, resumeTime } from '../../lib/test/index.js';
import { turn } from '../turn.js';

beforeEach(() => pauseTime());
afterEach(() => {
  expect(dumpTasks()).toEqual([]);
  resumeTime();
});

describe('JoinSet', () => {
  test('gives the ends in the order in which they come, failures and cancellations included', async () => {
    const set = new JoinSet<string>();
    set.spawn(async () => {
      await sleep(30);
      return 'slow';
    });
    set.spawn(async () => {
      await sleep(20);
      throw new Error('failed');
    });
    const aborted = set.spawn(async () => {
      await sleep(1000);
      return 'never';
    });
    set.spawn(function* () {
      yield* sleep(10);
      return 'quick';
    });
    void spawn(async () => {
      await sleep(25);
      return aborted.abort();
    });
    const ends: unknown[] = [];
    for await (const end of set) ends.push(end.status === 'completed' ? end.value : end.status);
    expect(ends).toEqual(['quick', 'failed', 'cancelled', 'slow']);
    expect([set.length, await set.joinNext()]).toEqual([0, undefined]);
  });

  test('a joinNext that loses its wait loses no end', async () => {
    const set = new JoinSet<number>();
    let release!: (value: number) => void;
    set.spawn(() => new Promise<number>((resolve) => (release = resolve)));
    const waiting = set.joinNext();
    const cancelled = spawn(async () => await waiting);
    await turn();
    cancelled.abort();
    await expect(cancelled).rejects.toThrow();
    set.spawn(() => 7);
    expect(await set.joinNext()).toMatchObject({ value: 7 });
    release(6);
    expect(await set.joinNext()).toMatchObject({ value: 6 });
  });

  test('an empty set with nobody to come: joinNext is undefined at once', async () => {
    expect(await new JoinSet().joinNext()).toBeUndefined();
  });

  test('two that wait both get an end', async () => {
    const set = new JoinSet<number>();
    set.spawn(async () => {
      await sleep(1);
      return 1;
    });
    set.spawn(async () => {
      await sleep(2);
      return 2;
    });
    const ends = await Promise.all([set.joinNext(), set.joinNext(), set.joinNext()]);
    expect(ends.map((end) => (end?.status === 'completed' ? end.value : end))).toEqual([1, 2, undefined]);
  });

  test('two that wait for the last task: one gets it, the other undefined (joinNext left waiting for ever)', async () => {
    const set = new JoinSet<number>();
    set.spawn(async () => {
      await sleep(1);
      return 1;
    });
    const ends = await Promise.all([set.joinNext(), set.joinNext()]);
    expect(ends.filter((end) => end === undefined).length).toBe(1);
  });

  test('shutdown aborts and waits for all; await using does the same', async () => {
    const ends: string[] = [];
    {
      await using set = new JoinSet();
      set.spawn(async () => {
        try {
          await sleep(1000);
        } finally {
          ends.push('ended');
        }
      });
      await sleep(1);
    }
    expect(ends).toEqual(['ended']);
  });

  test('a hundred thousand ends are taken in their order (taking them was quadratic)', async () => {
    const set = new JoinSet<number>();
    const TASKS = 100_000;
    for (let i = 0; i < TASKS; i++) set.spawn(() => i);
    while (set.size > 0) await sleep(1);
    let wrong = 0;
    for (let i = 0; i < TASKS; i++) {
      if (i % 1000 === 0) {
        // An end that was taken and given back is the next one again.
        const given = set.joinNext();
        given.cancel();
      }
      const end = await set.joinNext();
      if (end?.status !== 'completed' || end.value !== i || set.length !== TASKS - i - 1) wrong++;
    }
    expect([wrong, await set.joinNext()]).toEqual([0, undefined]);
  });

  test('a body that is refused leaves nothing behind', () => {
    const set = new JoinSet();
    expect(() => set.spawn(5 as never)).toThrow(/^body must be/);
    expect([...JoinSet.live()]).toEqual([]);
  });
});
