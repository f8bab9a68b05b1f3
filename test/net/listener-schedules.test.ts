// A listener over the fake, under any schedule of clients, pauses, limits and ways to close: no limit is exceeded, whoever
// was accepted is served or told, and nothing is left.
import { afterEach, expect, test } from 'vitest';
import { all, sleep, spawn } from '../../lib/index.js';
import { type Faults, installFake, NO_FAULTS, ROUGH, SeededRandom, withSeeds } from '../../lib/internal/fake/index.js';
import { armedTimers } from '../../lib/internal/timers.js';
import { connect, type Listener, type ListenOptions, listen, type Socket } from '../../lib/net/index.js';

const SEEDS = 60;
const fake = installFake({ seed: 1, descriptors: 200 });

afterEach(() => {
  expect(fake.counters()).toMatchObject({ faults: 0, socketsOpen: 0, timersArmed: 0 });
  expect(armedTimers()).toBe(0);
});

type Face = 'handlers' | 'accept' | 'for await';

interface Server {
  listener: Listener;
  opened(): number;
  most(): number;
}

async function serve(face: Face, maxConnections: number, random: SeededRandom): Promise<Server> {
  let opened = 0;
  let open = 0;
  let most = 0;
  const answer = async (socket: Socket): Promise<void> => {
    try {
      const request = await socket.readUntil(';', 100);
      if (random.chance(0.5)) await sleep(random.below(30));
      if (request !== null) await socket.write(request);
      await socket.close();
    } catch {
      socket.destroy();
    }
  };
  const options: ListenOptions = {
    port: 0,
    maxConnections,
    listenError() {},
    close: () => void open--,
  };
  const note = (): void => {
    opened++;
    most = Math.max(most, ++open);
  };
  if (face === 'handlers') {
    options.open = (socket) => {
      note();
      void spawn(() => answer(socket));
    };
  }
  const listener = await listen(options);
  if (face === 'accept') {
    void spawn(async () => {
      for (let socket = await listener.accept(); socket !== null; socket = await listener.accept()) {
        note();
        void spawn(() => answer(socket));
        if (random.chance(0.3)) await sleep(random.below(20));
      }
    });
  } else if (face === 'for await') {
    void spawn(async () => {
      for await (const socket of listener) {
        note();
        void spawn(() => answer(socket));
      }
    });
  }
  return { listener, opened: () => opened, most: () => most };
}

/** 'served', or a code. */
async function ask(port: number, random: SeededRandom): Promise<string> {
  try {
    await sleep(random.below(200));
    const socket = await connect({ host: '127.0.0.1', port });
    try {
      if (random.chance(0.3)) await sleep(random.below(50));
      await socket.write('hello;');
      const answer = await socket.readUntil(';', 100);
      await socket.close();
      return answer === null ? 'ended' : 'served';
    } finally {
      socket.destroy();
    }
  } catch (error) {
    return (error as { code: string }).code;
  }
}

async function pauseNowAndThen(listener: Listener, random: SeededRandom): Promise<void> {
  while (!listener.closing) {
    await sleep(random.below(40));
    listener.pause();
    await sleep(random.below(40));
    listener.resume();
  }
}

async function run(seed: number, faults: Faults): Promise<void> {
  fake.reseed(seed, faults);
  const random = new SeededRandom(seed);
  const face = (['handlers', 'accept', 'for await'] as const)[random.below(3)] as Face;
  const max = random.chance(0.7) ? 1 + random.below(8) : 1000;
  const { listener, opened, most } = await serve(face, max, random);
  const pausing = random.chance(0.5) ? spawn(() => pauseNowAndThen(listener, random)) : null;
  const clients = Array.from({ length: 40 }, () => spawn(() => ask(listener.port, random)));
  const end = (['all served', 'drain', 'drain 0', 'close', 'detach'] as const)[random.below(5)];
  const everybody = all(clients);
  if (end !== 'all served') await sleep(random.below(150));
  if (end === 'drain') {
    expect(await listener.close({ drainMs: 3_600_000 })).toBe(0);
  } else if (end === 'drain 0') {
    await listener.close({ drainMs: 0 });
  } else if (end === 'close') {
    await listener.close();
  } else if (end === 'detach') {
    const fd = await listener.detach();
    const heir = await listen({ fd, listenError() {}, ...echo });
    const outcomes = await everybody;
    expect(outcomes).toEqual(Array(40).fill('served'));
    await heir.close();
  }
  const outcomes = await everybody;
  if (end === 'all served') {
    expect(outcomes).toEqual(Array(40).fill('served'));
    expect(await listener.close({ drainMs: 3_600_000 })).toBe(0);
  }
  await pausing;
  expect(most()).toBeLessThanOrEqual(max);
  if (end === 'drain' || end === 'detach') expect(opened()).toBe(listener.accepted);
  for (let turn = 0; fake.counters().socketsOpen !== 0; turn++) {
    if (turn === 10_000) throw new Error(`${fake.counters().socketsOpen} sockets are left (${face}, ${max}, ${end})`);
    await sleep(1);
  }
  expect(listener.connections).toBe(0);
}

const echo: ListenOptions = {
  data(socket, chunk) {
    const last = chunk.bytes.includes(';');
    socket.write(chunk);
    if (last) socket.close();
  },
};

test('without faults', async () => {
  await withSeeds(SEEDS, (seed) => run(seed, NO_FAULTS));
});

test('reordered, delayed, split and out of buffers', async () => {
  await withSeeds(SEEDS, (seed) => run(seed, ROUGH));
});
