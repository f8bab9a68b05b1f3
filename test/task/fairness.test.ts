// Nobody who is always ready may hold up a timer: bounds counted in polls and ticks, which do not depend on the machine.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  all,
  type Fiber,
  JoinSet,
  metrics,
  type Operation,
  setTickHook,
  sleep,
  spawn,
  type TickMetrics,
  yieldNow,
} from '../../lib/index.js';
import { Ready } from '../../lib/internal/operation.js';
import { COOP_BUDGET, POLLS_PER_TICK, SLICE_MS, scheduler } from '../../lib/internal/scheduler.js';
import { pauseTime, resumeTime } from '../../lib/test/index.js';

// The slice of 1 ms may end a tick's polls earlier, never later: it is off, so that the bound is reached exactly.
beforeEach(() => {
  scheduler.sliceMs = Number.POSITIVE_INFINITY;
});
afterEach(() => {
  scheduler.sliceMs = SLICE_MS;
  setTickHook(null);
});

/** The most polls from the beginning of one tick to that of the next while `busy` runs and timers fire. */
async function pollsPerTick(
  busy: (stopped: () => boolean) => PromiseLike<unknown>,
): Promise<{ most: number; ticks: number }> {
  let stop = false;
  let most = 0;
  let ticks = 0;
  const running = busy(() => stop);
  await sleep(0);
  let before = scheduler.polls;
  const tick = vi.spyOn(scheduler, 'tick').mockImplementation(function (this: typeof scheduler) {
    if (ticks++ > 0) most = Math.max(most, scheduler.polls - before);
    before = scheduler.polls;
    Object.getPrototypeOf(this).tick.call(this);
  });
  for (let i = 0; i < 10; i++) await sleep(0);
  tick.mockRestore();
  stop = true;
  await running;
  return { most, ticks };
}

describe('a timer is not held up for more than a tick of polls', () => {
  test.each<[string, (stopped: () => boolean) => PromiseLike<unknown>]>([
    [
      'a fiber that yields',
      (stopped) =>
        spawn(function* () {
          while (!stopped()) yield;
        }),
    ],
    [
      'a fiber that yields through yieldNow',
      (stopped) =>
        spawn(function* () {
          while (!stopped()) yield* yieldNow();
        }),
    ],
    [
      'an async task that yields',
      (stopped) =>
        spawn(async () => {
          while (!stopped()) await yieldNow();
        }),
    ],
    [
      'a fiber whose operations are always ready',
      (stopped) =>
        spawn(function* () {
          while (!stopped()) yield* new Ready(1);
        }),
    ],
    [
      'a fiber that joins tasks that have ended',
      (stopped) =>
        spawn(function* () {
          const done = spawn(() => 1);
          while (!stopped()) yield* done;
        }),
    ],
    [
      'two fibers that wake each other',
      (stopped) =>
        spawn(function* () {
          const set = new JoinSet();
          while (!stopped()) {
            set.spawn(() => 1);
            yield* set.joinNext();
          }
        }),
    ],
    [
      'tasks that spawn tasks',
      (stopped) => {
        function* chain(): Fiber<void> {
          if (!stopped()) yield* spawn(chain());
        }
        return spawn(chain());
      },
    ],
    [
      'a thousand fibers that yield',
      (stopped) =>
        all(
          Array.from({ length: 1000 }, () =>
            spawn(function* () {
              while (!stopped()) yield;
            }),
          ),
        ),
    ],
    [
      'a thousand async tasks that yield',
      (stopped) =>
        all(
          Array.from({ length: 1000 }, () =>
            spawn(async () => {
              while (!stopped()) await yieldNow();
            }),
          ),
        ),
    ],
  ])('%s', async (_, busy) => {
    const { most, ticks } = await pollsPerTick(busy);
    expect(ticks).toBeGreaterThanOrEqual(10);
    // What a tick runs, and what microtasks run until the next one, come from one budget. A round of yielding async tasks
    // counts as that many polls and is never cut in two.
    expect(most).toBeLessThan(POLLS_PER_TICK + 256);
  });

  test('an async task whose operations are always ready', async () => {
    let stop = false;
    const busy = spawn(async () => {
      while (!stop) await (new Ready(1) as Operation<number>);
    });
    for (let i = 0; i < 5; i++) await sleep(0);
    stop = true;
    await busy;
  });
});

