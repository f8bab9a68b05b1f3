// biome-ignore-all lint/correctness/useYield: a fiber need not wait
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AbortError, CancelToken, now, select, shield, sleep, spawn, TimeoutError, timeout } from '../../lib/index.js';
import { pauseTime, resumeTime } from '../../lib/test/index.js';
import { turn } from '../turn.js';

beforeEach(() => pauseTime());
afterEach(() => resumeTime());

test('an async task with several operations: abort cancels them all', async () => {
  const ends: string[] = [];
  const task = spawn(async () => {
    const results = await Promise.allSettled([sleep(1000), sleep(2000), sleep(3000)]);
    ends.push(...results.map((result) => result.status));
  });
  await Promise.resolve();
  await Promise.resolve();
  task.abort();
  await task;
  expect(ends).toEqual(['rejected', 'rejected', 'rejected']);
});

test('a plain function that returns an operation: abort cancels it (plain function left waiting)', async () => {
  const start = now();
  const task = spawn(() => sleep(5000));
  await Promise.resolve();
  await Promise.resolve();
  task.abort();
  await expect(task).rejects.toBeInstanceOf(AbortError);
  expect(now()).toBe(start);
});

test('two tasks that await one operation: aborting the first cancels it for both', async () => {
  const shared = sleep(1000);
  const first = spawn(async () => await shared);
  const second = spawn(async () => await shared);
  await turn(0);
  for (let i = 0; i < 3; i++) await Promise.resolve();
  second.abort();
  await expect(second).rejects.toBeInstanceOf(AbortError);
  await expect(first).rejects.toBeInstanceOf(AbortError);
});

test('aborting with a TimeoutError or an AbortError keeps that very error', async () => {
  const reason = new TimeoutError('too long');
  const task = spawn(function* () {
    yield* sleep(1000);
  });
  await turn(0);
  await Promise.resolve();
  await Promise.resolve();
  task.abort(reason);
  await expect(task).rejects.toBe(reason);
});

test('shield at the start of a cancelled task never runs what was never started', async () => {
  let ran = false;
  const task = spawn(async () => {
    await shield(() => {
      ran = true;
    });
  });
  task.abort();
  await expect(task).rejects.toBeInstanceOf(AbortError);
  expect(ran).toBe(false);
});

test('a shielded part that loses a select or is cancelled itself goes on to its end', async () => {
  const log: string[] = [];
  const part = () =>
    shield(async () => {
      await sleep(100);
      log.push('finished');
    });
  expect((await select({ part: part(), timer: sleep(10) })).key).toBe('timer');
  part().cancel();
  await sleep(200);
  expect(log).toEqual(['finished', 'finished']);
});

test('a shielded part finishes, then the cancellation takes effect', async () => {
  const log: string[] = [];
  const task = spawn(function* () {
    yield* shield(async () => {
      await sleep(100);
      log.push('finished');
    });
    log.push('after');
    yield* sleep(1);
    log.push('unreachable');
  });
  await turn(0);
  for (let i = 0; i < 5; i++) await Promise.resolve();
  task.abort();
  await expect(task).rejects.toBeInstanceOf(AbortError);
  expect(log).toEqual(['finished', 'after']);
});

test('a token given to several operations', async () => {
  const token = new CancelToken();
  const operations = [
    sleep(1000, { signal: token }),
    sleep(2000, { signal: token }),
    timeout(5000, sleep(3000), { signal: token }),
  ];
  token.cancel('stop');
  const ends = await Promise.allSettled(operations);
  expect(ends.map((end) => end.status)).toEqual(['rejected', 'rejected', 'rejected']);
});

test.each([
  ['began to wait first', 0],
  ['began to wait last', 1],
])('a task that ends leaves others what they wait for too (theirs was cancelled): it %s', async (_, at) => {
  const ready = sleep(30);
  const patient = async (): Promise<string> => {
    await ready;
    return 'ready';
  };
  const leaving = async (): Promise<string> => {
    await Promise.race([ready, sleep(1)]);
    return 'left';
  };
  const bodies = [patient, patient];
  bodies.splice(at, 0, leaving);
  const results = await Promise.all(bodies.map((body) => spawn(body)));
  expect(results).toEqual(bodies.map((body) => (body === leaving ? 'left' : 'ready')));
});
