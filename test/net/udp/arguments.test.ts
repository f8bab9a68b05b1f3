// What is wrong is named, before anything is done.
import { afterEach, expect, test } from 'vitest';
import { bindUdp, connectUdp } from '../../../lib/net/index.js';
import { codeOf, counters, until } from '../scene.js';
import { UdpScene } from './conformance.js';

const scene = new UdpScene();
afterEach(async () => {
  await scene.end();
  await until(() => counters().datagramSocketsOpen === 0);
  expect(counters().faults).toBe(0);
});

const thrown = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return 'nothing';
};

test.for([
  [null, 'TypeError: options must be an object; got null'],
  [{ port: 70000 }, 'RangeError: options.port must be an integer from 0 to 65535; got 70000'],
  [{ port: '1' }, 'TypeError: options.port must be a number; got "1"'],
  [{ host: '' }, 'TypeError: options.host must be'],
  [{ message: 1 }, 'TypeError: options.message must be a function; got 1'],
  [{ close: {} }, 'TypeError: options.close must be a function; got an instance of Object'],
  [{ maxDatagramBytes: 0 }, 'RangeError: options.maxDatagramBytes must be an integer from 1 to 65535; got 0'],
  [{ maxDatagramBytes: 65536 }, 'RangeError: options.maxDatagramBytes must be'],
  [{ highWaterMark: 0 }, 'RangeError: options.highWaterMark must be'],
  [{ highWaterMark: 10, lowWaterMark: 11 }, 'RangeError: options.lowWaterMark must be an integer from 0 to 10; got 11'],
  [{ sendLimit: Number.NaN }, 'RangeError: options.sendLimit must be'],
  [{ ttl: 0 }, 'RangeError: options.ttl must be an integer from 1 to 255; got 0'],
  [{ multicastTtl: 256 }, 'RangeError: options.multicastTtl must be an integer from 0 to 255; got 256'],
  [{ broadcast: 1 }, 'TypeError: options.broadcast must be a boolean; got 1'],
  [{ multicastLoop: 'yes' }, 'TypeError: options.multicastLoop must be a boolean; got "yes"'],
  [{ multicastInterface: '' }, 'TypeError: options.multicastInterface must be the name or an address of an interface'],
  [{ receiveBufferSize: 1.5 }, 'RangeError: options.receiveBufferSize must be'],
  [{ reuseAddr: 1 }, 'TypeError: options.reuseAddr must be a boolean; got 1'],
  [{ reusePort: null }, 'TypeError: options.reusePort must be a boolean; got null'],
  [{ ipv6Only: 0 }, 'TypeError: options.ipv6Only must be a boolean; got 0'],
  [{ family: 5 }, 'RangeError: options.family must be 0, 4 or 6; got 5'],
  [{ lookup: 'x' }, 'TypeError: options.lookup must be a function; got "x"'],
  [{ signal: {} }, 'TypeError: options.signal must be a CancelToken or an AbortSignal'],
] as const)('bindUdp(%j)', ([options, message]) => {
  expect(
    thrown(() => bindUdp(options as never)).startsWith(message),
    thrown(() => bindUdp(options as never)),
  ).toBe(true);
});

test('connectUdp', () => {
  for (const [options, message] of [
    [undefined, 'TypeError: options must be an object; got undefined'],
    [{}, 'TypeError: options.port must be a number; got undefined'],
    [{ port: 0 }, 'RangeError: options.port must be an integer from 1 to 65535; got 0'],
    [{ port: 1, localPort: -1 }, 'RangeError: options.localPort must be an integer from 0 to 65535; got -1'],
    [{ port: 1, localAddress: 'here' }, 'TypeError: options.localAddress must be an IP address; got "here"'],
  ] as const) {
    expect(thrown(() => connectUdp(options as never))).toBe(message);
  }
});

test('what a socket is given', async () => {
  const socket = await scene.bind();
  const to = { address: '127.0.0.1', port: 9 };
  for (const [body, message] of [
    [() => socket.send(7 as never, to), 'TypeError: data must be a string, a Buffer'],
    [() => socket.send(['x'] as never, to), 'TypeError: data must be'],
    [() => socket.send('x', 7 as never), 'TypeError: to must be a peer, a datagram or { address, port }; got 7'],
    [() => socket.send('x', null as never), 'TypeError: to must be'],
    [() => socket.send('x', { address: 'localhost', port: 9 }), 'TypeError: address must be an IPv4 or IPv6 address'],
    [() => socket.send('x', { address: '127.0.0.1', port: 0 }), 'RangeError: port must be an integer from 1 to 65535'],
    [() => socket.sendMany('text' as never, to), 'TypeError: datagrams must be an array or another iterable'],
    [() => socket.receiveMany(0), 'RangeError: most must be an integer from 1 to 65536; got 0'],
    [() => socket.setOptions({ ttl: 999 }), 'RangeError: options.ttl must be'],
    [() => socket.getOption('linger' as never), 'TypeError: name must be broadcast, ttl'],
    [() => socket.join(5 as never), 'TypeError: group must be an IP address; got 5'],
    [() => socket.join('localhost'), 'TypeError: group must be an IPv4 or IPv6 address'],
    [() => socket.join('224.0.0.1', null as never), 'TypeError: options must be an object; got null'],
    [() => socket.join('224.0.0.1', { interface: '' }), 'TypeError: options.interface must be the name or an address'],
    [() => socket.join('224.0.0.1', { source: 'x' }), 'TypeError: source must be an IPv4 or IPv6 address'],
  ] as const) {
    expect(thrown(body).startsWith(message), thrown(body)).toBe(true);
  }
  expect(await codeOf(() => socket.send('x'))).toBe('ERR_MILLRACE_INVALID_STATE');
  expect(await codeOf(() => socket.remoteAddress)).toBe('ENOTCONN');
  const connected = await scene.connect(socket.port);
  expect(await codeOf(() => connected.send('x', to))).toBe('ERR_MILLRACE_INVALID_STATE');
  const handled = await scene.bind({ message: () => {} });
  expect(await codeOf(() => handled.receive())).toBe('ERR_MILLRACE_INVALID_STATE');
  expect(await codeOf(() => handled.receiveMany())).toBe('ERR_MILLRACE_INVALID_STATE');
});

test.for([
  ['a Uint8Array', (memory: ArrayBuffer) => new Uint8Array(memory)],
  ['a DataView', (memory: ArrayBuffer) => new DataView(memory)],
  ['an ArrayBuffer', (memory: ArrayBuffer) => memory],
] as const)('%s whose memory was transferred is no empty datagram', async ([, make]) => {
  const memory = new ArrayBuffer(8);
  const data = make(memory);
  structuredClone(memory, { transfer: [memory] });
  const socket = await bindUdp({ host: '127.0.0.1' });
  const told = thrown(() => socket.send(data, { address: '127.0.0.1', port: 9 }));
  expect(told).toContain('TypeError: data must be in memory that was not transferred');
  expect(socket.sent).toBe(0);
  await socket.close();
});
