// What only a real kernel has: groups, shared ports, broadcast, buffers that overflow; and node:dgram as the other end.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { sleep } from '../../../lib/index.js';
import { type Datagram, udpPeer } from '../../../lib/net/index.js';
import { codeOf, counters, Deferred, until } from '../scene.js';
import { take, takeTexts, UdpScene } from './conformance.js';

const scene = new UdpScene();
afterEach(async () => {
  await scene.end();
  await until(() => counters().datagramSocketsOpen === 0);
  expect(counters().faults).toBe(0);
});

const loopback =
  Object.entries(networkInterfaces()).find(([, all]) => all?.some(({ internal }) => internal))?.[0] ?? 'lo';
const GROUP = '239.255.77.1';

/** Null where groups work on the loopback; else why they do not. */
async function groupsProblem(): Promise<string | null> {
  const socket = await scene.bind({ host: '0.0.0.0', multicastInterface: loopback });
  try {
    socket.join(GROUP, { interface: loopback });
    socket.send('probe', udpPeer(GROUP, socket.port));
    const got = await Promise.race([socket.receive().promise(), sleep(500)]);
    return got === undefined ? 'nothing comes back on the loopback' : null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await socket.close();
  }
}

describe('multicast', () => {
  test('every member of a group gets what is sent to it, and nobody after leaving', async ({ skip }) => {
    const problem = await groupsProblem();
    if (problem !== null) skip(`no multicast here: ${problem}`);
    const first = await scene.bind({ host: '0.0.0.0', reuseAddr: true });
    const second = await scene.bind({ host: '0.0.0.0', reuseAddr: true, port: first.port });
    for (const socket of [first, second]) socket.join(GROUP, { interface: loopback });
    expect(await codeOf(() => first.join(GROUP, { interface: loopback }))).toBe('EADDRINUSE');
    const sender = await scene.bind({ multicastInterface: loopback, multicastTtl: 0 });
    const group = udpPeer(GROUP, first.port);
    sender.send('to all', group);
    expect([String(await take(first)), String(await take(second))]).toEqual(['to all', 'to all']);
    first.leave(GROUP, { interface: loopback });
    expect(await codeOf(() => first.leave(GROUP, { interface: loopback }))).toBe('EADDRNOTAVAIL');
    sender.send('to the second', group);
    expect(String(await take(second))).toBe('to the second');
    first.unref();
  });

  test('of one source', async ({ skip }) => {
    const problem = await groupsProblem();
    if (problem !== null) skip(`no multicast here: ${problem}`);
    const at = await scene.bind({ host: '0.0.0.0' });
    at.join('232.1.2.3', { interface: '127.0.0.1', source: '127.0.0.1' });
    const sender = await scene.bind({ multicastInterface: '127.0.0.1' });
    sender.send('from the source', udpPeer('232.1.2.3', at.port));
    expect((await take(at)).from.address).toBe('127.0.0.1');
    at.leave('232.1.2.3', { interface: loopback, source: '127.0.0.1' });
  });

  test('what is no group or no interface is refused', async () => {
    const at = await scene.bind();
    expect(await codeOf(() => at.join('127.0.0.1'))).toBe('EINVAL');
    expect(await codeOf(() => at.join(GROUP, { interface: 'no-such0' }))).toBe('ENODEV');
    expect(await codeOf(() => at.setOptions({ multicastInterface: 'no-such0' }))).toBe('ENODEV');
    expect(await codeOf(() => scene.bind({ multicastInterface: 'no-such0' }))).toBe('ENODEV');
  });
});

test('a broadcast needs leave, and its refusal names where it went', async () => {
  const at = await scene.bind({ host: '0.0.0.0' });
  at.send('x', udpPeer('255.255.255.255', 9));
  const error = await at.receive().then(String, (thrown) => thrown);
  expect(error).toMatchObject({ code: 'EACCES', syscall: 'send', address: '255.255.255.255', port: 9 });
  at.setOptions({ broadcast: true });
  const receiver = await scene.bind({ host: '0.0.0.0' });
  // The loopback's own broadcast address goes nowhere else.
  at.send('to all', udpPeer('127.255.255.255', receiver.port));
  expect(String(await take(receiver))).toBe('to all');
});

test('sockets that share a port share its peers', async () => {
  const all: [number, Datagram][] = [];
  const first = await scene.bind({ reusePort: true, message: () => {} });
  const { port } = first;
  await first.close();
  const sockets = [];
  for (let i = 0; i < 2; i++) {
    const socket = await scene.bind({
      reusePort: true,
      port,
      message: (_socket, datagram) => void all.push([i, datagram]),
    });
    sockets.push(socket);
  }
  for (let i = 0; i < 64; i++) (await scene.connect(port)).send(`${i}`);
  await until(() => all.length === 64);
  expect(new Set(all.map(([i]) => i)).size).toBe(2);
});

test('what a full buffer drops is counted', async () => {
  const at = await scene.bind({ receiveBufferSize: 4096 });
  const from = await scene.connect(at.port);
  at.pause();
  // Each longer than the one before: none go together as one message, which would count once.
  from.sendMany(Array.from({ length: 200 }, (_, i) => 'x'.repeat(1000 + i)));
  await from.close();
  expect(at.dropped).toBeGreaterThan(0);
  at.resume();
  const got = await takeTexts(at, 1);
  await sleep(1);
  expect(got.length).toBe(1);
  expect(at.received + at.dropped).toBe(200);
});

test('node:dgram understands it, and it node:dgram', async () => {
  const node = createSocket('udp4');
  node.on('message', (message, { port, address }) => node.send(message, port, address));
  node.bind(0, '127.0.0.1');
  await once(node, 'listening');
  const client = await scene.connect(node.address().port);
  const texts = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(1 + (i % 40)));
  await client.sendMany(texts);
  expect(await takeTexts(client, 100)).toEqual(texts);
  const { client: _, server } = await scene.echo();
  node.removeAllListeners('message');
  const back = new Deferred<string>();
  node.on('message', (message) => back.resolve(String(message)));
  node.send('from node', server.port, '127.0.0.1');
  expect(await back.promise).toBe('from node');
  node.close();
  await once(node, 'close');
});
