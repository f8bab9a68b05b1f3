// What a listener does with connections: holds them back, counts them, lets them finish, hands itself over.

import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { CancelToken } from '../../lib/index.js';
import { border } from '../../lib/internal/border.js';
import { connect, type ListenOptions, listen, type Socket } from '../../lib/net/index.js';
import { codeOf, counters, Deferred, Scene, until } from './scene.js';

const scene = new Scene();
const echo: ListenOptions = { data: (socket, chunk) => void socket.write(chunk) };

/** The descriptor is let go of soon after `close`; who comes in between is reset. */
async function untilRefused(port: number): Promise<void> {
  const tried = (): Promise<unknown> => codeOf(async () => (await connect({ host: '127.0.0.1', port })).destroy());
  while ((await tried()) !== 'ECONNREFUSED');
}

describe('pause', () => {
  test('leaves connections in the backlog, and resume takes them', async () => {
    const listener = await scene.listen();
    expect(listener.pause().paused).toBe(true);
    const sockets = await Promise.all([scene.connect(listener.port), scene.connect(listener.port)]);
    await sockets[0].write('early');
    await scene.settle();
    expect(listener.accepted).toBe(0);
    expect(listener.resume().paused).toBe(false);
    const accepted = [await listener.accept(), await listener.accept()] as Socket[];
    for (const socket of accepted) scene.track(socket);
    const early = accepted.find((socket) => socket.remoteAddress.port === sockets[0].localAddress.port);
    expect(String(await early?.readExact(5))).toBe('early');
  });

  test('and resume in any order and number end as the last one says', async () => {
    const listener = await scene.listen(echo);
    listener.pause().pause().resume().pause().resume();
    const socket = await scene.connect(listener.port);
    await socket.write('x');
    expect(String(await socket.readExact(1))).toBe('x');
    listener.pause();
    await listener.close();
    listener.resume().pause();
  });

  test('holds back what the kernel had accepted already, with handlers too, and loses no byte of it', async () => {
    let opened = 0;
    const listener = await scene.listen({
      ...echo,
      open() {
        opened++;
        listener.pause();
      },
    });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => scene.connect(listener.port)));
    for (const socket of sockets) await socket.write('hello');
    for (let i = 1; i <= 20; i++) {
      await until(() => opened === i);
      await scene.settle();
      expect(opened).toBe(i);
      listener.resume();
    }
    for (const socket of sockets) expect(String(await socket.readExact(5))).toBe('hello');
  });
});

describe('maxConnections', () => {
  test('is never exceeded, and everybody is served in the end', async () => {
    let open = 0;
    let most = 0;
    const listener = await scene.listen({
      maxConnections: 3,
      open(socket) {
        most = Math.max(most, ++open);
        expect(listener.connections).toBeLessThanOrEqual(3);
        void socket;
      },
      data: (socket, chunk) => void socket.write(chunk),
      close: () => void open--,
    });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const socket = await scene.connect(listener.port);
        await socket.write(`${i};`);
        const answer = String(await socket.readUntil(';', 10));
        await socket.close();
        return answer;
      }),
    );
    expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => `${i};`));
    expect(most).toBe(3);
    await until(() => listener.connections === 0);
  });

  test('counts what accept has not taken, and can be changed', async () => {
    const listener = await scene.listen({ maxConnections: 1 });
    expect(listener.maxConnections).toBe(1);
    await Promise.all(Array.from({ length: 4 }, () => scene.connect(listener.port)));
    await until(() => listener.connections === 1);
    await scene.settle();
    expect(listener.connections).toBe(1);
    listener.maxConnections = 3;
    await until(() => listener.connections === 3);
    await scene.settle();
    expect(listener.connections).toBe(3);
    for (let i = 0; i < 4; i++) ((await listener.accept()) as Socket).destroy();
    await until(() => listener.connections === 0);
    expect(() => {
      listener.maxConnections = 0;
    }).toThrow('maxConnections must be an integer from 1 to 2147483647; got 0');
  });
});

test('beyond 1,024 that nobody takes, connections wait in the backlog instead of being reset', async () => {
  const listener = await scene.listen({ backlog: 4096 });
  const sockets: Socket[] = [];
  for (let i = 0; i < 12; i++) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => scene.connect(listener.port)))));
    await until(() => listener.accepted >= Math.min(sockets.length, 1024));
  }
  await scene.settle();
  expect(listener.accepted).toBeGreaterThanOrEqual(1024);
  expect(listener.accepted).toBeLessThan(1200);
  for (const socket of sockets) void socket.write('x');
  const ports = new Set<number>();
  for (let i = 0; i < 1200; i++) {
    const socket = scene.track((await listener.accept()) as Socket);
    expect(String(await socket.readExact(1))).toBe('x');
    ports.add(socket.remoteAddress.port);
  }
  expect(ports.size).toBe(1200);
});

