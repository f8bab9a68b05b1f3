// The fake backend: for tests of what is built on the border.
import { installAddon } from '../install.js';
import { setRandom } from '../random.js';
import { FakeAddon } from './addon.js';
import type { FakeOptions } from './options.js';

export { FakeAddon } from './addon.js';
export { BROKEN, type FakeOptions, type Faults, NO_FAULTS, ROUGH, type Route, type Routes } from './options.js';
export { SeededRandom } from './random.js';
export { newSeed, seedAsked, withSeeds } from './seeds.js';

/** Puts a new fake in the place of the addon of this process; chance comes from its seed, time is virtual. */
export function installFake(options: FakeOptions = {}): FakeAddon {
  const fake = new FakeAddon(options);
  installAddon(fake);
  setRandom(() => fake.random.next());
  return fake;
}
