// How connections end: in order, half, cut, reset, at every point.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket as NodeSocket, connect as nodeConnect } from 'node:net';
import { expect, test } from 'vitest';
import { connect, type TlsSocket, TruncatedError } from '../../lib/tls/index.js';
import { Deferred, expectSameBytes, pattern, until } from '../net/scene.js';
import { localhost } from './certificates.js';
import { eachEngine, errorOf, HOST, readAllTls, TlsScene } from './scene.js';

const scene = new TlsScene();

/** Between a client and `port`: passes on what `limits` allow in each direction, then cuts both. */
async function cutter(port: number, limits: { up: number; down: number }, abrupt: boolean): Promise<number> {
  const server = createServer((client) => {
    const target = nodeConnect(port, HOST);
    const cut = (): void => {
      for (const socket of [client, target]) {
        if (abrupt) socket.resetAndDestroy();
        else socket.destroy();
      }
    };
    const pass = (from: NodeSocket, to: NodeSocket, limit: number): void => {
      let left = limit;
      from.on('data', (bytes) => {
        if (left === 0) return;
        const part = bytes.subarray(0, left);
        left -= part.length;
        // What was written must leave before the end.
        to.write(part, () => left === 0 && setImmediate(cut));
      });
      from.on('error', () => {});
      from.on('close', () => to.end());
    };
    pass(client, target, limits.up);
    pass(target, client, limits.down);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  proxies.push(server);
  return (server.address() as AddressInfo).port;
}

const proxies: ReturnType<typeof createServer>[] = [];

eachEngine((engine) => {
  test('close: close_notify, then the end, on both sides', async () => {
    const events: string[] = [];
    const { at, from } = await scene.pairTls({
      data: () => {},
      end: () => events.push('end'),
      error: () => events.push('error'),
      close: (_socket, lostBytes) => events.push(`close ${lostBytes}`),
    });
    await from.write('last words');
    await from.close();
    await until(() => at.closed);
    expect(events).toEqual(['end', 'close 0']);
    expect([from.closed, from.open, from.writable]).toEqual([true, false, false]);
    expect(await errorOf(() => from.write('more'))).toMatchObject({ code: 'ERR_MILLRACE_SOCKET_CLOSED' });
    await from.close();
  });

  test('closing with much to send: all of it arrives first', async () => {
    const { at, from } = await scene.pairTls();
    const bytes = pattern(9_000_000);
    void from.write(bytes);
    const closed = from.close();
    expectSameBytes(await readAllTls(at), bytes);
    await closed;
  });

  test('half open: the peer still sends after our end', async () => {
    const { at, from } = await scene.pairTls({ allowHalfOpen: true });
    await from.write('all I have');
    from.shutdown();
    expect(await errorOf(() => from.write('x'))).toMatchObject({ code: 'ERR_MILLRACE_SOCKET_CLOSED' });
    expect(String(await readAllTls(at))).toBe('all I have');
    expect(at.open).toBe(true);
    await at.write('an answer');
    at.shutdown();
    expect(String(await readAllTls(from))).toBe('an answer');
    await until(() => at.closed && from.closed);
  });

  test('an end without close_notify is an error, in reads and in handlers', async () => {
    const errors: Error[] = [];
    const { port } = await scene.nodeServer((plain) => serve(plain));
    const listener = await scene.listenTls({ data: (socket, chunk) => void socket.write(chunk) });
    // Passes everything on, but ends the client's side when it is told to.
    const ends: (() => void)[] = [];
    function serve(plain: NodeSocket): void {
      const target = scene.trackNode(nodeConnect(listener.port, HOST));
      plain.pipe(target, { end: false });
      target.pipe(plain, { end: false });
      for (const socket of [plain, target]) socket.on('error', () => {});
      ends.push(() => plain.end());
    }
    const reading = await scene.connectTls(port);
    const handled = await scene.connectTls(port, { data() {}, error: (_socket, error) => errors.push(error) });
    await reading.write('echo');
    expect(String(await reading.readExact(4))).toBe('echo');
    const read = reading.read();
    for (const end of ends) end();
    expect(await errorOf(() => read)).toBeInstanceOf(TruncatedError);
    await until(() => handled.closed);
    expect(errors).toMatchObject([{ code: 'ERR_MILLRACE_TLS_TRUNCATED' }]);
    expect(reading.peerEnded).toBe(false);
  });

  test('a reset is told, and waiting writes fail', async () => {
    const { at, from } = await scene.pairTls({}, { writeLimit: 2 ** 30 });
    const written = errorOf(() => from.write(pattern(30_000_000)));
    at.destroy();
    expect((await written).code).toMatch(/ECONNRESET|EPIPE/);
    expect((await errorOf(() => from.read())).code).toMatch(/ECONNRESET|EPIPE/);
  });

  test('destroyed with an error: it is given to all who wait', async () => {
    const told: Error[] = [];
    const { from } = await scene.pairTls({}, { error: (_socket, error) => told.push(error) });
    const failure = new Error('mine');
    const read = errorOf(() => from.read());
    from.destroy(failure);
    expect(await read).toBe(failure);
    expect(told).toEqual([failure]);
    await until(() => from.closed);
  });

  test('damaged data: an error of the protocol, told to both', async () => {
    const failed = new Deferred<Error & { code?: string }>();
    const accepted = new Deferred<TlsSocket>();
    const listener = await scene.listenTls({
      open: (socket) => accepted.resolve(scene.trackTls(socket)),
      data() {},
      error: (_socket, error) => failed.resolve(error),
    });
    const raw = nodeConnect(listener.port, HOST).on('error', () => {});
    scene.trackNode(raw);
    const { port } = await scene.nodeServer((client) => {
      client.on('error', () => {});
      raw.pipe(client);
      client.pipe(raw);
    });
    const from = await scene.connectTls(port);
    await accepted.promise;
    // A record of application data that nobody has encrypted.
    raw.write(Buffer.from([23, 3, 3, 0, 32, ...pattern(32)]));
    expect((await failed.promise).code).toMatch(/^ERR_SSL_/);
    await errorOf(() => from.read());
  });

  test.each([
    ['destroyed', false],
    ['reset', true],
  ] as const)('%s in the middle, at every stage of the handshake and after it', async (_how, abrupt) => {
    const opened: TlsSocket[] = [];
    const listener = await scene.listenTls({
      open(socket) {
        opened.push(socket);
        void socket.write(pattern(2000));
      },
      data() {},
      error() {},
      handshakeError() {},
    });
    const attempt = async (up: number, down: number): Promise<string> => {
      const port = await cutter(listener.port, { up, down }, abrupt);
      try {
        const socket = await connect({ host: HOST, port, ca: localhost().authority.cert });
        scene.trackTls(socket);
        void socket.write(pattern(2000));
        await socket.readExact(2000);
        socket.destroy();
        return 'all';
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      }
    };
    const outcomes = new Set<string>();
    const step = engine === 'native' ? 61 : 173;
    for (let limit = 1; limit < 2600; limit += step) {
      const both = await Promise.all([attempt(limit, 1e9), attempt(1e9, limit)]);
      for (const outcome of both) outcomes.add(outcome);
    }
    for (const outcome of outcomes) {
      expect(['all', 'ECONNRESET', 'EPIPE', 'ERR_MILLRACE_TLS_TRUNCATED', 'ERR_MILLRACE_UNEXPECTED_END']).toContain(
        outcome,
      );
    }
    expect(outcomes.size).toBeGreaterThan(1);
    for (const proxy of proxies.splice(0)) proxy.close();
    await until(() => listener.connections === 0);
    expect(listener.handshaking).toBe(0);
    expect(listener.accepted).toBe(listener.secured + listener.failed);
  });

  test('a listener that closes: those that speak go on, those that wait are told', async () => {
    const listener = await scene.listenTls();
    const from = await scene.connectTls(listener.port);
    const at = scene.trackTls((await listener.accept()) ?? expect.fail('no socket'));
    const waiting = listener.accept();
    await listener.close();
    expect(await waiting).toBeNull();
    expect(await listener.accept()).toBeNull();
    await from.write('still here');
    expect(String(await at.readExact(10))).toBe('still here');
    await from.close();
  });

  test('drained: done when the last connection has ended', async () => {
    const listener = await scene.listenTls({
      data: (socket, chunk) => void socket.write(chunk),
      closing: (own) => {
        for (const socket of own.sockets()) void socket.close();
      },
    });
    const from = await scene.connectTls(listener.port);
    await from.write('x');
    await from.readExact(1);
    expect(listener.sockets()).toHaveLength(1);
    expect(await listener.close({ drainMs: 5000 })).toBe(0);
    expect(await from.read()).toBeNull();
  });

  test('idle: the socket is destroyed, or its handler decides', async () => {
    const listener = await scene.listenTls({ open() {} });
    const idle = await scene.connectTls(listener.port, { idleTimeout: 20 });
    expect(await errorOf(() => idle.read())).toMatchObject({ code: 'ERR_MILLRACE_TIMEOUT' });
    const told = new Deferred<string>();
    await scene.connectTls(listener.port, { idleTimeout: 20, timeout: (_socket, error) => told.resolve(error.kind) });
    expect(await told.promise).toBe('idle');
  });
});
