// The table over the fake: once without any trouble, then whatever order, delays, splits and shortages a seed brings.
import { describe, expect, test } from 'vitest';
import { sleep } from '../../../lib/index.js';
import { installFake, NO_FAULTS, ROUGH, withSeeds } from '../../../lib/internal/fake/index.js';
import { runCell } from './cell.js';
import { waiting } from './ends.js';
import { cellsOf } from './table.js';

const SEEDS = 2;
const fake = installFake({ seed: 1, windowBytes: 40_000 });
waiting.pause = () => sleep(1);

for (const transport of ['tcp', 'unix'] as const) {
  for (const face of ['stream', 'handlers'] as const) {
    describe(`${transport}, ${face}`, () => {
      for (const { name, outcome, ...cell } of cellsOf('fake', transport, face)) {
        test(name, async () => {
          fake.reseed(1, NO_FAULTS);
          expect(await runCell(cell, fake)).toBe(outcome);
          await withSeeds(SEEDS, async (seed) => {
            fake.reseed(seed, ROUGH);
            expect(await runCell(cell, fake)).toBe(outcome);
          });
        });
      }
    });
  }
}
