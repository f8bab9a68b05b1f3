// What holds for UDP on every backend: real.test.ts runs it on io_uring and libuv, fake.test.ts over seeds.
import { expect } from 'vitest';
import { CancelToken, select, sleep, spawn, timeout } from '../../../lib/index.js';
import type { BindUdpOptions, ConnectUdpOptions, Datagram, UdpSocket } from '../../../lib/net/index.js';
import { bindUdp, connectUdp, udpPeer } from '../../../lib/net/index.js';
import { codeOf, Deferred, pattern } from '../scene.js';

export interface UdpCase {
  name: string;
  body(scene: UdpScene): Promise<void>;
}

/** Sockets that are gone when their test has ended. */
export class UdpScene {
  readonly #sockets: UdpSocket[] = [];

  async bind(options: BindUdpOptions = {}): Promise<UdpSocket> {
    return this.track(await bindUdp({ host: '127.0.0.1', ...options }));
  }

  async connect(port: number, options: Partial<ConnectUdpOptions> = {}): Promise<UdpSocket> {
    return this.track(await connectUdp({ host: '127.0.0.1', port, ...options }));
  }

  /** A server that sends everything back, and a client of it. */
  async echo(options: Partial<ConnectUdpOptions> = {}): Promise<{ server: UdpSocket; client: UdpSocket }> {
    const server = await this.bind({ message: (socket, datagram) => void socket.send(datagram, datagram) });
    return { server, client: await this.connect(server.port, options) };
  }

  track(socket: UdpSocket): UdpSocket {
    this.#sockets.push(socket);
    return socket;
  }

  async end(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) {
      socket.destroy();
      await socket.close();
    }
  }
}

export async function take(socket: UdpSocket): Promise<Datagram> {
  const datagram = await socket.receive();
  if (datagram === null) throw new Error('the socket was closed');
  return datagram;
}

export async function takeTexts(socket: UdpSocket, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const datagrams = await socket.receiveMany(count - texts.length);
    if (datagrams === null) throw new Error('the socket was closed');
    texts.push(...datagrams.map(String));
  }
  return texts;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

