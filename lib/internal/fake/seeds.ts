// Which seeds a test runs with, and how a failing one is told.

/** `MILLRACE_FAKE_SEED`; undefined where it is not set. */
export function seedAsked(): number | undefined {
  const asked = process.env.MILLRACE_FAKE_SEED;
  if (asked === undefined || asked === '') return undefined;
  const seed = Number(asked);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new RangeError(`MILLRACE_FAKE_SEED must be an integer from 0 to 4294967295; got ${JSON.stringify(asked)}`);
  }
  return seed;
}

export function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/**
 * Calls `run` with `count` seeds, one after the other: fixed ones first, so that a bug once found stays found, then new
 * ones. With MILLRACE_FAKE_SEED only with that one. A failure names its seed.
 */
export async function withSeeds(count: number, run: (seed: number) => Promise<void> | void): Promise<void> {
  const asked = seedAsked();
  const fixed = Math.ceil(count / 2);
  for (let i = 0; i < (asked === undefined ? count : 1); i++) {
    const seed = asked ?? (i < fixed ? i : newSeed());
    try {
      await run(seed);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`seed ${seed} fails (MILLRACE_FAKE_SEED=${seed} runs it alone): ${message}`, { cause: error });
    }
  }
}
