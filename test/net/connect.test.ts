// Connecting: to addresses and names, refused, cancelled, too late, unknown.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CancelToken, select, sleep, spawn, timeout } from '../../lib/index.js';
import { connect, listen } from '../../lib/net/index.js';
import { codeAndCause, codeOf, counters, Scene, until } from './scene.js';
import { SilentListener } from './silent-listener.js';

const scene = new Scene();
let silent: SilentListener;
beforeAll(async () => {
  silent = await SilentListener.start();
});
afterAll(() => silent.stop());

/** A port on which nobody listens. */
async function unusedPort(): Promise<number> {
  const listener = await listen({ host: '127.0.0.1' });
  await listener.close();
  return listener.port;
}

describe('connect', () => {
  test('to an IPv4 address: both sides know each other', async () => {
    const { at, from } = await scene.pair();
    expect(from.remoteAddress).toEqual(at.localAddress);
    expect(at.remoteAddress).toEqual(from.localAddress);
    expect(at.localAddress).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
    expect(from.localAddress.port).toBeGreaterThan(0);
  });

  test('to an IPv6 address', async () => {
    const listener = await scene.listen({ host: '::1' });
    const socket = await scene.connect(listener.port, { host: '::1' });
    expect(socket.remoteAddress).toEqual({ address: '::1', family: 'IPv6', port: listener.port });
    await socket.close();
  });

  test('to a name: the first of its addresses that answers', async () => {
    const listener = await scene.listen({ host: '127.0.0.1', data: (socket, chunk) => void socket.write(chunk) });
    for (const host of ['localhost', undefined]) {
      const socket = scene.track(await connect({ port: listener.port, ...(host === undefined ? {} : { host }) }));
      await socket.write('x');
      expect(String(await socket.read())).toBe('x');
    }
  });

  test("is refused where nobody listens, and the error is Node's", async () => {
    const port = await unusedPort();
    const error = await connect({ host: '127.0.0.1', port }).then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      code: 'ECONNREFUSED',
      errno: -111,
      syscall: 'connect',
      address: '127.0.0.1',
      port,
      message: `connect ECONNREFUSED 127.0.0.1:${port}: connection refused`,
    });
  });

  test('a hundred times refused leaves nothing', async () => {
    const port = await unusedPort();
    const codes = await Promise.all(
      Array.from({ length: 100 }, () => codeOf(() => connect({ host: '127.0.0.1', port }))),
    );
    expect(new Set(codes)).toEqual(new Set(['ECONNREFUSED']));
    await until(() => counters().socketsOpen === 0);
  });

  test("to an unknown host is the resolver's error", async () => {
    const code = await codeOf(() => connect({ host: 'no-such-host.invalid', port: 1 }));
    expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(code);
  });

  test.each(['a b', 'x'.repeat(300), 'a\0b', '::g', 'http://localhost', '[::1]', '127.0.0.1:80', '%', '-'])(
    'to the strange host %j is an error and nothing else',
    async (host) => {
      const error = await connect({ host, port: await unusedPort() }).then(
        () => null,
        (thrown) => thrown,
      );
      expect(error).toBeInstanceOf(Error);
      expect(typeof (error as { code?: unknown }).code).toBe('string');
    },
  );

  test('nobody who waits for it is an unhandled rejection only when it fails', async () => {
    const listener = await scene.listen();
    const operation = connect({ host: '127.0.0.1', port: listener.port });
    await until(() => operation.state !== 0);
    (await operation).destroy();
  });
});

describe('where it comes from', () => {
  test('is the local address and port that were asked for', async () => {
    const listener = await scene.listen({ host: '127.0.0.1' });
    const free = await unusedPort();
    const socket = await scene.connect(listener.port, { localAddress: '127.0.0.7', localPort: free });
    expect(socket.localAddress).toEqual({ address: '127.0.0.7', family: 'IPv4', port: free });
    expect((await listener.accept())?.remoteAddress.address).toBe('127.0.0.7');
  });

  test('of localhost, a local address of IPv4 means 127.0.0.1', async () => {
    const listener = await scene.listen({ host: '127.0.0.1' });
    const socket = scene.track(await connect({ port: listener.port, localAddress: '127.0.0.8' }));
    expect(socket.remoteAddress.address).toBe('127.0.0.1');
  });

  test('is an error where it cannot be', async () => {
    const listener = await scene.listen({ host: '127.0.0.1' });
    const { port } = listener;
    const error = (options: object) => codeOf(() => connect({ host: '127.0.0.1', port, ...options }));
    expect(await error({ localAddress: '192.0.2.1' })).toBe('EADDRNOTAVAIL');
    expect(await error({ localAddress: '127.0.0.1', localPort: port })).toBe('EADDRINUSE');
    expect(await error({ localAddress: '::1' })).toMatch(/^E/);
  });
});

