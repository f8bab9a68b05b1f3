// What a listener or socket means for its process: who stays alive, and what it survives.
import { describe, expect, test } from 'vitest';
import { result, run } from './program.js';

describe('the end of the process', () => {
  test.each(['unref-listener', 'unref-socket', 'unref-then-ref-then-unref', 'closed', 'cancelled-accept'])(
    'is not held up: %s',
    async (what) => {
      const { code, output } = await run('net/programs/exit-by-itself.mjs', { args: [what] });
      expect({ code, output }).toEqual({ code: 0, output: 'end\n' });
    },
  );

  test('is held up by a listener, which serves until it is closed', async () => {
    expect(await result('net/programs/stays-alive.mjs')).toEqual({ served: 5 });
  });

  test('waits for what an unreferenced socket has still to send', async () => {
    expect(await result('net/programs/unsent-at-exit.mjs')).toEqual({ received: 8_000_000 });
  });
});

test('EMFILE at accept is told, survived, and over when descriptors come back', async () => {
  const outcome = await result('net/programs/out-of-descriptors.mjs', { descriptorsMax: 64 });
  expect(outcome).toMatchObject({ code: 'EMFILE', syscall: 'accept', servedBefore: true, servedAfter: true });
  expect(outcome.told).toBeGreaterThanOrEqual(1);
  // Once for each time that accepting stops working, not for each try.
  expect(outcome.told).toBeLessThanOrEqual(outcome.rounds as number);
});

test('EMFILE at connect and at listen is the error of the call', async () => {
  expect(await result('net/programs/no-descriptor-to-open.mjs', { descriptorsMax: 64 })).toEqual({
    connect: 'EMFILE connect',
    listen: 'EMFILE listen',
    afterwards: 'works',
  });
});

test('EMFILE at accept is a warning where nobody listens to errors', async () => {
  const { code, errors } = await run('net/programs/out-of-descriptors.mjs', { args: ['warn'], descriptorsMax: 64 });
  expect(code).toBe(0);
  expect(errors).toContain('[EMFILE] MillraceWarning');
});
