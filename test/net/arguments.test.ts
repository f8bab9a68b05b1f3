// Nonsense is told with the name of the argument and what it was; nothing is clamped, ignored or half done.
import { describe, expect, test } from 'vitest';
import { connect, type Data, listen } from '../../lib/net/index.js';
import { codeOf, Scene } from './scene.js';

const scene = new Scene();

function thrownBy(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    const { name, code, message } = error as Error & { code: string };
    return `${name} ${code}: ${message}`;
  }
  return 'nothing';
}

const TYPE = 'TypeError ERR_INVALID_ARG_TYPE';
const RANGE = 'RangeError ERR_OUT_OF_RANGE';
const handlerNames = ['open', 'data', 'drain', 'end', 'error', 'close'];

describe.each([
  ['listen', (options: unknown) => listen(options as never)],
  ['connect', (options: unknown) => connect(options as never)],
] as const)('%s', (name, open) => {
  test.each<[unknown, string]>([
    [null, `${TYPE}: options must be an object; got null`],
    [80, `${TYPE}: options must be an object; got 80`],
    ['80', `${TYPE}: options must be an object; got "80"`],
    [{ port: '80' }, `${TYPE}: options.port must be a number; got "80"`],
    [
      { port: 70_000 },
      `${RANGE}: options.port must be an integer from ${name === 'listen' ? 0 : 1} to 65535; got 70000`,
    ],
    [{ port: -1 }, `${RANGE}: options.port must be an integer from ${name === 'listen' ? 0 : 1} to 65535; got -1`],
    [{ port: 1.5 }, `${RANGE}: options.port must be an integer from ${name === 'listen' ? 0 : 1} to 65535; got 1.5`],
    [
      { port: Number.NaN },
      `${RANGE}: options.port must be an integer from ${name === 'listen' ? 0 : 1} to 65535; got NaN`,
    ],
    [{ port: null }, `${TYPE}: options.port must be a number; got null`],
    [{ port: 80n }, `${TYPE}: options.port must be a number; got 80n`],
    [{ port: 1, host: 1 }, `${TYPE}: options.host must be a host name or IP address; got 1`],
    [{ port: 1, host: '' }, `${TYPE}: options.host must be a host name or IP address; got ""`],
    [{ port: 1, host: null }, `${TYPE}: options.host must be a host name or IP address; got null`],
    [{ port: 1, highWaterMark: 0 }, `${RANGE}: options.highWaterMark must be an integer from 1 to 1073741824; got 0`],
    [{ port: 1, highWaterMark: '1' }, `${TYPE}: options.highWaterMark must be a number; got "1"`],
    [{ port: 1, writeLimit: -1 }, `${RANGE}: options.writeLimit must be an integer from 1 to 2147483647; got -1`],
    [
      { port: 1, writeLimit: Infinity },
      `${RANGE}: options.writeLimit must be an integer from 1 to 2147483647; got Infinity`,
    ],
    [{ port: 1, allowHalfOpen: 1 }, `${TYPE}: options.allowHalfOpen must be a boolean; got 1`],
    [
      { port: 1, signal: {} },
      `${TYPE}: options.signal must be a CancelToken or an AbortSignal; got an instance of Object`,
    ],
    [{ port: 1, signal: null }, `${TYPE}: options.signal must be a CancelToken or an AbortSignal; got null`],
    ...handlerNames.map((handler): [unknown, string] => [
      { port: 1, [handler]: 'x' },
      `${TYPE}: options.${handler} must be a function; got "x"`,
    ]),
  ])('of %o', (options, message) => {
    expect(thrownBy(() => open(options))).toBe(message);
  });
});

test.each<[unknown, string]>([
  [{ backlog: 0 }, `${RANGE}: options.backlog must be an integer from 1 to 65535; got 0`],
  [{ backlog: '5' }, `${TYPE}: options.backlog must be a number; got "5"`],
  [{ ipv6Only: 'yes' }, `${TYPE}: options.ipv6Only must be a boolean; got "yes"`],
  [{ reusePort: 1 }, `${TYPE}: options.reusePort must be a boolean; got 1`],
  [{ listenError: 1 }, `${TYPE}: options.listenError must be a function; got 1`],
])('listen of %o', (options, message) => {
  expect(thrownBy(() => listen(options as never))).toBe(message);
});

