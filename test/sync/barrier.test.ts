import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, type Operation, spawn } from '../../lib/index.js';
import { Barrier, type BarrierResult } from '../../lib/sync/index.js';
import { perform, plans, turnsPass } from './random-tasks.js';

test('nobody goes on before all are there, and one of them is the leader', async () => {
  const barrier = new Barrier(3);
  let passed = 0;
  function* player() {
    const result = yield* barrier.wait();
    passed++;
    return result.isLeader;
  }
  const early = [spawn(player()), spawn(player())];
  await turnsPass(5);
  expect([passed, barrier.waiting]).toEqual([0, 2]);
  expect(await all([...early, spawn(player())])).toEqual([false, false, true]);
});

test('it serves round after round', async () => {
  const barrier = new Barrier(2);
  const rounds = async () => {
    const seen: number[] = [];
    for (let i = 0; i < 5; i++) seen.push((await barrier.wait()).round);
    return seen;
  };
  expect(await all([spawn(rounds), spawn(rounds)])).toEqual([
    [0, 1, 2, 3, 4],
    [0, 1, 2, 3, 4],
  ]);
});

test('one that was cancelled does not count', async () => {
  const barrier = new Barrier(2);
  const cancelled = barrier.wait();
  cancelled.cancel();
  await expect(cancelled).rejects.toMatchObject({ code: 'ABORT_ERR' });
  const waiting = barrier.wait();
  await turnsPass(2);
  expect([waiting.state, barrier.waiting]).toEqual([0, 1]);
  expect((await barrier.wait()).isLeader).toBe(true);
  expect(await waiting).toEqual({ isLeader: false, round: 0 });
});

test('an aborted task does not arrive', async () => {
  const barrier = new Barrier(1);
  const task = spawn(function* (self) {
    self.abort();
    yield* barrier.wait();
  });
  await expect(task).rejects.toMatchObject({ code: 'ABORT_ERR' });
  expect((await barrier.wait()).round).toBe(0);
});

test('a wrong size names itself', () => {
  expect(() => new Barrier(0)).toThrow(/size must be an integer from 1 to 1073741823; got 0/);
  expect(() => new Barrier(undefined as never)).toThrow(TypeError);
});

describe('under random schedules', () => {
  test('each round has exactly its size of arrivals and one leader, and rounds follow each other', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), fc.integer({ min: 1, max: 4 }), async (plan, size) => {
        const barrier = new Barrier(size);
        const waits: Operation<BarrierResult>[] = [];
        await perform(plan, function* (actor, step) {
          const outcome = yield* actor.wait(step, (options) => {
            const operation = barrier.wait(options);
            waits.push(operation);
            return operation;
          });
          if (outcome.won) expect(outcome.value.round).toBeGreaterThanOrEqual(0);
        });
        const rounds: BarrierResult[][] = [];
        for (const wait of waits) {
          if (wait.state !== 1) continue;
          rounds[wait.value.round] ??= [];
          rounds[wait.value.round]?.push(wait.value);
        }
        for (const round of rounds) {
          expect(round.length).toBe(size);
          expect(round.filter((result) => result.isLeader).length).toBe(1);
        }
        expect(barrier.waiting).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
