// Happy Eyeballs (RFC 8305) over the fake, on virtual time: which address is tried when, who wins, and what is left.
import { constants } from 'node:os';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CancelToken, now, select, sleep, spawn } from '../../lib/index.js';
import { BROKEN, installFake, type Route, SeededRandom, withSeeds } from '../../lib/internal/fake/index.js';
import { armedTimers } from '../../lib/internal/timers.js';
import { interleaved } from '../../lib/net/happy-eyeballs.js';
import {
  type ConnectOptions,
  connect,
  type Listener,
  type LookupAddress,
  listen,
  type Socket,
} from '../../lib/net/index.js';
import { codeOf } from './scene.js';

const { ECONNREFUSED, EHOSTUNREACH, ENETUNREACH } = constants.errno;
const BLACK_HOLE: Route = { delayMs: Number.POSITIVE_INFINITY };
const REFUSED: Route = { error: -ECONNREFUSED };

const fake = installFake({ seed: 1 });
const connectNatively = fake.connect.bind(fake);
/** Every attempt: the address, and how long after the connect had begun. */
let tried: [string, number][] = [];
let beganMs = 0;
let routes = new Map<string, Route>();
let listener: Listener;

fake.connect = (address, ...rest) => {
  tried.push([address, Math.round((now() - beganMs) * 1000) / 1000]);
  return connectNatively(address, ...rest);
};
fake.network.routes = (address) => routes.get(address);

beforeEach(async () => {
  fake.reseed(1);
  routes = new Map();
  tried = [];
  listener = await listen({ host: '127.0.0.1', data() {}, listenError() {} });
});

afterEach(async () => {
  await listener.close();
  while (fake.counters().socketsOpen !== 0) await sleep(1);
  expect(fake.counters()).toMatchObject({ faults: 0, timersArmed: 0 });
  expect(armedTimers()).toBe(0);
});

