// Addresses as text and as the kernel has them, and what a socket accepts as a destination.
import { isIPv6, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { SystemError } from '../../../lib/index.js';
import { udpPeer } from '../../../lib/net/index.js';
import { codeOf, counters, until } from '../scene.js';
import { take, UdpScene } from './conformance.js';

const scene = new UdpScene();
afterEach(async () => {
  await scene.end();
  await until(() => counters().datagramSocketsOpen === 0);
});

describe('a peer', () => {
  test('has the address that it was made of, in its shortest form', () => {
    for (const [given, text] of [
      ['127.0.0.1', '127.0.0.1:9'],
      ['255.255.255.255', '255.255.255.255:9'],
      ['::', '[::]:9'],
      ['::1', '[::1]:9'],
      ['1::', '[1::]:9'],
      ['2001:DB8:0:0:1:0:0:1', '[2001:db8::1:0:0:1]:9'],
      ['1:2:3:4:5:6:7:8', '[1:2:3:4:5:6:7:8]:9'],
      ['1:0:3:4:5:6:7:8', '[1:0:3:4:5:6:7:8]:9'],
      ['64:ff9b::192.0.2.33', '[64:ff9b::c000:221]:9'],
      ['::ffff:127.0.0.1', '127.0.0.1:9'],
      ['::ffff:7f00:1', '127.0.0.1:9'],
    ] as const) {
      expect(String(udpPeer(given, 9)), given).toBe(text);
    }
  });

  test('agrees with Node about every address', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(groups, fc.integer({ min: 1, max: 65535 }), (numbers, port) => {
        fc.pre(numbers.slice(0, 5).some((group) => group !== 0));
        const given = numbers.map((group) => group.toString(16)).join(':');
        const peer = udpPeer(given, port);
        expect(isIPv6(peer.address)).toBe(true);
        const node = new SocketAddress({ address: given, family: 'ipv6', port });
        expect(new SocketAddress({ address: peer.address, family: 'ipv6', port }).address).toBe(node.address);
        expect(udpPeer(peer.address, port).equals(peer)).toBe(true);
        expect(peer.port).toBe(port);
      }),
    );
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 1, max: 65535 }), (address, port) => {
        expect(udpPeer(address, port)).toMatchObject({ address, port, family: 'IPv4' });
        expect(udpPeer(address, port).equals(udpPeer(address, (port % 65535) + 1))).toBe(false);
      }),
    );
  });

  test('is refused when it is none', () => {
    for (const address of ['localhost', '', '1.2.3', '1.2.3.4.5', '::g', 7, null, undefined]) {
      expect(() => udpPeer(address as string, 1), String(address)).toThrow(
        /^address must be an IPv4 or IPv6 address; got /,
      );
    }
    for (const port of [0, -1, 65536, 1.5, Number.NaN]) {
      expect(() => udpPeer('::1', port)).toThrow(`port must be an integer from 1 to 65535; got ${port}`);
    }
    expect(() => udpPeer('::1', '1' as never)).toThrow('port must be a number; got "1"');
  });
});

test('over IPv6', async () => {
  const server = await scene.bind({ host: '::1', message: (socket, datagram) => void socket.send(datagram, datagram) });
  const client = await scene.connect(server.port, { host: '::1' });
  expect(client.remoteAddress).toEqual({ address: '::1', family: 'IPv6', port: server.port });
  client.send('six');
  const datagram = await take(client);
  expect([String(datagram), String(datagram.from)]).toEqual(['six', `[::1]:${server.port}`]);
});

test('a socket for all addresses speaks with IPv4 peers by their IPv4 address', async () => {
  const any = await scene.bind({ host: '::' });
  const four = await scene.bind();
  four.send('to all', { address: '127.0.0.1', port: any.port });
  const datagram = await take(any);
  expect(datagram.from).toMatchObject({ address: '127.0.0.1', family: 'IPv4', port: four.port });
  for (const to of [datagram, datagram.from, { address: '127.0.0.1', port: four.port }]) {
    any.send('back', to);
    expect(String(await take(four))).toBe('back');
  }
});

test('an IPv4 socket refuses an IPv6 destination, and ipv6Only one of IPv4 is told by the kernel', async () => {
  const four = await scene.bind();
  expect(await codeOf(() => four.send('x', udpPeer('::1', 9)))).toBe('ERR_INVALID_ARG_TYPE');
  const six = await scene.bind({ host: '::', ipv6Only: true });
  six.send('x', udpPeer('127.0.0.1', 9));
  const error = await six.receive().then(String, (thrown) => thrown as SystemError);
  expect(error).toMatchObject({ code: 'ENETUNREACH', address: '127.0.0.1', port: 9 });
});

test('a name is looked up with what the caller gives', async () => {
  const asked: string[] = [];
  const server = await scene.bind({
    host: 'bind.test',
    lookup: async (name) => {
      asked.push(name);
      return '127.0.0.1';
    },
  });
  expect(server.localAddress.address).toBe('127.0.0.1');
  const client = await scene.connect(server.port, {
    host: 'connect.test',
    family: 4,
    lookup: (name, _options, callback) => {
      asked.push(name);
      callback(null, '127.0.0.1', 4);
    },
  });
  expect(client.remoteAddress.port).toBe(server.port);
  expect(asked).toEqual(['bind.test', 'connect.test']);
  expect(
    await codeOf(() => scene.bind({ host: 'none.test', lookup: () => Promise.reject(new Error('no such name')) })),
  ).toMatchObject({ message: 'no such name' });
});
