// Listening: where, by whom, and how it stops.
import { describe, expect, test } from 'vitest';
import { select, spawn } from '../../lib/index.js';
import { connect, listen, type Socket } from '../../lib/net/index.js';
import { codeAndCause, codeOf, counters, Deferred, Scene, until } from './scene.js';

const scene = new Scene();

describe('listen', () => {
  test('takes a free port for 0 or nothing, and tells which', async () => {
    const listeners = [await scene.listen({ port: 0 }), await scene.listen()];
    for (const listener of listeners) {
      expect(listener.port).toBeGreaterThan(0);
      expect(listener.address).toEqual({ address: '127.0.0.1', family: 'IPv4', port: listener.port });
    }
    expect(listeners[0]?.port).not.toBe(listeners[1]?.port);
  });

  test('without a host is on all addresses, IPv4 and IPv6', async () => {
    const listener = await listen();
    expect(listener.address.family).toBe('IPv6');
    for (const host of ['127.0.0.1', '::1']) {
      const socket = scene.track(await connect({ host, port: listener.port }));
      expect((await listener.accept())?.remoteAddress.port).toBe(socket.localAddress.port);
    }
    await listener.close();
    await until(() => counters().socketsOpen === 4);
  });

  test('with ipv6Only is not on IPv4', async () => {
    const listener = await listen({ host: '::', ipv6Only: true, open: (socket) => void socket.close() });
    expect(await codeOf(() => connect({ host: '127.0.0.1', port: listener.port }))).toBe('ECONNREFUSED');
    scene.track(await connect({ host: '::1', port: listener.port }));
    await listener.close();
  });

  test('on a name', async () => {
    const listener = await listen({ host: 'localhost' });
    expect(['127.0.0.1', '::1']).toContain(listener.address.address);
    await listener.close();
  });

  test('on a used port is EADDRINUSE, and the error says where', async () => {
    const { port } = await scene.listen();
    const error = await listen({ host: '127.0.0.1', port }).then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'EADDRINUSE', errno: -98, syscall: 'listen', address: '127.0.0.1', port });
    await using other = await listen({ host: '127.0.0.1', reusePort: false });
    expect(other.port).not.toBe(port);
  });

  test('on a port that was given up is possible at once', async () => {
    const first = await listen({ host: '127.0.0.1', open: (socket) => void socket.close() });
    const socket = await connect({ host: '127.0.0.1', port: first.port });
    expect(await socket.read()).toBeNull();
    await first.close();
    const second = await listen({ host: '127.0.0.1', port: first.port });
    await second.close();
  });

  test('on a shared port where all say so', async () => {
    const first = await scene.listen({ reusePort: true });
    const second = await scene.listen({ reusePort: true, port: first.port });
    expect(second.port).toBe(first.port);
    expect(await codeOf(() => listen({ host: '127.0.0.1', port: first.port }))).toBe('EADDRINUSE');
  });

  test('on an address that is not ours is EADDRNOTAVAIL', async () => {
    expect(await codeOf(() => listen({ host: '192.0.2.1' }))).toBe('EADDRNOTAVAIL');
  });

  test("on an unknown host is the resolver's error", async () => {
    expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(await codeOf(() => listen({ host: 'no-such-host.invalid' })));
  });

  test('that was cancelled before does not listen', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const operation = listen({ host, signal: AbortSignal.abort('mine') });
      expect(await operation.catch(codeAndCause)).toEqual(['ABORT_ERR', 'mine']);
    }
    await until(() => counters().socketsOpen === 0);
  });

  test('that is cancelled while it looks its host up keeps the reason', async () => {
    const controller = new AbortController();
    const operation = listen({ host: 'no-such-host.invalid', signal: controller.signal });
    controller.abort('mine');
    expect(await operation.catch(codeAndCause)).toEqual(['ABORT_ERR', 'mine']);
  });
});

