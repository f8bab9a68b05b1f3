// Seeded schedules: random programs on the fake, whose timers of the same time fire in any order and in several turns.
import { afterAll, describe, expect, test } from 'vitest';
import { dumpTasks, metrics } from '../../../lib/index.js';
import { installFake, NO_FAULTS, ROUGH, SeededRandom, withSeeds } from '../../../lib/internal/fake/index.js';
import { turn } from '../../turn.js';
import { type Life, model, type Node, ProgramMaker } from './program.js';
import { type Kind, Run } from './run.js';

const PROGRAMS = 300;
const fake = installFake({ seed: 1 });
// A task that fails while it is cancelled by a select is told as unhandled: here many do.
const ignore = (): void => {};
process.on('unhandledRejection', ignore);
afterAll(() => void process.off('unhandledRejection', ignore));

function programOf(seed: number): { root: Node; abortMs: number } {
  const random = new SeededRandom(seed);
  const root = new ProgramMaker(random).node(3);
  return { root, abortMs: random.chance(0.3) ? 1 + random.below(3_000_000) : Number.POSITIVE_INFINITY };
}

async function run(kind: Kind, seed: number, faults = ROUGH): Promise<Run> {
  fake.reseed(seed, faults);
  const { root, abortMs } = programOf(seed);
  const ran = new Run(kind);
  await ran.root(root, abortMs);
  await turn(2);
  expect(dumpTasks()).toEqual([]);
  expect(metrics().timersPending).toBe(0);
  expect([...ran.ends.keys()].sort()).toEqual([...ran.started].sort());
  return ran;
}

describe.each<Kind>(['fiber', 'async'])('random programs as %s tasks', (kind) => {
  test('every task ends once, in its scope, finally included, and at the time that the model says', async () => {
    let tasks = 0;
    await withSeeds(PROGRAMS, async (seed) => {
      const ran = await run(kind, seed);
      const { root, abortMs } = programOf(seed);
      const expected = new Map<number, Life>();
      model(root, 0, abortMs, expected);
      const times = new Set([...expected.values()].map((life) => life.endMs));
      for (const [id, ms] of ran.ends) {
        // What starts at the very time at which it is cancelled may or may not start.
        if (expected.has(id)) expect(ms, `task ${id}`).toBe(expected.get(id)?.endMs);
        else expect(times, `task ${id}`).toContain(ms);
      }
      for (const [id, life] of expected) {
        if (life.startMs < life.endMs) expect(ran.ends.has(id), `task ${id} has run`).toBe(true);
      }
      tasks += ran.ends.size;
    });
    expect(tasks).toBeGreaterThan(PROGRAMS);
  });

  test('equal seeds give equal traces', async () => {
    await withSeeds(PROGRAMS / 5, async (seed) => {
      const first = await run(kind, seed);
      const second = await run(kind, seed);
      expect(second.trace).toEqual(first.trace);
    });
  });
});

test('fibers and async functions end at the same times', async () => {
  await withSeeds(PROGRAMS / 3, async (seed) => {
    const fibers = await run('fiber', seed, NO_FAULTS);
    const functions = await run('async', seed, NO_FAULTS);
    for (const [id, ms] of fibers.ends) if (functions.ends.has(id)) expect(functions.ends.get(id)).toBe(ms);
  });
});
