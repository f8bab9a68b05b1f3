// Every method of what `millrace/net` gives, with everything that it cannot be given, open and closed: an error with a
// type and a code that names the argument; nothing crashes, and what was open is as it was.
import { afterEach, describe, expect, test } from 'vitest';
import { bindUdp, type Listener, listen, type ReadHalf, type Socket, type WriteHalf } from '../../lib/net/index.js';
import { codeOf, counters, Scene, until } from './scene.js';

const scene = new Scene();
afterEach(() => until(() => counters().datagramSocketsOpen === 0));

const TYPE = 'TypeError ERR_INVALID_ARG_TYPE';
const RANGE = 'RangeError ERR_OUT_OF_RANGE';
const CLOSED = 'MillraceError ERR_MILLRACE_SOCKET_CLOSED';

type Bad = readonly [value: unknown, error: string];
const types = (...values: unknown[]): Bad[] => values.map((value) => [value, TYPE]);
const ranges = (...values: unknown[]): Bad[] => values.map((value) => [value, RANGE]);

const noNumber = types(null, '5', 5n, true, {}, [], Symbol('s'), () => 1);
const noInteger = [...noNumber, ...ranges(Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 53)];
const count = [...noInteger, ...types(undefined)];
const positive = [...noInteger, ...ranges(0)];
const limitMs = [...noNumber, ...types(undefined), ...ranges(Number.NaN, -1, Number.POSITIVE_INFINITY, 7.3e10)];
const flag = types(null, 0, 'true', {}, Symbol('s'));
const noObject = types(null, 5, 'x', true, Symbol('s'), () => 1);
const noData = types(undefined, null, 5, Number.NaN, true, {}, 5n, Symbol('s'), () => 1, [5], ['x', null], new Date());
const handlers = [...noObject, ...types({ data: 1 }, { close: 'x' }, { timeout: null })];

/** Which values each method must refuse as its first argument. Empty: it takes none, and gives no heed to any. */
const socketMethods: Record<string, readonly Bad[]> = {
  write: noData,
  writev: [...types(undefined, null, 'x', 5, Buffer.from('x')), ...types([5], ['x', null])],
  read: positive,
  readInto: [...types(undefined, null, 'x', 5, [], new ArrayBuffer(8)), ...ranges(Buffer.alloc(0))],
  readExact: count,
  readUntil: types(undefined, null, 5, '', Buffer.alloc(0), []),
  setHandlers: [...handlers, ...types(undefined)],
  toDuplex: noObject,
  toWeb: noObject,
  setNoDelay: flag,
  setKeepAlive: [
    ...types(null, 5, 'x'),
    ...types({ idle: '1' }),
    ...ranges({ idle: 0 }, { count: -1 }, { interval: 1.5 }),
  ],
  setLinger: [...types(undefined, '5', true), ...ranges(-1, Number.NaN, 65_536)],
  setSendBufferSize: [...positive, ...types(undefined)],
  setReceiveBufferSize: [...positive, ...types(undefined)],
  setIdleTimeout: limitMs,
  setWriteTimeout: limitMs,
  destroy: types(null, 5, 'x', {}, Symbol('s')),
  pause: [],
  resume: [],
  shutdown: [],
  close: [],
  reset: [],
  detach: [],
  split: [],
  ref: [],
  unref: [],
  peerCredentials: [],
};

/** What a closed one answers to a good argument; what is not here does nothing. */
const closedSocket: Record<string, readonly [argument: unknown, error: string]> = {
  write: ['x', CLOSED],
  writev: [['x'], CLOSED],
  read: [1, CLOSED],
  readInto: [Buffer.alloc(1), CLOSED],
  readExact: [1, CLOSED],
  readUntil: ['\n', CLOSED],
  setHandlers: [{}, CLOSED],
  toDuplex: [{}, CLOSED],
  toWeb: [{}, CLOSED],
  split: [undefined, CLOSED],
  detach: [undefined, CLOSED],
  setNoDelay: [true, 'SystemError EBADF'],
  setKeepAlive: [true, 'SystemError EBADF'],
  setLinger: [1, 'SystemError EBADF'],
  setSendBufferSize: [4096, 'SystemError EBADF'],
  setReceiveBufferSize: [4096, 'SystemError EBADF'],
  peerCredentials: [undefined, 'SystemError EBADF'],
  setIdleTimeout: [1, 'nothing'],
  setWriteTimeout: [1, 'nothing'],
};

const udpMethods: Record<string, readonly Bad[]> = {
  send: types(undefined, null, 5, {}, [], Symbol('s')),
  receiveMany: positive,
  sendMany: types(undefined, null, 5, {}, [5], Symbol('s')),
  connect: types(undefined, null, 5, 'x', [], Symbol('s')),
  join: types(undefined, null, 5, '', {}, Symbol('s')),
  leave: types(undefined, null, 5, '', {}, Symbol('s')),
  setOptions: [...noObject, ...types(undefined, { broadcast: 1 }), ...ranges({ ttl: 0 })],
};

/** What it answers, thrown or rejected. */
async function answer(body: () => unknown): Promise<string> {
  try {
    await body();
  } catch (error) {
    const { name, code } = error as { name: string; code?: string };
    return `${name} ${code}`;
  }
  return 'nothing';
}

function call(target: object, name: string, ...given: unknown[]): unknown {
  return (target as Record<string, (...given: unknown[]) => unknown>)[name]?.(...given);
}

