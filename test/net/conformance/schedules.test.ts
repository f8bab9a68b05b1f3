// Two ends over the fake, both doing anything at any moment, with rough and with broken networks. Whatever happens: each
// operation settles, `close` comes once and last, drains are those of crossings, every byte is received in order or told,
// and nothing is left.
import { expect, test } from 'vitest';
import { sleep } from '../../../lib/index.js';
import {
  BROKEN,
  type Faults,
  installFake,
  NO_FAULTS,
  ROUGH,
  SeededRandom,
  withSeeds,
} from '../../../lib/internal/fake/index.js';
import { counters } from '../scene.js';
import { expectNothingLeft } from './cell.js';
import { type End, type Ends, makeEnds, waiting, waitUntil } from './ends.js';

/** MILLRACE_SEEDS=20000 for a long run. */
const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 150);
const STEPS_MAX = 30;
const LIMITS_MS_MAX = 2000;
const STUCK_MS = 10_000;
/** Those that once failed: MILLRACE_FAKE_SEED runs any other alone. Say what it found. */
const KEPT: readonly [seed: number, found: string][] = [
  [2645, 'both ends close, neither reads any more: they wait for each other until a write timeout'],
];

const fake = installFake({ seed: 1, windowBytes: 40_000, receiveBuffers: 64 });
waiting.pause = () => sleep(1);

/** What one end may do. What throws is refused by a socket that is in no state for it. */
const deeds: Record<string, (end: End, random: SeededRandom) => unknown> = {
  write: (end, random) => end.wait(`write ${end.waits.length}`, () => end.write(sizeOf(random))),
  'write without waiting': (end, random) => void end.write(sizeOf(random)),
  read(end, random) {
    // One at a time: what they get is put together in the order in which they were made.
    if (end.face === 'handlers' || end.pending.some((name) => name.startsWith('read'))) return;
    const name = `read ${end.waits.length}`;
    if (random.chance(0.5)) end.wait(name, () => end.socket.read(1 + random.below(5000)));
    else end.wait(name, () => end.socket.readExact(random.below(5000)));
  },
  pause: (end) => end.socket.pause(),
  resume: (end) => end.socket.resume(),
  cancel: (end) => end.cancelWaiting(),
  'idle timeout': (end, random) => end.socket.setIdleTimeout(random.below(LIMITS_MS_MAX)),
  'write timeout': (end, random) => end.socket.setWriteTimeout(random.below(LIMITS_MS_MAX)),
  shutdown: (end) => end.socket.shutdown(),
  close: (end) => end.wait(`close ${end.waits.length}`, () => end.socket.close()),
  destroy: (end) => end.socket.destroy(),
};
/** Those that end something, and so are rare. */
const ENDING = ['shutdown', 'close', 'destroy', 'idle timeout', 'write timeout'];

function sizeOf(random: SeededRandom): number {
  if (random.chance(0.1)) return 1024 * 1024 + random.below(100_000);
  return random.below(random.chance(0.3) ? 60_000 : 100);
}

async function act({ us, peer }: Ends, random: SeededRandom): Promise<void> {
  const names = Object.keys(deeds);
  for (let step = random.below(STEPS_MAX); step > 0; step--) {
    const name = names[random.below(names.length)] as string;
    const end = random.chance(0.5) ? us : peer;
    if (ENDING.includes(name) && random.chance(0.8)) continue;
    if (end.written < 2 * 1024 * 1024 || !name.startsWith('write')) {
      try {
        deeds[name]?.(end, random);
      } catch (error) {
        expect((error as { code?: string }).code).toBeTypeOf('string');
      }
    }
    if (random.chance(0.5)) await sleep(random.below(3));
  }
}

async function finish(end: End): Promise<void> {
  // Two ends that both close, with more to send than the network holds, wait for each other: this is what ends that.
  end.socket.setIdleTimeout(0).setWriteTimeout(STUCK_MS).resume();
  end.socket.shutdown();
  const settles = (): boolean => end.pending.every((name) => !name.startsWith('read'));
  await waitUntil(settles, () => `${end.name} waits: ${end.pending}`);
  if (end.face === 'handlers') return;
  void end.readToEnd().then((how) => {
    end.end = how;
  });
  await waitUntil(
    () => end.end !== '',
    () => `${end.name} still reads: ${end.events}`,
  );
}

async function run(seed: number, faults: Faults): Promise<void> {
  fake.reseed(seed, NO_FAULTS);
  const before = counters();
  const random = new SeededRandom(seed);
  const ends = await makeEnds(random.chance(0.7) ? 'tcp' : 'unix', random.chance(0.5) ? 'stream' : 'handlers');
  fake.network.faults = { ...faults, refuse: 0, outOfDescriptors: 0 };
  const { us, peer } = ends;
  await act(ends, random);
  const whole = [us, peer].every(({ socket }) => socket.open);
  await Promise.all([finish(us), finish(peer)]);
  await waitUntil(
    () => [us, peer].every((end) => end.settled && end.socket.closed),
    () => `we: ${us.pending}, ${us.events}; the peer: ${peer.pending}, ${peer.events}`,
  );
  for (const [writer, reader] of [
    [us, peer],
    [peer, us],
  ] as const) {
    writer.check();
    const gone = writer.written - writer.lost - reader.received;
    expect(gone, `bytes of ${writer.name} that were neither sent nor told as lost`).toBeGreaterThanOrEqual(0);
    // Where things break, the error of a socket that is closing already is told by its lost bytes alone.
    if (faults !== BROKEN && whole && us.socket.error === null && peer.socket.error === null) {
      expect({ gone, lost: writer.lost }, writer.name).toEqual({ gone: 0, lost: 0 });
    }
  }
  await expectNothingLeft(before);
}

test('whatever both ends do, on a rough network', async () => {
  for (const [seed] of KEPT) await run(seed, ROUGH);
  await withSeeds(SEEDS, (seed) => run(seed, ROUGH));
});

test('whatever both ends do, while things break', async () => {
  for (const [seed] of KEPT) await run(seed, BROKEN);
  await withSeeds(SEEDS, (seed) => run(seed, BROKEN));
});