test.each<[object, string]>([
  [{ family: 5 }, `${RANGE}: options.family must be 0, 4 or 6; got 5`],
  [{ family: '4' }, `${TYPE}: options.family must be a number; got "4"`],
  [{ localAddress: 'here' }, `${TYPE}: options.localAddress must be an IP address; got "here"`],
  [{ localPort: 70_000 }, `${RANGE}: options.localPort must be an integer from 0 to 65535; got 70000`],
  [{ lookup: 'dns' }, `${TYPE}: options.lookup must be a function; got "dns"`],
  [{ connectTimeout: '1' }, `${TYPE}: options.connectTimeout must be a number of milliseconds; got "1"`],
  [{ attemptDelay: 9 }, `${RANGE}: options.attemptDelay must be at least 10 milliseconds; got 9`],
])('connect of %o', (options, message) => {
  expect(thrownBy(() => connect({ port: 1, ...options } as never))).toBe(message);
});

test('connect without a port says that there must be one', () => {
  expect(thrownBy(() => connect({} as never))).toBe(`${TYPE}: options.port must be a number; got undefined`);
  expect(thrownBy(() => connect(undefined as never))).toBe(`${TYPE}: options must be an object; got undefined`);
});

test('what was refused has opened nothing', async () => {
  const { port } = await scene.listen();
  expect(thrownBy(() => connect({ host: '127.0.0.1', port, signal: 1 as never }))).toContain('options.signal');
  expect(thrownBy(() => listen({ host: '127.0.0.1', signal: 1 as never }))).toContain('options.signal');
});

test.each([undefined, null, 1, true, {}, [[]], ['x', null], Symbol('x'), () => {}, new Map(), [1, 2]])(
  'write(%s)',
  async (data) => {
    const { from } = await scene.pair();
    expect(await codeOf(() => from.write(data as never))).toBe('ERR_INVALID_ARG_TYPE');
    expect({ written: from.bytesWritten, open: from.open }).toEqual({ written: 0, open: true });
  },
);

describe('memory that was transferred', () => {
  const gone = <T extends { readonly buffer: ArrayBufferLike } | ArrayBuffer>(data: T): T => {
    const memory = (data instanceof ArrayBuffer ? data : data.buffer) as ArrayBuffer;
    structuredClone(memory, { transfer: [memory] });
    return data;
  };
  test.each<[string, () => Data]>([
    ['an ArrayBuffer', () => gone(new ArrayBuffer(8))],
    ['a Uint8Array', () => gone(new Uint8Array(8))],
    ['a Uint16Array', () => gone(new Uint16Array(8))],
    ['a DataView', () => gone(new DataView(new ArrayBuffer(8)))],
  ])('%s is not written, nor what stands before it in a list; the socket goes on', async (_name, make) => {
    const { at, from } = await scene.pair();
    expect(thrownBy(() => from.write(make()))).toContain(`${TYPE}: data must be in memory that was not transferred`);
    expect(thrownBy(() => from.write(['lost', make()]))).toContain(`${TYPE}: data[1] must be`);
    expect(from).toMatchObject({ bytesWritten: 0, bytesQueued: 0, open: true });
    await from.write([new Uint8Array(0), 'good']);
    expect(String(await at.readExact(4))).toBe('good');
  });
});

test('a list that changes while it is read ends the connection: half of it has left', async () => {
  const { at, from } = await scene.pair();
  let looks = 0;
  const list = new Proxy(['a', 'b'], {
    get: (target, key) => (key === '1' && ++looks > 1 ? 7 : Reflect.get(target, key)),
  });
  expect(thrownBy(() => from.write(list))).toContain(`${TYPE}: data must be`);
  expect(from.open).toBe(false);
  expect(await codeOf(() => from.read())).toBe('ERR_INVALID_ARG_TYPE');
  expect(await codeOf(() => at.readExact(3))).toMatch(/ECONNRESET|UNEXPECTED_END/);
});

test('the iterator of a list is not asked', async () => {
  const { at, from } = await scene.pair();
  const list = Object.assign(['a', 'b'], {
    *[Symbol.iterator]() {
      yield 7;
    },
  });
  await from.write(list as never);
  expect(String(await at.readExact(2))).toBe('ab');
});