/** The methods of `target` that are documented: those that are not for the library itself only. */
const INTERNAL = new Set(
  (
    'complete run opened timedOut readsTaken endRead endReads takeOver notifyDrain onDrain onEnd fail handOver apply ' +
    'writeLatin1 writeAscii reserve sendReserved closedError throwClosed makeReadQueue ensureRare ensureTimeouts call handlerThrew hold name submitLast feed beginClose readQueue receive'
  ).split(' '),
);
function publicMethods(target: object): string[] {
  const names = new Set<string>();
  for (let at = Object.getPrototypeOf(target); at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function' && name !== 'constructor' && !INTERNAL.has(name)) names.add(name);
    }
  }
  return [...names].sort();
}

async function echoed(socket: Socket): Promise<string> {
  void socket.write('still here');
  return String(await socket.readExact(10));
}

describe('a socket', () => {
  const connectEcho = async (): Promise<Socket> => {
    const listener = await scene.listen({ data: (socket, chunk) => void socket.write(chunk), error() {} });
    return scene.connect(listener.port);
  };

  test('has no method that is not in this table', async () => {
    expect(publicMethods(await connectEcho())).toEqual(Object.keys(socketMethods).sort());
  });

  for (const [name, bad] of Object.entries(socketMethods)) {
    const rest = name === 'readUntil' ? [100] : [];
    if (bad.length > 0) {
      test(`${name} refuses ${bad.length} values, and nothing has changed`, async () => {
        const socket = await connectEcho();
        for (const [value, error] of bad) {
          expect(await answer(() => call(socket, name, value, ...rest)), inspected(value)).toBe(error);
        }
        expect(await echoed(socket)).toBe('still here');
      });
    }
    test(`${name} on a closed socket`, async () => {
      const socket = await connectEcho();
      socket.destroy();
      await socket.close();
      for (const [value, error] of bad) {
        const told = await answer(() => call(socket, name, value, ...rest));
        expect([error, closedSocket[name]?.[1], 'nothing'], inspected(value)).toContain(told);
      }
      const [argument, error] = closedSocket[name] ?? [undefined, 'nothing'];
      expect(await answer(() => call(socket, name, argument, ...rest))).toBe(error);
    });
  }

  test('readUntil refuses limits', async () => {
    const socket = await connectEcho();
    for (const [value, error] of [...positive, ...types(undefined)])
      expect(await answer(() => call(socket, 'readUntil', '\n', value)), inspected(value)).toBe(error);
    expect(await echoed(socket)).toBe('still here');
  });
});

describe('halves', () => {
  test('refuse what the socket refuses', async () => {
    const { at } = await scene.pair();
    const { reader, writer }: { reader: ReadHalf; writer: WriteHalf } = at.split();
    for (const name of ['read', 'readInto', 'readExact', 'readUntil']) {
      for (const [value, error] of socketMethods[name] as readonly Bad[])
        expect(await answer(() => call(reader, name, value, 100)), `${name} ${inspected(value)}`).toBe(error);
    }
    for (const name of ['write', 'writev']) {
      for (const [value, error] of socketMethods[name] as readonly Bad[])
        expect(await answer(() => call(writer, name, value)), `${name} ${inspected(value)}`).toBe(error);
    }
  });
});

describe('a listener', () => {
  test('refuses what is no limit and no time', async () => {
    const listener: Listener = await scene.listen();
    for (const [value, error] of positive) {
      expect(
        await answer(() => {
          listener.maxConnections = value as number;
        }),
        inspected(value),
      ).toBe(error);
    }
    for (const [value, error] of [
      ...noObject,
      ...limitMs.filter(([v]) => v !== undefined).map(([v, e]): Bad => [{ drainMs: v }, e]),
    ])
      expect(await answer(() => call(listener, 'close', value)), inspected(value)).toBe(error);
    const socket = await scene.connect(listener.port);
    expect(socket.open).toBe(true);
    (await listener.accept())?.destroy();
  });

  test('that is closed says so, or does nothing', async () => {
    const listener = await listen({ host: '127.0.0.1' });
    await listener.close();
    expect(await listener.accept()).toBeNull();
    for (const name of ['pause', 'resume', 'ref', 'unref', 'close', 'sockets']) {
      expect(await answer(() => call(listener, name)), name).toBe('nothing');
    }
    expect(await codeOf(() => listener.detach())).toMatch(/^ERR_MILLRACE_|^EBADF/);
    expect(listener.fd).toBe(-1);
  });
});

describe('a UDP socket', () => {
  test.each(Object.entries(udpMethods))('%s refuses what it cannot be given, open and closed', async (name, bad) => {
    const to = { address: '127.0.0.1', port: 9 };
    const socket = await bindUdp({ host: '127.0.0.1' });
    try {
      for (const [value, error] of bad)
        expect(await answer(() => call(socket, name, value, to)), inspected(value)).toBe(error);
    } finally {
      socket.destroy();
      await socket.close();
    }
    for (const [value, error] of bad)
      expect([error, CLOSED, 'nothing'], inspected(value)).toContain(await answer(() => call(socket, name, value, to)));
  });
});

function inspected(value: unknown): string {
  return typeof value === 'symbol' || typeof value === 'function'
    ? typeof value
    : `${typeof value} ${JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))}`;
}