function addressesOf(list: readonly string[]): LookupAddress[] {
  return list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

function begin(list: readonly string[], options: Partial<ConnectOptions> = {}): ReturnType<typeof connect> {
  beganMs = now();
  return connect({ host: 'host.test', port: listener.port, lookup: async () => addressesOf(list), ...options });
}

/** The address that won, and how many sockets there are then besides the listener: both ends of one connection. */
async function outcome(list: readonly string[], options: Partial<ConnectOptions> = {}): Promise<string> {
  const socket = await begin(list, options);
  const { address } = socket.remoteAddress;
  await sleep(10_000);
  expect(fake.counters().socketsOpen, 'what survives').toBe(3);
  await socket.close();
  return address;
}

async function failure(connecting: PromiseLike<Socket>): Promise<AggregateError & { code: string }> {
  try {
    await connecting;
  } catch (error) {
    return error as AggregateError & { code: string };
  }
  throw new Error('it has connected');
}

describe('the order', () => {
  test.each([
    [
      ['::1', '::2', '::3', '1.1.1.1', '1.1.1.2'],
      ['::1', '1.1.1.1', '::2', '1.1.1.2', '::3'],
    ],
    [
      ['1.1.1.1', '::1', '1.1.1.2'],
      ['1.1.1.1', '::1', '1.1.1.2'],
    ],
    [
      ['1.1.1.1', '::1', '::2', '::3'],
      ['1.1.1.1', '::1', '::2', '::3'],
    ],
    [
      ['::1', '::2'],
      ['::1', '::2'],
    ],
    [
      ['1.1.1.1', '1.1.1.1', '::1', '1.1.1.1'],
      ['1.1.1.1', '::1'],
    ],
    [[], []],
  ])('of %j is %j', (given, order) => {
    expect(interleaved(addressesOf(given))).toEqual(order);
  });
});

describe('attempts', () => {
  test('begin 250 ms apart while nothing answers, and the first to answer wins', async () => {
    routes = new Map([
      ['::1', BLACK_HOLE],
      ['1.1.1.1', BLACK_HOLE],
      ['::2', { delayMs: 200 }],
      ['1.1.1.2', { delayMs: 300 }],
    ]);
    expect(await outcome(['::1', '::2', '1.1.1.1', '1.1.1.2'])).toBe('::2');
    expect(tried).toEqual([
      ['::1', 0],
      ['1.1.1.1', 250],
      ['::2', 500],
    ]);
  });

  test('go on at once when one fails, and the delay begins anew', async () => {
    routes = new Map([
      ['::1', { error: -ECONNREFUSED, delayMs: 100 }],
      ['1.1.1.1', BLACK_HOLE],
      ['::2', REFUSED],
      ['1.1.1.2', { delayMs: 5 }],
    ]);
    expect(await outcome(['::1', '::2', '1.1.1.1', '1.1.1.2'])).toBe('1.1.1.2');
    expect(tried).toEqual([
      ['::1', 0],
      ['1.1.1.1', 100],
      ['::2', 350],
      ['1.1.1.2', 350],
    ]);
  });

  test('that are slow still win when nobody else is faster', async () => {
    routes = new Map([
      ['::1', { delayMs: 3000 }],
      ['1.1.1.1', REFUSED],
    ]);
    expect(await outcome(['::1', '1.1.1.1'])).toBe('::1');
    expect(now() - beganMs).toBeGreaterThanOrEqual(3000);
  });

  test('that answer in the same tick: one is taken, the other closed', async () => {
    routes = new Map([
      ['::1', { delayMs: 300 }],
      ['1.1.1.1', { delayMs: 50 }],
    ]);
    expect(['::1', '1.1.1.1']).toContain(await outcome(['::1', '1.1.1.1']));
    expect(listener.accepted).toBe(2);
  });

  test('keep the delay that was asked for', async () => {
    routes = new Map(['::1', '::2'].map((address) => [address, BLACK_HOLE]));
    await outcome(['::1', '::2', '::3'], { attemptDelay: 10 });
    expect(tried.map(([, ms]) => ms)).toEqual([0, 10, 20]);
  });

  test('are of one family where it was asked for', async () => {
    expect(await outcome(['::1', '1.1.1.1'], { family: 4 })).toBe('1.1.1.1');
    expect(tried.map(([address]) => address)).toEqual(['1.1.1.1']);
    expect(await codeOf(() => begin(['::1'], { family: 4 }))).toBe('ENOTFOUND');
  });

  test('are of the family of the local address', async () => {
    expect(await outcome(['::1', '1.1.1.1'], { localAddress: '127.0.0.9' })).toBe('1.1.1.1');
  });

  test('of localhost are those of both loopback addresses, and nobody is asked', async () => {
    for (const host of ['localhost', 'LOCALHOST.', 'a.localhost', undefined]) {
      tried = [];
      routes = new Map([['::1', REFUSED]]);
      beganMs = now();
      const socket = await connect({ port: listener.port, ...(host === undefined ? {} : { host }) });
      expect(tried).toEqual([
        ['::1', 0],
        ['127.0.0.1', 0],
      ]);
      await socket.close();
    }
  });
});

describe('when all fail', () => {
  test('the error has every address, and the code of the first', async () => {
    routes = new Map([
      ['::1', { error: -EHOSTUNREACH }],
      ['1.1.1.1', { error: -ECONNREFUSED, delayMs: 400 }],
      ['::2', { error: -ENETUNREACH, delayMs: 10 }],
    ]);
    const error = await failure(begin(['::1', '1.1.1.1', '::2']));
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({ name: 'AggregateError', code: 'EHOSTUNREACH' });
    expect(error.message).toContain('connect host.test:');
    expect(error.errors.map(({ code, address }: { code: string; address: string }) => [code, address])).toEqual([
      ['EHOSTUNREACH', '::1'],
      ['ENETUNREACH', '::2'],
      ['ECONNREFUSED', '1.1.1.1'],
    ]);
  });

  test('of one address it is the error itself', async () => {
    routes = new Map([['::1', REFUSED]]);
    const error = await failure(begin(['::1']));
    expect(error).toMatchObject({ name: 'SystemError', code: 'ECONNREFUSED', address: '::1' });
  });

  test('and when the time is over before, it is a TimeoutError whose cause is what had failed', async () => {
    routes = new Map([
      ['::1', REFUSED],
      ['1.1.1.1', BLACK_HOLE],
    ]);
    const error = await failure(begin(['::1', '1.1.1.1'], { connectTimeout: 1000 }));
    expect(now() - beganMs).toBeLessThan(1001);
    expect(error).toMatchObject({ name: 'TimeoutError', code: 'ERR_MILLRACE_TIMEOUT' });
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED', address: '::1' });
    expect(error.message).toBe(`connect host.test:${listener.port}: not connected within 1000 ms`);
  });
});

test('the time limit covers the lookup, and aborts it', async () => {
  let signal: AbortSignal | undefined;
  const never = connect({
    host: 'host.test',
    port: 1,
    connectTimeout: 20,
    lookup: (_host, options) => {
      signal = options.signal;
      return new Promise(() => {});
    },
  });
  expect(await codeOf(() => never)).toBe('ERR_MILLRACE_TIMEOUT');
  expect(signal?.aborted).toBe(true);
});

test('a handler that cancels its own connect is left with nothing', async () => {
  const token = new CancelToken();
  const connecting = begin(['1.1.1.1'], { signal: token, open: () => token.cancel('mine') });
  expect(await codeOf(() => connecting)).toBe('ABORT_ERR');
});

interface Plan {
  begun: [string, number][];
  /** The address, an error's code, or null where nothing ever comes. */
  end: string | null;
}

/** RFC 8305, section 5, by simulation; every event has a time of its own. */
function simulate(order: readonly string[], delayMs: number, giveUpMs: number, giveUpCode: string): Plan {
  const begun: [string, number][] = [];
  const live = new Map<string, number>();
  const failed: string[] = [];
  let nextMs = 0;
  for (;;) {
    const [first, decidedMs] = [...live].sort((a, b) => a[1] - b[1])[0] ?? ['', Number.POSITIVE_INFINITY];
    const waiting = begun.length < order.length;
    const atMs = Math.min(decidedMs, waiting ? nextMs : Number.POSITIVE_INFINITY);
    if (giveUpMs <= atMs) return { begun, end: giveUpMs === Number.POSITIVE_INFINITY ? null : giveUpCode };
    if (atMs === decidedMs) {
      live.delete(first);
      const error = routes.get(first)?.error;
      if (error === undefined) return { begun, end: first };
      failed.push(error === -ECONNREFUSED ? 'ECONNREFUSED' : 'EHOSTUNREACH');
      nextMs = atMs;
      if (!waiting && live.size === 0) return { begun, end: failed[0] as string };
      if (!waiting) continue;
    }
    const address = order[begun.length] as string;
    begun.push([address, atMs]);
    live.set(address, atMs + (routes.get(address)?.delayMs ?? 0));
    nextMs = atMs + delayMs;
  }
}

const ADDRESSES = ['::1', '::2', '::3', '1.1.1.1', '1.1.1.2', '1.1.1.3'];
const anyRoute = fc.record({
  delayMs: fc.oneof({ weight: 3, arbitrary: fc.nat(1500) }, fc.constant(Number.POSITIVE_INFINITY)),
  error: fc.option(fc.constantFrom(-ECONNREFUSED, -EHOSTUNREACH), { nil: undefined }),
});
const anyOrder = fc.shuffledSubarray(ADDRESSES, { minLength: 1 });
const giveUp = fc.option(fc.record({ afterMs: fc.nat(2500), how: fc.constantFrom('token', 'task', 'limit') }));

test("whatever the addresses do, the attempts are the RFC's, one socket survives at most, and nothing leaks", async () => {
  const anyRoutes = fc.array(anyRoute, { minLength: ADDRESSES.length, maxLength: ADDRESSES.length });
  await fc.assert(
    fc.asyncProperty(
      anyRoutes,
      anyOrder,
      giveUp,
      fc.integer({ min: 10, max: 400 }),
      async (given, names, end, delay) => {
        tried = [];
        // A fraction of its own for each address: no two things happen at the same time.
        routes = new Map(
          ADDRESSES.map((address, i) => {
            const { delayMs, error } = given[i] as { delayMs: number; error: number | undefined };
            return [address, { delayMs: delayMs + 2 ** -(i + 2), ...(error === undefined ? {} : { error }) }];
          }),
        );
        const token = new CancelToken();
        const endMs = end === null ? Number.POSITIVE_INFINITY : end.afterMs + 0.5;
        const options: Partial<ConnectOptions> = { attemptDelay: delay, signal: token };
        if (end?.how === 'limit') options.connectTimeout = endMs;
        let socket: Socket | null = null;
        const task = spawn(async () => {
          socket = await begin(names, options);
          return socket.remoteAddress.address;
        });
        const ended = task.then(
          (address) => address,
          (error) => (error as { code: string }).code,
        );
        if (end !== null && end.how !== 'limit') {
          await sleep(endMs);
          if (end.how === 'token') token.cancel('mine');
          else task.abort('mine');
        }
        await sleep(60_000);
        const code = end?.how === 'limit' ? 'ERR_MILLRACE_TIMEOUT' : 'ABORT_ERR';
        const plan = simulate(interleaved(addressesOf(names)), delay, endMs, code);
        expect(tried.map(([address]) => address)).toEqual(plan.begun.map(([address]) => address));
        for (const [i, [, atMs]] of plan.begun.entries()) expect(tried[i]?.[1]).toBeCloseTo(atMs, 2);
        if (plan.end === null) {
          expect(task.finished).toBe(false);
          token.cancel();
        } else {
          expect(await ended).toBe(plan.end);
        }
        await sleep(1);
        expect(fake.counters()).toMatchObject({ timersArmed: 0, socketsOpen: socket === null ? 1 : 3 });
        await (socket as Socket | null)?.close();
        while (fake.counters().socketsOpen !== 1) await sleep(1);
      },
    ),
    { numRuns: 300 },
  );
});

test('whatever breaks as well, every connect ends, and nothing is left', async () => {
  await withSeeds(40, async (seed) => {
    fake.reseed(seed, BROKEN);
    const random = new SeededRandom(seed);
    routes = new Map(
      ADDRESSES.map((address) => [address, { delayMs: random.chance(0.2) ? Infinity : random.below(600) }]),
    );
    const ends = await Promise.all(
      Array.from({ length: 20 }, () =>
        codeOf(async () => {
          const names = random.shuffle([...ADDRESSES]).slice(0, 1 + random.below(ADDRESSES.length));
          const token = new CancelToken({ timeoutMs: random.below(3000) });
          const options = random.chance(0.5) ? { connectTimeout: random.below(3000) } : { signal: token };
          const connecting = begin(names, { attemptDelay: 10 + random.below(300), ...options });
          if (random.chance(0.3)) await select({ connecting, late: sleep(random.below(1000)) });
          const socket = await connecting;
          token.dispose();
          await socket.close();
        }),
      ),
    );
    const known = ['nothing', 'ABORT_ERR', 'ERR_MILLRACE_TIMEOUT', 'ECONNREFUSED', 'EMFILE', 'ECONNRESET', 'EPIPE'];
    for (const end of ends) expect(known).toContain(end);
    await sleep(10_000);
    for (const socket of listener.sockets()) socket.destroy();
    for (let turn = 0; fake.counters().socketsOpen !== 1; turn++) {
      if (turn === 5000) throw new Error(`${fake.counters().socketsOpen} sockets are left`);
      await sleep(1);
    }
  });
});
