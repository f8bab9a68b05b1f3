// Connections come and go: memory and descriptors stay what they were. MILLRACE_CHURN=1000000 for the long run.
import { expect, test } from 'vitest';
import { result, sanitized } from '../net/program.js';

const CYCLES = Number(process.env.MILLRACE_CHURN ?? 20_000);
const LONG_MS = 30_000 + CYCLES;

test(
  `${CYCLES} connections one after the other, each with an echo, leave nothing behind`,
  async () => {
    const outcome = await result('reliability/programs/churn.mjs', { args: [String(CYCLES)] });
    expect(outcome).toMatchObject({ cycles: CYCLES, socketsOpen: 0, receiveBuffersInUse: 0, faults: 0 });
    expect(outcome.leakedDescriptors).toBe(0);
    if (sanitized) return;
    // Of each connection, in the round that left least: less than any object that belongs to one, and noise is below 10.
    expect(outcome.leftHeapBytes).toBeLessThan(64);
    expect(outcome.leftResidentBytes).toBeLessThan(1536);
  },
  LONG_MS,
);

test(
  'a storm of resets, from either side and at any moment, leaves nothing behind',
  async () => {
    const outcome = await result('reliability/programs/resets.mjs', { args: ['3000'] });
    expect(outcome).toMatchObject({
      connections: 3000,
      socketsOpen: 0,
      receiveBuffersInUse: 0,
      faults: 0,
      echo: 'alive',
    });
    expect(outcome.leakedDescriptors).toBe(0);
  },
  LONG_MS,
);
