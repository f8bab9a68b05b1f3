import { afterEach, describe, expect, test } from 'vitest';
import { all, now, sleep, spawn } from '../../lib/index.js';
import { FakeAddon, installFake, ROUGH, SeededRandom, seedAsked, withSeeds } from '../../lib/internal/fake/index.js';
import { advance, pauseTime, resumeTime } from '../../lib/test/index.js';

const before = process.env.MILLRACE_FAKE_SEED;
afterEach(() => {
  if (before === undefined) delete process.env.MILLRACE_FAKE_SEED;
  else process.env.MILLRACE_FAKE_SEED = before;
});

describe('seeds', () => {
  test('equal ones give equal sequences, different ones do not', () => {
    const take = (seed: number): number[] =>
      Array.from(
        { length: 20 },
        (
          (random) => () =>
            random.below(1000)
        )(new SeededRandom(seed)),
      );
    expect(take(5)).toEqual(take(5));
    expect(take(5)).not.toEqual(take(6));
  });

  test('a failure names its seed and how to run it alone, and MILLRACE_FAKE_SEED does that', async () => {
    delete process.env.MILLRACE_FAKE_SEED;
    const run = (seed: number): void => {
      if (seed === 3) throw new Error('broken');
    };
    await expect(withSeeds(10, run)).rejects.toThrow('seed 3 fails (MILLRACE_FAKE_SEED=3 runs it alone): broken');
    process.env.MILLRACE_FAKE_SEED = '77';
    const seen: number[] = [];
    await withSeeds(10, (seed) => void seen.push(seed));
    expect(seen).toEqual([77]);
    expect(new FakeAddon().seed).toBe(77);
  });

  test.each(['x', '-1', '1.5', '4294967296'])('MILLRACE_FAKE_SEED=%s is refused', (value) => {
    process.env.MILLRACE_FAKE_SEED = value;
    expect(() => seedAsked()).toThrow(/MILLRACE_FAKE_SEED must be/);
  });
});

describe('the fake in the place of the addon', () => {
  test('time passes as fast as the work allows, and virtual time works as on the others', async () => {
    const fake = installFake({ seed: 1 });
    const start = now();
    await sleep(86_400_000);
    expect(now() - start).toBe(86_400_000);
    pauseTime({ autoAdvance: false });
    const from = now();
    const slept = spawn(async () => {
      await sleep(10);
      return now() - from;
    });
    await advance(9);
    expect(slept.finished).toBe(false);
    await advance(1);
    expect(await slept).toBe(10);
    resumeTime();
    expect(fake.info()).toMatchObject({ backend: 'fake', seed: 1 });
  });

  test('timers of the same time fire in an order that the seed decides', async () => {
    const order = async (seed: number): Promise<number[]> => {
      installFake({ seed, faults: ROUGH });
      const seen: number[] = [];
      await all(
        Array.from({ length: 20 }, (_, i) =>
          spawn(function* () {
            yield* sleep(5);
            seen.push(i);
          }),
        ),
      );
      return seen;
    };
    const first = await order(1);
    expect(await order(1)).toEqual(first);
    expect(await order(2)).not.toEqual(first);
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test('cannot be installed while timers are armed', async () => {
    installFake({ seed: 1 });
    const slept = sleep(5);
    expect(() => installFake()).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_INVALID_STATE' }));
    await slept;
  });
});