describe('connections', () => {
  test('counts the open sockets, and sockets() gives them', async () => {
    const listener = await scene.listen(echo);
    const other = await scene.pair();
    const sockets = [await scene.connect(listener.port), await scene.connect(listener.port)] as const;
    await until(() => listener.connections === 2);
    const ports = listener.sockets().map((socket) => socket.remoteAddress.port);
    expect(ports.sort()).toEqual(sockets.map((socket) => socket.localAddress.port).sort());
    await sockets[0].close();
    await until(() => listener.connections === 1);
    expect(listener.sockets().length).toBe(1);
    other.at.destroy();
  });
});

describe('a signal', () => {
  test.each(['AbortSignal', 'CancelToken'])(
    'of kind %s closes the listener later on, and its sockets live',
    async (kind) => {
      const token = new CancelToken();
      const listener = await scene.listen({ ...echo, signal: kind === 'CancelToken' ? token : token.signal });
      const socket = await scene.connect(listener.port);
      token.cancel('enough');
      expect(listener.closing).toBe(true);
      await listener.close();
      await socket.write('x');
      expect(String(await socket.readExact(1))).toBe('x');
      expect(await codeOf(() => connect({ host: '127.0.0.1', port: listener.port }))).toBe('ECONNREFUSED');
    },
  );

  test('is let go of when the listener is closed', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let listening = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listening++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listening--;
      removeEventListener.apply(signal, args);
    };
    const listener = await listen({ host: '127.0.0.1', signal });
    expect(listening).toBe(1);
    await listener.close();
    expect(listening).toBe(0);
  });
});

describe('close with drainMs', () => {
  test('waits for the sockets, and tells that none had to be destroyed', async () => {
    const told = new Deferred();
    const listener = await scene.listen({ ...echo, closing: () => told.resolve() });
    const sockets = [await scene.connect(listener.port), await scene.connect(listener.port)];
    await until(() => listener.connections === 2);
    const closed = listener.close({ drainMs: 60_000 });
    expect(listener.closing).toBe(true);
    await told.promise;
    await untilRefused(listener.port);
    for (const socket of sockets) {
      await socket.write('still here');
      expect(String(await socket.readExact(10))).toBe('still here');
      expect(closed.state).toBe(0);
      await socket.close();
    }
    expect(await closed).toBe(0);
    expect(await listener.close({ drainMs: 0 })).toBe(0);
    await listener.close();
  });

  test('destroys those that are left when the time is over, and counts them', async () => {
    const listener = await scene.listen(echo);
    const sockets = await Promise.all([1, 2, 3].map(() => scene.connect(listener.port)));
    await until(() => listener.connections === 3);
    await sockets[0]?.close();
    expect(await listener.close({ drainMs: 20 })).toBe(2);
    for (const socket of sockets.slice(1)) expect(await codeOf(() => socket.read())).toBe('ECONNRESET');
    expect(listener.connections).toBe(0);
  });

  test('takes the shorter of two times', async () => {
    const listener = await scene.listen(echo);
    await scene.connect(listener.port);
    await until(() => listener.connections === 1);
    const long = listener.close({ drainMs: 3_600_000 });
    const short = listener.close({ drainMs: 1 });
    expect(await Promise.all([long, short, listener.close({ drainMs: 100 })])).toEqual([1, 1, 1]);
  });

  test('after a close waits for what the close has left alone', async () => {
    const listener = await scene.listen(echo);
    const socket = await scene.connect(listener.port);
    await until(() => listener.connections === 1);
    await listener.close();
    const drained = listener.close({ drainMs: 3_600_000 });
    await socket.close();
    expect(await drained).toBe(0);
  });

  test('still gives to accept what had been accepted, then null', async () => {
    const listener = await scene.listen();
    const sockets = await Promise.all([1, 2].map(() => scene.connect(listener.port)));
    await until(() => listener.accepted === 2);
    const drained = listener.close({ drainMs: 3_600_000 });
    const early = listener.accept();
    const [first, second, third] = [await early, await listener.accept(), await listener.accept()];
    expect(third).toBeNull();
    for (const socket of [first, second]) {
      await socket?.write('served');
      await socket?.close();
    }
    for (const socket of sockets) expect(String(await socket.readExact(6))).toBe('served');
    expect(await drained).toBe(0);
  });

  test('destroys what nobody takes in time', async () => {
    const listener = await scene.listen();
    await Promise.all([1, 2].map(() => scene.connect(listener.port)));
    await until(() => listener.accepted === 2);
    expect(await listener.close({ drainMs: 0 })).toBe(2);
  });

  test('lets in those that maxConnections held back, as others end', async () => {
    const listener = await scene.listen({ ...echo, maxConnections: 1 });
    const sockets = await Promise.all([1, 2, 3].map(() => scene.connect(listener.port)));
    await until(() => listener.accepted >= 1);
    await scene.settle();
    const { accepted } = listener;
    const drained = listener.close({ drainMs: 3_600_000 });
    let served = 0;
    for (const socket of sockets) {
      const code = await codeOf(async () => {
        await socket.write('x');
        if ((await socket.read()) !== null) served++;
      });
      expect(['nothing', 'ECONNRESET', 'EPIPE']).toContain(code);
      socket.destroy();
    }
    expect(await drained).toBe(0);
    expect(served).toBe(accepted);
  });

  test('wrong options are told', async () => {
    const listener = await scene.listen();
    for (const drainMs of [-1, Number.NaN, '1', null]) {
      expect(await codeOf(() => listener.close({ drainMs: drainMs as number }))).toMatch(
        /ERR_OUT_OF_RANGE|ERR_INVALID_ARG_TYPE/,
      );
    }
    expect(listener.closing).toBe(false);
  });

  test('a closing handler that throws is an uncaught exception, and the listener closes', async () => {
    const uncaught = once(process, 'uncaughtException');
    const before = process.listeners('uncaughtException').slice(0, -1);
    for (const other of before) process.off('uncaughtException', other);
    const listener = await listen({
      host: '127.0.0.1',
      closing() {
        throw new Error('mine');
      },
    });
    await listener.close();
    expect(String((await uncaught)[0])).toBe('Error: mine');
    for (const other of before) process.on('uncaughtException', other);
  });
});

