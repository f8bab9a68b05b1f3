// The network module over the fake: whatever a kernel may do, no byte is lost, doubled or changed.
import { afterEach, describe, expect, test } from 'vitest';
import { sleep, spawn, timeout } from '../../lib/index.js';
import {
  BROKEN,
  type Faults,
  installFake,
  NO_FAULTS,
  ROUGH,
  SeededRandom,
  withSeeds,
} from '../../lib/internal/fake/index.js';
import { COMPLETION_CLOSED, COMPLETION_DATA, COMPLETION_END, COMPLETION_ERROR } from '../../lib/internal/layout.js';
import { connect, type Listener, listen, type Socket } from '../../lib/net/index.js';

/** Each handle's completions, in order. */
const told = new Map<number, number[]>();
const fake = installFake({
  seed: 1,
  descriptors: 64,
  receiveBuffers: 8,
  windowBytes: 40_000,
  onCompletion: (kind, handle) => {
    const kinds = told.get(handle);
    if (kinds === undefined) told.set(handle, [kind]);
    else kinds.push(kind);
  },
});

afterEach(() => {
  expect(fake.counters()).toMatchObject({ faults: 0, socketsOpen: 0, timersArmed: 0 });
  for (const kinds of told.values()) expectOrder(kinds);
  told.clear();
});

/** A timer's slot may be the number of a handle as well: timers are left out. */
function expectOrder(kinds: number[]): void {
  const ofSocket = kinds.filter((kind) => kind !== 1);
  const error = ofSocket.indexOf(COMPLETION_ERROR);
  const end = ofSocket.indexOf(COMPLETION_END);
  const closed = ofSocket.indexOf(COMPLETION_CLOSED);
  if (closed >= 0) expect(closed).toBe(ofSocket.length - 1);
  if (end >= 0) expect(ofSocket.lastIndexOf(COMPLETION_DATA)).toBeLessThan(end);
  // A listener is told of EMFILE and goes on; a stream's error is followed by Closed alone.
  if (error >= 0 && !ofSocket.includes(2)) expect(ofSocket.slice(error + 1)).toEqual([COMPLETION_CLOSED]);
}

function bytesOf(random: SeededRandom, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = random.below(256);
  return bytes;
}

function echoServer(): PromiseLike<Listener> {
  return listen({
    port: 0,
    listenError() {},
    data(socket, chunk) {
      void socket.write(chunk).then(undefined, () => {});
    },
  });
}

/** Sends pieces, ends, and gives back what came until the other side ended. */
async function exchange(port: number, sent: Buffer, random: SeededRandom): Promise<Buffer> {
  const socket = await connect({ host: '127.0.0.1', port });
  const writer = spawn(async () => {
    for (let at = 0; at < sent.length; ) {
      const length = 1 + random.below(9000);
      await socket.write(sent.subarray(at, at + length));
      at += length;
      if (random.chance(0.2)) await sleep(random.below(20));
    }
    socket.shutdown();
  });
  const received: Buffer[] = [];
  try {
    for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read())
      received.push(Buffer.from(chunk));
  } finally {
    await writer.then(undefined, () => {});
    await socket.close();
  }
  return Buffer.concat(received);
}

async function session(seed: number, faults: Faults, clients: number): Promise<PromiseSettledResult<void>[]> {
  fake.reseed(seed, faults);
  const random = new SeededRandom(seed);
  const server = await echoServer();
  const { port } = server;
  const ends = await Promise.allSettled(
    Array.from({ length: clients }, async () => {
      const sent = bytesOf(random, random.below(120_000));
      const received = await timeout(3_600_000, exchange(port, sent, random));
      if (!received.equals(sent))
        throw new TypeError(`${received.length} of ${sent.length} bytes came back, or others`);
    }),
  );
  await server.close();
  while (fake.counters().socketsOpen !== 0) await sleep(1);
  return ends;
}

describe('an echo server over the fake', () => {
  test('without faults every byte comes back', async () => {
    const ends = await session(1, NO_FAULTS, 5);
    expect(ends.map((end) => end.status)).toEqual(Array(5).fill('fulfilled'));
  });

  test('reordered, delayed, split, partly sent and out of buffers, every byte still comes back', async () => {
    await withSeeds(40, async (seed) => {
      for (const end of await session(seed, ROUGH, 6)) if (end.status === 'rejected') throw end.reason;
    });
  });

  test('when connections break, that is told with a code, and everything is closed in the end', async () => {
    let broken = 0;
    await withSeeds(40, async (seed) => {
      for (const end of await session(seed, BROKEN, 6)) {
        if (end.status === 'fulfilled') continue;
        broken++;
        const code = (end.reason as { code?: string }).code;
        if (!['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'EMFILE'].includes(code ?? '')) throw end.reason;
      }
    });
    expect(broken).toBeGreaterThan(0);
  });

  test('out of descriptors: accepting goes on when one is free again', async () => {
    fake.reseed(3, NO_FAULTS);
    const accepted: Socket[] = [];
    const server = await listen({ port: 0, listenError() {}, open: (socket) => void accepted.push(socket) });
    const clients = await Promise.all(
      Array.from({ length: 40 }, () => connect({ host: '127.0.0.1', port: server.port })),
    );
    await sleep(500);
    expect(accepted.length).toBe(64 - 1 - 40);
    for (const client of clients.splice(0, 20)) await client.close();
    for (const socket of accepted) socket.destroy();
    await sleep(500);
    expect(accepted.length).toBe(40);
    for (const socket of [...clients, ...accepted]) socket.destroy();
    await server.close();
    while (fake.counters().socketsOpen !== 0) await sleep(1);
  });
});
