// UDP over the fake: whatever order, delays and shortages a seed brings.
import { describe, expect, test } from 'vitest';
import { sleep } from '../../../lib/index.js';
import { installFake, ROUGH, withSeeds } from '../../../lib/internal/fake/index.js';
import { conformance, UdpScene } from './conformance.js';

const SEEDS = 12;
const fake = installFake({ seed: 1 });

describe('conformance over seeds', () => {
  for (const { name, body } of conformance) {
    test(name, () =>
      withSeeds(SEEDS, async (seed) => {
        fake.reseed(seed, ROUGH);
        const scene = new UdpScene();
        await body(scene);
        await scene.end();
        while (fake.counters().datagramSocketsOpen !== 0) await sleep(1);
        expect(fake.counters().faults).toBe(0);
      }),
    );
  }
});
