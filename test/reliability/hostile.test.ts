// Whatever JavaScript writes into the rings while sockets are at work is refused and counted; nothing crashes.
import { describe, expect, test } from 'vitest';
import { result } from '../net/program.js';

const seed = Number(process.env.MILLRACE_SEED ?? Math.floor(Math.random() * 2 ** 32));

describe(`hostile ring contents (MILLRACE_SEED=${seed})`, () => {
  test('records of nonsense amid an echo: refused, counted, and sockets that were not named go on', async () => {
    const outcome = await result('reliability/programs/hostile-records.mjs', { args: [String(seed), '3000'] });
    expect(outcome).toMatchObject({ echo: 'unharmed', victims: 'reset or closed' });
    expect(outcome.faults).toBeGreaterThan(100);
  });

  test('control words of nonsense: the process lives, and the library goes on when they make sense again', async () => {
    const outcome = await result('reliability/programs/hostile-control.mjs', { args: [String(seed), '400'] });
    expect(outcome).toMatchObject({ turns: 400, timers: 'fire' });
  });
});