describe('accept', () => {
  test('takes connections in the order in which they came, whether it or they come first', async () => {
    const listener = await scene.listen();
    const early = [listener.accept(), listener.accept()];
    const sockets: Socket[] = [];
    for (let i = 0; i < 4; i++) sockets.push(await scene.connect(listener.port));
    const accepted = [await early[0], await early[1], await listener.accept(), await listener.accept()];
    accepted.forEach((socket, i) => {
      expect(socket?.remoteAddress).toEqual(sockets[i]?.localAddress);
      if (socket) scene.track(socket);
    });
  });

  test('that loses a select gives its connection back, first in line', async () => {
    const listeners = [await scene.listen(), await scene.listen()] as const;
    const ports: number[][] = [[], []];
    for (const [i, listener] of listeners.entries()) {
      for (let j = 0; j < 20; j++) {
        ports[i]?.push((await scene.connect(listener.port)).localAddress.port);
        await until(() => listener.accepted === j + 1);
      }
    }
    // Both have connections at every turn: one of the two accepts has to give back what it got.
    const taken: number[][] = [[], []];
    for (let turn = 0; turn < 20; turn++) {
      const winner = await select({ 0: listeners[0].accept(), 1: listeners[1].accept() });
      const socket = scene.track(winner.value as Socket);
      taken[Number(winner.key)]?.push(socket.remoteAddress.port);
    }
    for (const [i, listener] of listeners.entries()) {
      const order = taken[i] as number[];
      while (order.length < 20) {
        order.push(scene.track((await listener.accept()) as Socket).remoteAddress.port);
      }
      expect(order).toEqual(ports[i]);
    }
  });

  test('that was aborted takes nothing', async () => {
    const listener = await scene.listen();
    const task = spawn(async () => listener.accept());
    await until(() => task.status === 'waiting');
    task.abort();
    expect(await codeOf(() => task)).toBe('ABORT_ERR');
    await scene.connect(listener.port);
    scene.track((await listener.accept()) as Socket);
  });

  test('is an error where handlers get the sockets', async () => {
    const listener = await scene.listen({ data: () => {} });
    expect(await codeOf(() => listener.accept())).toBe('ERR_MILLRACE_INVALID_STATE');
  });

  test('finds what the sockets have received before they were taken', async () => {
    const listener = await scene.listen();
    const socket = await scene.connect(listener.port);
    await socket.write('early');
    await until(() => counters().receiveBytes !== 0 && listener.accepted === 1);
    const accepted = scene.track((await listener.accept()) as Socket);
    expect(String(await accepted.read())).toBe('early');
  });
});

describe('close of a listener', () => {
  test('ends every accept and for await, and later ones, with null', async () => {
    const listener = await scene.listen();
    const looped = spawn(async () => {
      for await (const _ of listener);
      return 'ended';
    });
    const accepts = [listener.accept(), listener.accept()];
    await Promise.all([listener.close(), listener.close()]);
    expect(await Promise.all(accepts)).toEqual([null, null]);
    expect(await looped).toBe('ended');
    expect(await listener.accept()).toBeNull();
    listener.ref().unref();
  });

  test('leaves the sockets that were accepted alone, and refuses new ones', async () => {
    const listener = await scene.listen({ data: (socket, chunk) => void socket.write(chunk) });
    const socket = await scene.connect(listener.port);
    await socket.write('a');
    expect(String(await socket.read())).toBe('a');
    await listener.close();
    await socket.write('b');
    expect(String(await socket.read())).toBe('b');
    expect(await codeOf(() => connect({ host: '127.0.0.1', port: listener.port }))).toBe('ECONNREFUSED');
  });

  test('resets what nobody has taken', async () => {
    const listener = await scene.listen();
    const socket = await scene.connect(listener.port);
    await until(() => listener.accepted === 1);
    await listener.close();
    expect(await codeOf(() => socket.read())).toBe('ECONNRESET');
  });

  test('inside the open handler', async () => {
    const closed = new Deferred();
    const listener = await scene.listen({
      open(socket) {
        void socket.close();
        listener.close().then(closed.resolve, closed.reject);
      },
    });
    const sockets = await Promise.all(
      Array.from({ length: 10 }, () => connect({ host: '127.0.0.1', port: listener.port }).catch(() => null)),
    );
    await closed.promise;
    for (const socket of sockets) socket?.destroy();
    expect(listener.accepted).toBeGreaterThanOrEqual(1);
  });

  test('by await using', async () => {
    let port: number;
    {
      await using listener = await listen({ host: '127.0.0.1' });
      port = listener.port;
    }
    expect(await codeOf(() => connect({ host: '127.0.0.1', port }))).toBe('ECONNREFUSED');
  });
});
