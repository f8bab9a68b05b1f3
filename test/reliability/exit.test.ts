// Processes and threads that end in the middle of it.
import { describe, expect, test } from 'vitest';
import { result, run, sanitized } from '../net/program.js';

const WORKERS = sanitized ? 30 : 100;

describe('process.exit amid I/O', () => {
  test.each(['handler', 'task', 'timer', 'uncaught'])('from a %s ends with its code', async (where) => {
    const { code, signal, output, errors } = await run('reliability/programs/exit-amid.mjs', { args: [where] });
    expect({ code, signal, output }).toEqual({ code: where === 'uncaught' ? 1 : 7, signal: null, output: 'busy\n' });
    expect(errors.includes('amid I/O')).toBe(where === 'uncaught');
  });
});

test(`${WORKERS} workers that echo are terminated amid I/O, and this thread goes on`, async () => {
  const outcome = await result('reliability/programs/terminate-workers.mjs', { args: [String(WORKERS)] });
  expect(outcome).toMatchObject({ terminated: WORKERS, echo: 'alive' });
  expect(outcome.leakedDescriptors).toBeLessThanOrEqual(4);
}, 120_000);

test('workers that end by themselves have closed everything', async () => {
  const outcome = await result('reliability/programs/terminate-workers.mjs', { args: ['10', 'natural'] });
  expect(outcome).toMatchObject({ terminated: 10, echo: 'alive' });
  expect(outcome.leakedDescriptors).toBeLessThanOrEqual(4);
}, 60_000);
