// UDP over the real kernel, with the backend that MILLRACE_BACKEND names.
import { afterEach, describe, expect, test } from 'vitest';
import { counters, until } from '../scene.js';
import { conformance, UdpScene } from './conformance.js';

const scene = new UdpScene();
afterEach(async () => {
  await scene.end();
  await until(() => counters().datagramSocketsOpen === 0);
  expect(counters().faults, 'submissions that the addon refused').toBe(0);
});

describe('conformance', () => {
  for (const { name, body } of conformance) test(name, () => body(scene));
});