export const conformance: readonly UdpCase[] = [
  {
    name: 'a datagram comes back as it was, with its sender',
    async body(scene) {
      const { server, client } = await scene.echo();
      for (const text of ['hello', '', 'grüße', 'x'.repeat(1400)]) {
        client.send(text);
        const datagram = await take(client);
        expect(datagram.toString()).toBe(text);
        expect(datagram.from).toMatchObject({ address: '127.0.0.1', family: 'IPv4', port: server.port });
        expect(datagram.truncated).toBe(false);
      }
    },
  },
  {
    name: 'every kind of data is sent as its bytes',
    async body(scene) {
      const { client } = await scene.echo();
      const bytes = pattern(16);
      const words = new Uint16Array([1, 2, 3]);
      client.send(bytes);
      client.send(words);
      client.send(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 16));
      client.send(new DataView(bytes.buffer, bytes.byteOffset + 2, 3));
      const got = [await take(client), await take(client), await take(client), await take(client)];
      expect(got[0]?.bytes.equals(bytes)).toBe(true);
      expect([...new Uint16Array(new Uint8Array(got[1]?.bytes as Buffer).buffer)]).toEqual([1, 2, 3]);
      expect(got[2]?.bytes.equals(bytes)).toBe(true);
      expect(got[3]?.bytes.equals(bytes.subarray(2, 5))).toBe(true);
      client.send(got[0] as Datagram);
      expect((await take(client)).bytes.equals(bytes)).toBe(true);
    },
  },
  {
    name: 'many datagrams of one sender arrive in their order',
    async body(scene) {
      const at = await scene.bind();
      const from = await scene.connect(at.port);
      const texts = numbers(200);
      await from.sendMany(texts);
      expect(await takeTexts(at, texts.length)).toEqual(texts);
    },
  },
  {
    name: 'one batch has several senders, and each gets its own answer',
    async body(scene) {
      const { server } = await scene.echo();
      const clients = [
        await scene.connect(server.port),
        await scene.connect(server.port),
        await scene.connect(server.port),
      ];
      for (let round = 0; round < 20; round++)
        for (const [i, client] of clients.entries()) client.send(`${i}:${round}`);
      for (const [i, client] of clients.entries()) {
        expect(await takeTexts(client, 20)).toEqual(numbers(20).map((round) => `${i}:${round}`));
      }
    },
  },
  {
    name: 'small and large datagrams share a batch, and each is whole',
    async body(scene) {
      const at = await scene.bind();
      const from = await scene.connect(at.port);
      const lengths = [1, 60_000, 0, 3000, 64, 65, 65_507, 7];
      const sent = lengths.map((length, i) => pattern(length, i + 1));
      // One at a time too: the place for a datagram is as large as the one before.
      for (const bytes of sent) {
        from.send(bytes);
        expect((await take(at)).bytes.equals(bytes)).toBe(true);
      }
      for (const some of [sent.slice(0, 3), sent.slice(3, 6), sent.slice(6)]) {
        from.sendMany(some);
        for (const bytes of some) expect((await take(at)).bytes.equals(bytes)).toBe(true);
      }
    },
  },
  {
    name: 'what is longer than maxDatagramBytes is cut, and that is told',
    async body(scene) {
      const at = await scene.bind({ maxDatagramBytes: 100 });
      const from = await scene.connect(at.port);
      const bytes = pattern(101);
      from.sendMany([bytes, bytes.subarray(0, 100), 'end', pattern(5000)]);
      const got = [await take(at), await take(at), await take(at), await take(at)];
      expect(got.map(({ length, truncated }) => [length, truncated])).toEqual([
        [100, true],
        [100, false],
        [3, false],
        [100, true],
      ]);
      expect(got[0]?.bytes.equals(bytes.subarray(0, 100))).toBe(true);
    },
  },
  {
    name: 'a datagram too long for any packet is refused at once, and the socket goes on',
    async body(scene) {
      const { client } = await scene.echo();
      expect(await codeOf(() => client.send(Buffer.alloc(65_508)))).toBe('EMSGSIZE');
      expect(await codeOf(() => client.send('ü'.repeat(40_000)))).toBe('EMSGSIZE');
      expect(await codeOf(() => client.send('x'.repeat(70_000)))).toBe('EMSGSIZE');
      client.send('fits');
      expect(String(await take(client))).toBe('fits');
    },
  },
  {
    name: 'a connected socket hears its peer only',
    async body(scene) {
      const at = await scene.bind();
      const client = await scene.connect(at.port);
      const other = await scene.bind();
      other.send('from a stranger', { address: '127.0.0.1', port: client.port });
      at.send('from the peer', { address: '127.0.0.1', port: client.port });
      expect(String(await take(client))).toBe('from the peer');
    },
  },
  {
    name: 'connect takes another peer',
    async body(scene) {
      const { client } = await scene.echo();
      const second = await scene.bind();
      client.connect({ address: '127.0.0.1', port: second.port });
      expect(client.remoteAddress).toMatchObject({ address: '127.0.0.1', port: second.port });
      client.send('to the second');
      expect(String(await take(second))).toBe('to the second');
    },
  },
  {
    name: 'a port where nobody listens is told to receive, and the socket lives on',
    async body(scene) {
      const port = await unusedPort(scene);
      const client = await scene.connect(port);
      client.send('anybody?');
      expect(await codeOf(() => client.receive())).toBe('ECONNREFUSED');
      expect(client.open).toBe(true);
      expect(client.errors).toBe(1);
      const back = await scene.bind({ port, message: (socket, datagram) => void socket.send(datagram, datagram) });
      expect(back.port).toBe(port);
      client.send('again');
      expect(String(await take(client))).toBe('again');
    },
  },
  {
    name: 'and to the error handler where there is one',
    async body(scene) {
      const told = new Deferred<Error>();
      const client = await scene.connect(await unusedPort(scene), {
        message: () => {},
        error: (_socket, error) => told.resolve(error),
      });
      client.send('anybody?');
      expect(await told.promise).toMatchObject({ code: 'ECONNREFUSED', name: 'SystemError' });
      expect(client.open).toBe(true);
    },
  },
  {
    name: 'a datagram is dead when its handler has returned, and its copy and sender are not',
    async body(scene) {
      const kept = new Deferred<[Datagram, Buffer, unknown]>();
      const at = await scene.bind({
        message: (_socket, datagram) => kept.resolve([datagram, datagram.copy(), datagram.from]),
      });
      const from = await scene.connect(at.port);
      from.send('lent');
      const [datagram, copy, peer] = await kept.promise;
      for (const use of [
        () => datagram.bytes,
        () => datagram.copy(),
        () => String(datagram),
        () => datagram.from,
        () => datagram.truncated,
        () => from.send(datagram),
        () => at.send('x', datagram),
      ]) {
        expect(await codeOf(use)).toBe('ERR_MILLRACE_CHUNK_DEAD');
      }
      expect(String(copy)).toBe('lent');
      expect(String(peer)).toBe(`127.0.0.1:${from.port}`);
      at.send('to the sender', peer as { address: string; port: number });
      expect(String(await take(from))).toBe('to the sender');
    },
  },
  {
    name: 'an idle socket is closed, and what waits is told so',
    async body(scene) {
      const at = await scene.bind();
      const waiting = [at.receive(), at.receiveMany(), at.receive()];
      const iterated = spawn(async () => {
        for await (const _ of at) expect.fail('nothing was sent');
      });
      const closed = at.close();
      for (const receive of waiting) expect(await receive).toBeNull();
      await iterated;
      await closed;
      expect(at.closed).toBe(true);
      expect(await at.receive()).toBeNull();
      expect(await codeOf(() => at.send('x', udpPeer('127.0.0.1', 1)))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
      expect(await codeOf(() => at.localAddress)).toBe('EBADF');
      await at.close();
      at.destroy();
      at.ref().unref();
    },
  },
  {
    name: 'what was sent before close leaves',
    async body(scene) {
      const at = await scene.bind();
      const from = await scene.connect(at.port);
      const texts = numbers(100);
      from.sendMany(texts);
      await from.close();
      expect(await takeTexts(at, 100)).toEqual(texts);
    },
  },
  {
    name: 'what was received before close can still be taken',
    async body(scene) {
      const at = await scene.bind();
      const from = await scene.connect(at.port);
      from.sendMany(['first', 'second']);
      const first = await take(at);
      while (at.received < 2) await sleep(1);
      await at.close();
      expect([String(first), String(await at.receive())]).toEqual(['first', 'second']);
      expect(await at.receive()).toBeNull();
    },
  },
  {
    name: 'a handler that closes its socket hears of nothing but its close',
    async body(scene) {
      const events: string[] = [];
      const closed = new Deferred<number>();
      const at = await scene.bind({
        message(socket, datagram) {
          events.push(String(datagram));
          socket.close();
        },
        close: (_socket, lost) => closed.resolve(lost),
      });
      const from = await scene.bind();
      from.sendMany(numbers(50), { address: '127.0.0.1', port: at.port });
      expect(await closed.promise).toBe(0);
      expect(events).toEqual(['0']);
    },
  },
  {
    name: 'a handler that throws ends its own socket, and its error handler is told',
    async body(scene) {
      const told = new Deferred<unknown>();
      const at = await scene.bind({
        message() {
          throw new Error('a bug');
        },
        error: (_socket, error) => told.resolve(error),
      });
      const { client } = await scene.echo();
      const from = await scene.connect(at.port);
      from.sendMany(['x', 'y']);
      expect(await told.promise).toMatchObject({ message: 'a bug' });
      await at.close();
      expect(await codeOf(() => at.send('x', udpPeer('127.0.0.1', 1)))).not.toBe('nothing');
      client.send('others live');
      expect(String(await take(client))).toBe('others live');
    },
  },
  {
    name: 'a receive that loses a select gives its datagrams back',
    async body(scene) {
      const at = await scene.bind();
      const from = await scene.connect(at.port);
      const texts = numbers(60);
      const got: string[] = [];
      let idle = 0;
      for (let sent = 0; got.length < texts.length && idle < 100; ) {
        // Several at once, so that both receives are given some and one of them loses.
        from.sendMany(texts.slice(sent, sent + 4));
        sent += 4;
        const winner = await select({ pause: sleep(1), one: at.receive(), many: at.receiveMany(3) });
        idle++;
        if (winner.key === 'pause') continue;
        idle = 0;
        if (winner.key === 'one') got.push(String(winner.value));
        else got.push(...(winner.value as Datagram[]).map(String));
      }
      expect(got.toSorted((a, b) => Number(a) - Number(b))).toEqual(texts);
    },
  },
  {
    name: 'an aborted task and a cancelled signal end the wait, and nothing is lost',
    async body(scene) {
      const at = await scene.bind();
      const from = await scene.connect(at.port);
      const task = spawn(() => at.receive());
      const token = new CancelToken();
      const limited = timeout(1, () => at.receive());
      expect(await codeOf(() => limited)).toBe('ERR_MILLRACE_TIMEOUT');
      await sleep(1);
      task.abort();
      expect(await codeOf(() => task)).toBe('ABORT_ERR');
      token.cancel();
      expect(await codeOf(() => bindUdp({ host: '127.0.0.1', signal: token }))).toBe('ABORT_ERR');
      from.send('for whoever is left');
      expect(String(await take(at))).toBe('for whoever is left');
    },
  },
  {
    name: 'a socket from which nobody receives pauses at its bound, and goes on when somebody does',
    async body(scene) {
      const at = await scene.bind({ highWaterMark: 2000, lowWaterMark: 500 });
      const from = await scene.connect(at.port);
      let sent = 0;
      const more = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) from.send(String(sent++).padEnd(100));
        await sleep(2);
      };
      for (let i = 0; i < 20; i++) await more(10);
      // A batch may go beyond the bound, and one more is taken before the pause is seen.
      expect(at.received).toBeLessThan(150);
      const before = at.received;
      await more(10);
      expect(at.received).toBe(before);
      const texts = (await takeTexts(at, sent)).map(Number);
      expect(texts).toEqual(Array.from({ length: sent }, (_, i) => i));
    },
  },
  {
    name: 'pause and resume of a socket with a handler',
    async body(scene) {
      const got: string[] = [];
      const at = await scene.bind({ message: (_socket, datagram) => void got.push(String(datagram)) });
      const from = await scene.connect(at.port);
      at.pause();
      await sleep(1);
      from.sendMany(numbers(10));
      const { client } = await scene.echo();
      for (let i = 0; i < 3; i++) {
        client.send('turn');
        await take(client);
      }
      expect(got).toEqual([]);
      at.resume();
      while (got.length < 10) await sleep(1);
      expect(got).toEqual(numbers(10));
    },
  },
  {
    name: 'more datagrams than the ring and the arena hold leave within one tick',
    async body(scene) {
      const at = await scene.bind({ receiveBufferSize: 2 ** 20 });
      const from = await scene.connect(at.port);
      let received = 0;
      let ended = false;
      const reader = spawn(async () => {
        for await (const datagram of at) {
          received += 1;
          if (String(datagram) !== 'end') continue;
          ended = true;
          return;
        }
      });
      for (let i = 0; i < 3000; i++) from.send('x');
      for (let i = 0; i < 40; i++) from.send(Buffer.alloc(60_000));
      expect(from.sent).toBe(3040);
      while (received === 0) await sleep(1);
      // The kernel may have dropped what it had no room for, so the end is sent until it comes.
      while (!ended) {
        from.send('end');
        await sleep(1);
      }
      await reader;
    },
  },
  {
    name: 'settings are kept by the kernel',
    async body(scene) {
      const at = await scene.bind({ ttl: 9, multicastTtl: 7, multicastLoop: false, broadcast: true });
      expect(at.getOption('ttl')).toBe(9);
      expect(at.getOption('multicastTtl')).toBe(7);
      expect(at.getOption('multicastLoop')).toBe(0);
      expect(at.getOption('broadcast')).toBe(1);
      at.setOptions({ ttl: 33, multicastLoop: true });
      expect(at.getOption('ttl')).toBe(33);
      expect(at.getOption('multicastTtl')).toBe(7);
      expect(at.getOption('multicastLoop')).toBe(1);
      at.setOptions({ receiveBufferSize: 100_000, sendBufferSize: 50_000 });
      expect(at.getOption('receiveBufferSize')).toBeGreaterThanOrEqual(100_000);
      expect(at.getOption('sendBufferSize')).toBeGreaterThanOrEqual(50_000);
    },
  },
  {
    name: 'a bound port is taken',
    async body(scene) {
      const first = await scene.bind();
      expect(await codeOf(() => scene.bind({ port: first.port }))).toBe('EADDRINUSE');
    },
  },
];

async function unusedPort(scene: UdpScene): Promise<number> {
  const socket = await scene.bind();
  const { port } = socket;
  await socket.close();
  return port;
}