describe('a descriptor', () => {
  test('is told, detached and adopted, with connections in the backlog, and nobody is refused', async () => {
    const first = await scene.listen(echo);
    expect(first.fd).toBeGreaterThan(2);
    const before = await scene.connect(first.port);
    await until(() => first.accepted === 1);
    first.pause();
    const waiting = await scene.connect(first.port);
    await waiting.write('I waited');
    const fd = await first.detach();
    expect([first.closing, first.fd, await first.close()]).toEqual([true, -1, undefined]);
    const between = await scene.connect(first.port);
    const second = await scene.listen({ ...echo, fd, host: undefined as never });
    expect(second.address).toEqual(first.address);
    expect(String(await waiting.readExact(8))).toBe('I waited');
    for (const socket of [before, between, await scene.connect(second.port)]) {
      await socket.write('x');
      expect(String(await socket.readExact(1))).toBe('x');
    }
    expect([first.accepted, second.accepted]).toEqual([1, 3]);
    expect(await codeOf(() => first.detach())).toBe('ERR_MILLRACE_INVALID_STATE');
  });

  test('that nobody takes is closed', async () => {
    const listener = await listen({ host: '127.0.0.1' });
    const detaching = listener.detach();
    detaching.cancel('mine');
    expect(await codeOf(() => detaching)).toBe('ABORT_ERR');
    await listener.close();
    expect(await codeOf(() => connect({ host: '127.0.0.1', port: listener.port }))).toBe('ECONNREFUSED');
  });

  test("that is no listener is refused, and stays its owner's", async () => {
    const { at, from } = await scene.pair();
    expect(await codeOf(() => listen({ fd: 0x7ffffff }))).toBe('EBADF');
    expect(await codeOf(() => listen({ fd: 2 }))).toMatch(/ENOTSOCK|EINVAL|EPROTOTYPE/);
    const fd = await at.detach();
    expect(await codeOf(() => listen({ fd }))).toBe('EINVAL');
    await until(() => counters().socketsOpen === 2);
    closeSync(fd);
    expect(await from.read()).toBeNull();
  });
});

test('a listener whose name cannot be told is closed', async () => {
  const addon = border.open();
  const open = vi.spyOn(border, 'open').mockReturnValue(Object.create(addon, { name: { value: () => -9 } }));
  expect(await codeOf(() => listen({ host: '127.0.0.1' }))).toBe('EBADF');
  open.mockRestore();
  await until(() => counters().socketsOpen === 0);
});
