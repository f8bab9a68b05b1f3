// UDP: what is lost is counted and replaced; what is wrong, doubled or made up is noticed.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildLoad, measure, runLoad } from './load.js';

beforeAll(buildLoad, 300_000);

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

type OnDatagram = (datagram: Buffer, number: number, reply: (bytes: Buffer) => void) => void;

/** A server; `number` is the count that the generator writes into each of a socket's datagrams. */
function serve(onDatagram: OnDatagram): Promise<string> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.on('message', (datagram: Buffer, from: RemoteInfo) => {
    onDatagram(datagram, Number(datagram.readBigUInt64LE(8)), (bytes) => {
      socket.send(bytes, from.port, from.address);
    });
  });
  return new Promise((resolve) => {
    socket.bind(0, '127.0.0.1', () => resolve(String(socket.address().port)));
  });
}

const QUICK = ['--seconds', '0.2', '--warmup', '0'];

describe.runIf(process.platform === 'linux')('UDP', () => {
  it('keeps datagrams in flight on each socket, all of them checked', async () => {
    const port = await serve((datagram, _, reply) => reply(datagram));
    const words = ['--connections', '3', '--in-flight', '8', '--bytes', '100', '--timeout', '5'];
    const result = await measure('udp', '--port', port, ...QUICK, ...words, '--server-pid', String(process.pid));
    expect(result).toMatchObject({ mode: 'udp', loop: 'closed', connections: 3, inFlight: 8, messageBytes: 100 });
    expect(result).toMatchObject({ lost: 0, late: 0, ownDrops: 0 });
    expect(result.messages).toBeGreaterThan(24);
    expect(result.serverCpuSeconds).toBeGreaterThan(0);
  });

  it('counts what is lost, with the time that it was waited for', async () => {
    const port = await serve((datagram, number, reply) => {
      if (number % 5 !== 2) reply(datagram);
    });
    const words = ['--rate', '1000', '--connections', '1', '--timeout', '1'];
    const result = await measure('udp', '--port', port, ...QUICK, ...words);
    expect(result).toMatchObject({ loop: 'open', scheduled: 200, unanswered: 0 });
    expect(result.lost - result.late).toBe(40);
    expect(result.latencyMicroseconds.p90).toBeGreaterThanOrEqual(1_000_000);
  });

  it('replaces what is lost in the closed loop', async () => {
    const seen: number[] = [];
    const port = await serve((datagram, number, reply) => {
      seen.push(number);
      if (number >= 4) reply(datagram);
    });
    const words = ['--connections', '1', '--in-flight', '4', '--timeout', '0.02', '--seconds', '1', '--warmup', '0'];
    const result = await measure('udp', '--port', port, ...words);
    expect(result.lost).toBeGreaterThanOrEqual(4);
    expect(result.messages).toBeGreaterThan(0);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('knows what comes late from what comes twice', async () => {
    let first: Buffer | undefined;
    const port = await serve((datagram, number, reply) => {
      if (number === 0) {
        first = Buffer.from(datagram);
        return;
      }
      // The second leaves only when the first has been given up.
      if (number === 1 && first !== undefined) reply(first);
      reply(datagram);
    });
    const words = ['--connections', '1', '--timeout', '0.05', '--seconds', '1', '--warmup', '0'];
    const result = await measure('udp', '--port', port, ...words);
    expect(result.late).toBeGreaterThanOrEqual(1);
    expect(result.lost).toBeGreaterThanOrEqual(1);
  });

  it('serves an open loop of many sockets by a Poisson schedule', async () => {
    const port = await serve((datagram, _, reply) => reply(datagram));
    const words = ['--rate', '2000', '--schedule', 'poisson', '--seed', '5', '--connections', '20', '--timeout', '5'];
    const result = await measure('udp', '--port', port, ...QUICK, ...words, '--wait', 'spin');
    const { dueNs } = await measure('schedule', '--rate', '2000', '--schedule', 'poisson', '--seed', '5');
    expect(result.scheduled).toBe(dueNs.filter((due: number) => due < 0.2e9).length);
    expect(result).toMatchObject({ unanswered: 0, lost: 0, schedule: 'poisson', seed: 5 });
  });

  const changed = (datagram: Buffer, at: number) => {
    const bytes = Buffer.from(datagram);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
  it.each<[string, OnDatagram, RegExp]>([
    ['changes the last byte', (datagram, _, reply) => reply(changed(datagram, 63)), /wrong bytes in datagram 0/],
    ['mixes up sockets', (datagram, _, reply) => reply(changed(datagram, 0)), /to the wrong socket/],
    ['answers what was never sent', (datagram, _, reply) => reply(changed(datagram, 14)), /never sent/],
    ['cuts the end off', (datagram, _, reply) => reply(datagram.subarray(0, 63)), /another length/],
    [
      'adds a byte',
      (datagram, _, reply) => reply(Buffer.concat([datagram, datagram]).subarray(0, 65)),
      /another length/,
    ],
    [
      'says everything twice',
      (datagram, _, reply) => {
        reply(datagram);
        reply(datagram);
      },
      /answered a datagram twice/,
    ],
    ['says nothing', () => {}, /no message came back/],
  ])('notices a server that %s', async (_, onDatagram, message) => {
    const port = await serve(onDatagram);
    const finished = await runLoad('udp', '--port', port, ...QUICK, '--connections', '1');
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(1);
    expect(finished.stdout).toBe('');
  });

  it('says that nobody listens', async () => {
    const port = await serve(() => {});
    for (const socket of sockets.splice(0)) socket.close();
    const finished = await runLoad('udp', '--port', port, ...QUICK);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/127\.0\.0\.1:\d+: Connection refused/);
  });

  it('refuses datagrams that cannot be', async () => {
    for (const bytes of ['15', '65508']) {
      const finished = await runLoad('udp', '--port', '9', '--bytes', bytes);
      expect(finished.code).toBe(2);
      expect(finished.stderr).toMatch(/--bytes must be a whole number from 16 to 65507 over UDP/);
    }
  });
});