test('localhost, refused at both its addresses, is an AggregateError with both', async () => {
  const port = await unusedPort();
  const error = await connect({ port }).then(
    () => null,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(AggregateError);
  const { code, errors } = error as AggregateError & { code: string };
  expect(code).toBe(errors[0].code);
  expect(errors.map(({ address }: { address: string }) => address)).toEqual(['::1', '127.0.0.1']);
  expect(errors[1]).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', port });
});

describe('a connect that is given up', () => {
  test('by its time limit ends, and with it the attempt', async () => {
    const connecting = connect({ host: '127.0.0.1', port: silent.port, connectTimeout: 5 });
    const error = await connecting.then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ name: 'TimeoutError', code: 'ERR_MILLRACE_TIMEOUT' });
    expect(Object.hasOwn(error as object, 'cause')).toBe(false);
    await until(() => counters().socketsOpen === 0);
    expect(await codeOf(() => connect({ host: '127.0.0.1', port: silent.port, connectTimeout: 0 }))).toBe(
      'ERR_MILLRACE_TIMEOUT',
    );
  });

  test('by a timeout ends, and with it the attempt', async () => {
    const code = await codeOf(() => timeout(5, connect({ host: '127.0.0.1', port: silent.port })));
    expect(code).toBe('ERR_MILLRACE_TIMEOUT');
    await until(() => counters().socketsOpen === 0);
  });

  test('by an AbortSignal keeps its reason, before, while looking up and while connecting', async () => {
    for (const host of ['127.0.0.1', 'localhost', 'no-such-host.invalid']) {
      const listener = await scene.listen();
      const before = connect({ host, port: listener.port, signal: AbortSignal.abort('mine') });
      expect(await before.catch(codeAndCause)).toEqual(['ABORT_ERR', 'mine']);
      const controller = new AbortController();
      const during = connect({ host, port: listener.port, signal: controller.signal });
      controller.abort('mine');
      expect(await during.catch(codeAndCause)).toEqual(['ABORT_ERR', 'mine']);
    }
    await until(() => counters().socketsOpen <= 3);
  });

  test('by a CancelToken', async () => {
    const token = new CancelToken();
    const operation = connect({ host: '127.0.0.1', port: silent.port, signal: token });
    token.cancel('mine');
    expect(await codeOf(() => operation)).toBe('ABORT_ERR');
  });

  test('with its task, at any moment', async () => {
    const listener = await scene.listen();
    for (let turns = 0; turns < 30; turns++) {
      const task = spawn(async () => {
        const socket = await connect({ host: '127.0.0.1', port: listener.port });
        await socket.close();
      });
      for (let turn = 0; turn < turns % 5; turn++) await new Promise(setImmediate);
      task.abort();
      expect(['nothing', 'ABORT_ERR']).toContain(await codeOf(() => task));
    }
    for (let open = counters().socketsOpen as number; listener.accepted > 0 && open > 1; ) {
      const socket = await listener.accept();
      socket?.destroy();
      await until(() => (counters().socketsOpen as number) < open || counters().socketsOpen === 1);
      open = counters().socketsOpen as number;
    }
  });

  test('as the loser of a select that it could have won is closed', async () => {
    const listener = await scene.listen();
    const operation = connect({ host: '127.0.0.1', port: listener.port });
    await until(() => operation.state !== 0);
    const winner = await select({ ready: sleep(0), socket: operation }, { biased: false });
    if (winner.key === 'socket') winner.value.destroy();
    else await until(() => operation.value.closed);
    const accepted = await listener.accept();
    expect(['ECONNRESET', 'nothing']).toContain(await codeOf(() => accepted?.read()));
    accepted?.destroy();
  });
});

test('two hundred connect at once', async () => {
  const listener = await scene.listen({ data: (socket, chunk) => void socket.write(chunk) });
  const sockets = await Promise.all(Array.from({ length: 200 }, () => scene.connect(listener.port)));
  expect(new Set(sockets.map((socket) => socket.localAddress.port)).size).toBe(200);
  for (const socket of sockets) void socket.write('x');
  for (const socket of sockets) expect(String(await socket.read())).toBe('x');
  await until(() => listener.accepted === 200);
});
