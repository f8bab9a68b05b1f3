import { afterEach, describe, expect, test } from 'vitest';
import {
  all,
  dumpTasks,
  JoinSet,
  metrics,
  scope,
  select,
  setTickHook,
  sleep,
  spawn,
  traceSpawns,
  wait,
  yieldNow,
} from '../../lib/index.js';
import { pauseTime, resumeTime } from '../../lib/test/index.js';
import { turn } from '../turn.js';

afterEach(() => {
  resumeTime();
  traceSpawns(false);
});

describe('dumpTasks', () => {
  test('shows each live task: id, name, kind, status, what it waits for, whether cancelled, and its group', async () => {
    pauseTime({ autoAdvance: false });
    const fiber = spawn(function* sleeper() {
      yield* sleep(1000);
    });
    const task = spawn(async () => await sleep(1000), { name: 'given' });
    const foreign = spawn(async () => await new Promise(() => {}), { name: 'foreign' });
    const set = new JoinSet();
    set.spawn(
      function* () {
        yield* wait(new Promise(() => {}));
      },
      { name: 'in a set' },
    );
    const scoped = scope(
      async (tasks) => {
        tasks.spawn(
          function* () {
            yield* fiber;
          },
          { name: 'joiner' },
        );
        await select({ arm: async () => await sleep(50), timer: sleep(5000) });
      },
      { name: 'outer' },
    );
    await turn();
    const queued = spawn(() => 1, { name: 'fresh' });
    const dump = dumpTasks().map(({ id: _, ...rest }) => rest);
    const base = { cancelled: false, spawnedAt: undefined };
    expect(dump).toEqual([
      { ...base, name: 'sleeper', kind: 'fiber', status: 'waiting', waitingFor: 'sleep', group: 'detached' },
      { ...base, name: 'given', kind: 'function', status: 'waiting', waitingFor: 'sleep', group: 'detached' },
      { ...base, name: 'foreign', kind: 'function', status: 'waiting', waitingFor: undefined, group: 'detached' },
      { ...base, name: 'in a set', kind: 'fiber', status: 'waiting', waitingFor: 'wait', group: 'join set' },
      { ...base, name: 'scope', kind: 'function', status: 'waiting', waitingFor: 'select', group: 'scope outer' },
      { ...base, name: 'joiner', kind: 'fiber', status: 'waiting', waitingFor: 'join', group: 'scope outer' },
      { ...base, name: 'arm', kind: 'function', status: 'waiting', waitingFor: 'sleep', group: 'operation' },
      { ...base, name: 'fresh', kind: 'function', status: 'queued', waitingFor: undefined, group: 'detached' },
    ]);
    expect(dumpTasks().map((each) => each.id)).toEqual([...dumpTasks().map((each) => each.id)].sort((a, b) => a - b));
    scoped.cancel();
    foreign.abort();
    expect(dumpTasks().find((each) => each.name === 'foreign')?.cancelled).toBe(true);
    fiber.abort();
    task.abort();
    set.abortAll();
    await Promise.allSettled([fiber, task, scoped, queued, set.joinNext()]);
    expect(dumpTasks().map((each) => each.name)).toEqual(['foreign']);
  });

  test('a fiber that yielded is queued, the one that looks is running', async () => {
    const seen: unknown[] = [];
    const waiting = spawn(function* waiting() {
      for (let i = 0; i < 3; i++) yield;
    });
    await spawn(function* looking() {
      seen.push(
        ...dumpTasks()
          .filter((each) => /ing$/.test(each.name))
          .map((each) => `${each.name} ${each.status}`),
      );
    });
    await waiting;
    expect(seen).toEqual(['waiting queued', 'looking running']);
  });

  test('tells where tasks were spawned while traceSpawns is on', async () => {
    traceSpawns(true);
    function theSpawner() {
      return spawn(async () => await sleep(1), { name: 'traced' });
    }
    const traced = theSpawner();
    traceSpawns(false);
    const plain = spawn(async () => await sleep(1), { name: 'plain' });
    const [first, second] = dumpTasks().filter((each) => each.name === 'traced' || each.name === 'plain');
    expect(first?.spawnedAt).toMatch(/theSpawner[\s\S]*observing\.test\.ts/);
    expect(first?.spawnedAt).not.toMatch(/spawnIn/);
    expect(second?.spawnedAt).toBeUndefined();
    await all([traced, plain]);
  });
});

describe('metrics', () => {
  test('count tasks, polls, ticks, events and timers', async () => {
    const before = metrics();
    const tasks = Array.from({ length: 10 }, () =>
      spawn(function* () {
        yield;
        yield* sleep(1);
      }),
    );
    expect(metrics().tasksSpawned - before.tasksSpawned).toBe(10);
    expect(metrics().tasksAlive - before.tasksAlive).toBe(10);
    expect(metrics().queueDepth).toBeGreaterThanOrEqual(10);
    await yieldNow();
    await yieldNow();
    expect(metrics().timersPending - before.timersPending).toBe(10);
    await all(tasks);
    const after = metrics();
    expect(after.polls - before.polls).toBeGreaterThanOrEqual(30);
    expect(after.events - before.events).toBe(10);
    expect(after.ticks).toBeGreaterThan(before.ticks);
    expect(after.busyMs).toBeGreaterThan(before.busyMs);
    expect([after.tasksAlive, after.timersPending, after.queueDepth]).toEqual([
      before.tasksAlive,
      before.timersPending,
      0,
    ]);
  });

  test('a hook must be a function or null', () => {
    expect(() => setTickHook(5 as never)).toThrow(TypeError);
    setTickHook(null);
  });
});
