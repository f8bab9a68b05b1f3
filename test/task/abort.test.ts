// biome-ignore-all lint/correctness/useYield: a fiber need not wait
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AbortError,
  all,
  type JoinHandle,
  now,
  race,
  scope,
  select,
  shield,
  sleep,
  spawn,
  type Task,
  timeout,
  wait,
  yieldNow,
} from '../../lib/index.js';
import { pauseTime, resumeTime } from '../../lib/test/index.js';
import { turn } from '../turn.js';

beforeEach(() => pauseTime());
afterEach(() => resumeTime());

describe.each(['fiber', 'async'] as const)('aborting a task (%s)', (kind) => {
  /** Sleeps a minute within try/finally. */
  function sleeper(log: string[]): JoinHandle<void> {
    return kind === 'fiber'
      ? spawn(function* () {
          try {
            log.push('start');
            yield* sleep(60_000);
            log.push('slept');
          } finally {
            log.push('finally');
          }
        })
      : spawn(async () => {
          try {
            log.push('start');
            await sleep(60_000);
            log.push('slept');
          } finally {
            log.push('finally');
          }
        });
  }

  test('before it starts: it never runs', async () => {
    const log: string[] = [];
    const task = sleeper(log);
    task.abort('changed my mind');
    await expect(task).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'changed my mind' });
    expect(log).toEqual([]);
    expect(task.status).toBe('cancelled');
  });

  test('while it waits: it is thrown there, at once', async () => {
    const log: string[] = [];
    const task = sleeper(log);
    await turn(0);
    await Promise.resolve();
    await Promise.resolve();
    const start = now();
    task.abort(new Error('reason'));
    await expect(task).rejects.toBeInstanceOf(AbortError);
    expect(log).toEqual(['start', 'finally']);
    expect(now()).toBe(start);
    expect(task.status).toBe('cancelled');
  });

  test('while it is runnable: it is thrown at its next wait', async () => {
    const log: string[] = [];
    const task =
      kind === 'fiber'
        ? spawn(function* () {
            yield* sleep(1);
            log.push('resumed');
            yield* sleep(1);
            log.push('unreachable');
          })
        : spawn(async () => {
            await sleep(1);
            log.push('resumed');
            await sleep(1);
            log.push('unreachable');
          });
    await spawn(function* () {
      yield* sleep(1);
      task.abort();
    });
    await expect(task).rejects.toBeInstanceOf(AbortError);
    expect(log.length).toBeLessThanOrEqual(1);
    expect(log).not.toContain('unreachable');
  });

  test('by itself: the next wait throws', async () => {
    const log: string[] = [];
    const task =
      kind === 'fiber'
        ? spawn(function* (self) {
            self.abort();
            log.push('on');
            yield* sleep(1);
            log.push('unreachable');
          })
        : spawn(async (self) => {
            self.abort();
            log.push('on');
            await sleep(1);
            log.push('unreachable');
          });
    await expect(task).rejects.toBeInstanceOf(AbortError);
    expect(log).toEqual(['on']);
  });

  test('in finally, later waits throw too; within shield they do not', async () => {
    const log: string[] = [];
    const task =
      kind === 'fiber'
        ? spawn(function* () {
            try {
              yield* sleep(1000);
            } finally {
              yield* shield(function* () {
                yield* sleep(10);
                log.push('said goodbye');
              });
              yield* sleep(10);
              log.push('unreachable');
            }
          })
        : spawn(async () => {
            try {
              await sleep(1000);
            } finally {
              await shield(async () => {
                await sleep(10);
                log.push('said goodbye');
              });
              await sleep(10);
              log.push('unreachable');
            }
          });
    await Promise.resolve();
    await Promise.resolve();
    const start = now();
    task.abort();
    await expect(task).rejects.toBeInstanceOf(AbortError);
    expect(log).toEqual(['said goodbye']);
    expect(now() - start).toBe(10);
  });

  test('caught: it stays cancelled, but its result counts', async () => {
    const task =
      kind === 'fiber'
        ? spawn(function* () {
            try {
              yield* sleep(1000);
            } catch {}
            try {
              yield* sleep(1000);
            } catch {}
            return 'result';
          })
        : spawn(async () => {
            try {
              await sleep(1000);
            } catch {}
            try {
              await sleep(1000);
            } catch {}
            return 'result';
          });
    await Promise.resolve();
    await Promise.resolve();
    const start = now();
    task.abort();
    expect(await task).toBe('result');
    expect([task.status, now() - start]).toEqual(['completed', 0]);
  });

  test('an error of its own while it is cancelled is a failure', async () => {
    const task =
      kind === 'fiber'
        ? spawn(function* () {
            try {
              yield* sleep(1000);
            } finally {
              // biome-ignore lint/correctness/noUnsafeFinally: what is tested
              throw new Error('cleaning up failed');
            }
          })
        : spawn(async () => {
            try {
              await sleep(1000);
            } finally {
              // biome-ignore lint/correctness/noUnsafeFinally: what is tested
              throw new Error('cleaning up failed');
            }
          });
    await Promise.resolve();
    await Promise.resolve();
    task.abort();
    await expect(task).rejects.toThrow('cleaning up failed');
    expect(task.status).toBe('failed');
  });

  test('twice, or after the end, does nothing', async () => {
    const task = sleeper([]);
    task.abort('first');
    task.abort('second');
    await expect(task).rejects.toMatchObject({ cause: 'first' });
    task.abort('third');
    await expect(task).rejects.toMatchObject({ cause: 'first' });
    const done = spawn(() => 1);
    expect(await done).toBe(1);
    done.abort();
    expect([await done, done.status]).toEqual([1, 'completed']);
  });

  test('that waits for another task: the other goes on', async () => {
    const other = spawn(async () => {
      await sleep(50);
      return 'other';
    });
    const task =
      kind === 'fiber'
        ? spawn(function* () {
            return yield* other;
          })
        : spawn(async () => await other);
    await turn(0);
    await Promise.resolve();
    await Promise.resolve();
    task.abort();
    await expect(task).rejects.toBeInstanceOf(AbortError);
    expect(await other).toBe('other');
  });

  test('that yields: it ends at the yield', async () => {
    let rounds = 0;
    const task =
      kind === 'fiber'
        ? spawn(function* () {
            for (;;) {
              rounds++;
              yield;
            }
          })
        : spawn(async () => {
            for (;;) {
              rounds++;
              await yieldNow();
            }
          });
    await spawn(function* () {
      for (let i = 0; i < 10; i++) yield;
    });
    task.abort();
    await expect(task).rejects.toBeInstanceOf(AbortError);
    expect(rounds).toBeGreaterThan(1);
  });

  test('that waits for a foreign promise through wait', async () => {
    const never = new Promise<void>(() => {});
    const task =
      kind === 'fiber'
        ? spawn(function* () {
            yield* wait(never);
          })
        : spawn(async () => await wait(never));
    await turn();
    task.abort();
    await expect(task).rejects.toBeInstanceOf(AbortError);
  });

  test('that waits for select, race, all, a timeout or a scope: what it waits for ends with it', async () => {
    for (const make of [
      (inner: () => PromiseLike<unknown>) => select({ a: inner, b: sleep(9000) }),
      (inner: () => PromiseLike<unknown>) => race([inner, sleep(9000)]),
      (inner: () => PromiseLike<unknown>) => all([inner, sleep(9000)]),
      (inner: () => PromiseLike<unknown>) => timeout(9000, inner),
      (inner: () => PromiseLike<unknown>) => scope(inner),
    ]) {
      const log: string[] = [];
      const inner = async (): Promise<void> => {
        try {
          await sleep(5000);
          log.push('unreachable');
        } finally {
          log.push('ended');
        }
      };
      const task =
        kind === 'fiber'
          ? spawn(function* () {
              yield* wait(make(inner));
            })
          : spawn(async () => void (await make(inner)));
      await turn(0);
      for (let i = 0; i < 5; i++) await Promise.resolve();
      const start = now();
      task.abort();
      await expect(task).rejects.toBeInstanceOf(AbortError);
      await turn();
      expect(log).toEqual(['ended']);
      expect(now()).toBe(start);
    }
  });

  test('task.signal aborts with it, and when it ends', async () => {
    let signal: AbortSignal | undefined;
    const body = (task: Task): void => {
      signal = task.signal;
    };
    const task =
      kind === 'fiber'
        ? spawn(function* (self) {
            body(self);
            yield* sleep(1000);
          })
        : spawn(async (self) => {
            body(self);
            await sleep(1000);
          });
    await Promise.resolve();
    await Promise.resolve();
    expect(signal?.aborted).toBe(false);
    task.abort('why');
    expect(signal?.reason).toMatchObject({ cause: 'why' });
    await expect(task).rejects.toThrow();

    const ending =
      kind === 'fiber'
        ? spawn(function* (self) {
            body(self);
          })
        : spawn(async (self) => body(self));
    await ending;
    expect(signal?.aborted).toBe(true);
  });
});
