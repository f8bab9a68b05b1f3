// The one idea, counted: one call into JavaScript a tick, and hardly any out of it, whatever the number of events.
import { expect, test } from 'vitest';
import { spawn } from '../../lib/index.js';
import { loadAddon } from '../../lib/internal/binding.js';
import { border } from '../../lib/internal/border.js';
import { Scene } from '../net/scene.js';

const SOCKETS = 64;
const ECHOES = 300;

/** The addon with a count of every call that JavaScript makes. */
function counted(): { calls: Record<string, number>; drains: () => number } {
  const addon = loadAddon();
  const calls: Record<string, number> = {};
  let drains = 0;
  const proxy: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(addon)) {
    const original = addon[name as keyof typeof addon] as (...given: unknown[]) => unknown;
    proxy[name] = (...given: unknown[]) => {
      calls[name] = (calls[name] ?? 0) + 1;
      if (name !== 'open') return original.apply(addon, given);
      const drain = given[1] as () => void;
      return original.call(addon, given[0], () => {
        drains++;
        drain();
      });
    };
  }
  border.install(proxy as unknown as typeof addon);
  return { calls, drains: () => drains };
}

const { calls, drains } = counted();
const scene = new Scene();

function total(): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}

test('an echo at load crosses the border once a tick, in one direction only', async () => {
  const listener = await scene.listen({ data: (socket, chunk) => void socket.write(chunk) });
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => scene.connect(listener.port)));
  const before = { ...border.open().counters(), outgoing: 0, drains: drains(), events: border.events };
  before.outgoing = total();
  await Promise.all(
    sockets.map((socket) =>
      spawn(function* () {
        for (let i = 0; i < ECHOES; i++) {
          yield* socket.write('x'.repeat(64));
          if ((yield* socket.read()) === null) throw new Error('the echo has ended');
        }
      }),
    ),
  );
  const outgoing = total() - before.outgoing;
  const after = border.open().counters();
  const ticks = drains() - before.drains;
  const events = border.events - before.events;
  expect(events).toBeGreaterThanOrEqual(2 * SOCKETS * ECHOES);
  // Every call into JavaScript is a tick, and no turn of the loop has two.
  expect((after.calls as number) - (before as unknown as Record<string, number>).calls).toBe(ticks);
  expect(ticks).toBeLessThanOrEqual(
    (after.loopTurns as number) - (before as unknown as Record<string, number>).loopTurns,
  );
  expect(events / ticks).toBeGreaterThan(8);
  expect(outgoing / ticks).toBeLessThan(0.1);
});

test('submissions that fill the ring are handed over by a call for each ring of them', async () => {
  const listener = await scene.listen({ data: () => {} });
  const socket = await scene.connect(listener.port);
  const before = calls.flush ?? 0;
  for (let i = 0; i < 20_000; i++) void socket.write('x');
  expect((calls.flush ?? 0) - before).toBe(Math.floor(20_000 / 4096));
  await socket.write('');
});