test('a round of yielding async tasks costs as many polls as it has tasks', async () => {
  let stop = false;
  let resumed = 0;
  let most = 0;
  const busy = Array.from({ length: 1000 }, () =>
    spawn(async () => {
      while (!stop) {
        await yieldNow();
        resumed++;
      }
    }),
  );
  await sleep(0);
  setTickHook(() => {
    most = Math.max(most, resumed);
    resumed = 0;
  });
  for (let i = 0; i < 10; i++) await sleep(0);
  stop = true;
  await all(busy);
  // From the end of one drain to the end of the next: at most the budgets of two.
  expect(most).toBeLessThanOrEqual(2 * (POLLS_PER_TICK + 256));
});

test('under virtual time a tick has its polls however long they take', async () => {
  scheduler.sliceMs = SLICE_MS;
  pauseTime({ autoAdvance: false });
  const before = scheduler.polls;
  let polls = 0;
  const busy = spawn(function* () {
    for (; polls < POLLS_PER_TICK - 10; polls++) {
      const until = performance.now() + 0.02;
      while (performance.now() < until);
      yield;
    }
  });
  const { ticks } = metrics();
  scheduler.credit = POLLS_PER_TICK;
  await busy;
  resumeTime();
  expect(metrics().ticks - ticks).toBeLessThanOrEqual(1);
  expect(scheduler.polls - before).toBeGreaterThan(polls - 1);
});

test('ready operations send a fiber to the back of the queue after COOP_BUDGET of them', async () => {
  let others = 0;
  let most = 0;
  const ready = new Ready(1);
  const busy = spawn(function* () {
    let seen = 0;
    let since = 0;
    for (let i = 0; i < COOP_BUDGET * 10; i++) {
      yield* ready;
      since++;
      if (others !== seen) {
        most = Math.max(most, since);
        since = 0;
        seen = others;
      }
    }
  });
  const other = spawn(function* () {
    while (!busy.finished) {
      others++;
      yield;
    }
  });
  const before = metrics().forcedYields;
  await busy;
  await other;
  expect(metrics().forcedYields - before).toBeGreaterThanOrEqual(9);
  expect(most).toBeLessThanOrEqual(COOP_BUDGET + 1);
});

test('the slice of time ends a tick early: expensive polls do not hold up timers', async () => {
  scheduler.sliceMs = SLICE_MS;
  let stop = false;
  let polls = 0;
  const busy = spawn(function* () {
    while (!stop) {
      const until = performance.now() + 0.1;
      while (performance.now() < until);
      polls++;
      yield;
    }
  });
  await sleep(0);
  const before = polls;
  await sleep(0);
  // Read the clock every 64 polls: two slices of them at most, not a tick's 1024.
  expect(polls - before).toBeLessThanOrEqual(3 * 64);
  stop = true;
  await busy;
});

describe('one call into JavaScript a tick', () => {
  test('a thousand timers of one tick are one call', async () => {
    const ticks: TickMetrics[] = [];
    const { border } = await import('../../lib/internal/border.js');
    const calls = (): number => border.open().counters().calls as number;
    await sleep(1);
    const before = [calls(), metrics().ticks];
    setTickHook((tick) => ticks.push(tick));
    await Promise.all(Array.from({ length: 1000 }, () => sleep(2)));
    setTickHook(null);
    expect(calls() - (before[0] as number)).toBe(metrics().ticks - (before[1] as number));
    expect(ticks.reduce((sum, tick) => sum + tick.events, 0)).toBe(1000);
    expect(ticks.length).toBeLessThan(50);
  });
});
