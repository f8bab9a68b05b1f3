// How a connection ends: by either side, half or whole, in order or by force, and what is left to do with it then.
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Socket } from '../../lib/net/index.js';
import { codeOf, counters, Deferred, expectSameBytes, pattern, readAll, readExactly, Scene, until } from './scene.js';

const scene = new Scene();
const LARGE = 3_000_000;

describe('close', () => {
  test('lets everything leave that was written before', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(LARGE);
    void at.write(bytes);
    void at.close();
    expectSameBytes(await readAll(from), bytes);
  });

  test('fulfills the write that still waited, when its bytes have left', async () => {
    const { at, from } = await scene.pair();
    const written = at.write(pattern(LARGE));
    const closed = at.close();
    await readAll(from);
    await closed;
    await written;
    expect(at.bytesQueued).toBe(0);
  });

  test('twice is the same as once', async () => {
    let closes = 0;
    const { at } = await scene.pair({ close: () => closes++ });
    const first = at.close();
    expect(at.close()).toBe(first);
    await Promise.all([first, at.close()]);
    expect(at.close()).toBe(first);
    await at.close();
    expect(closes).toBe(1);
    expect({ open: at.open, closed: at.closed }).toEqual({ open: false, closed: true });
  });

  test('works inside the data handler, and what the handler wrote arrives', async () => {
    let calls = 0;
    const listener = await scene.listen({
      data(socket) {
        calls++;
        void socket.write('last words');
        void socket.close();
      },
    });
    const socket = await scene.connect(listener.port);
    void socket.write('a');
    expect(String(await readAll(socket))).toBe('last words');
    expect(calls).toBe(1);
  });

  test('ends a read that waits with null', async () => {
    const { from } = await scene.pair();
    const read = from.read();
    void from.close();
    expect(await read).toBeNull();
    expect(await from.read()).toBeNull();
  });

  test('keeps what was received for the reader', async () => {
    const { at, from } = await scene.pair();
    void at.write('received before');
    await until(() => from.bytesRead === 15);
    await from.close();
    expect(String(await from.read())).toBe('received before');
    expect(await from.read()).toBeNull();
  });

  test('of a socket that await using leaves', async () => {
    const { at, from } = await scene.pair();
    {
      await using socket = from;
      void socket.write('x');
    }
    expect(from.closed).toBe(true);
    expect(String(await readAll(at))).toBe('x');
  });

  test('comes when a for await loop is left early', async () => {
    const { at, from } = await scene.pair();
    void at.write('x');
    for await (const bytes of from) {
      expect(String(bytes)).toBe('x');
      break;
    }
    expect(from.open).toBe(false);
    expect(await at.read()).toBeNull();
  });

  test('the closed socket tells so: codes are stable', async () => {
    const { from } = await scene.pair();
    await from.close();
    expect(await codeOf(() => from.write('x'))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    expect(await codeOf(() => from.remoteAddress)).toBe('EBADF');
    expect(from.bytesQueued).toBe(0);
    // Nothing to do, and nothing wrong with it.
    from.shutdown();
    from.destroy();
    from.pause();
    from.resume();
    from.ref().unref();
  });
});

describe('the peer ends', () => {
  test('a socket with handlers is told, ends too and is closed', async () => {
    const events: string[] = [];
    const closed = new Deferred();
    const listener = await scene.listen({
      open: () => void events.push('open'),
      data: (_socket, chunk) => void events.push(`data ${chunk}`),
      end: () => void events.push('end'),
      error: () => void events.push('error'),
      close(_socket, lostBytes) {
        events.push(`close ${lostBytes}`);
        closed.resolve();
      },
    });
    const socket = await scene.connect(listener.port);
    await socket.write('x');
    socket.shutdown();
    expect(await socket.read()).toBeNull();
    await closed.promise;
    expect(events).toEqual(['open', 'data x', 'end', 'close 0']);
  });

  test('a reader reads all of it, and null ever after', async () => {
    const { at, from } = await scene.pair();
    void at.write(pattern(200_000));
    void at.close();
    expect((await readAll(from)).length).toBe(200_000);
    expect(await from.read()).toBeNull();
    await until(() => from.closed);
  });

  test('a reader may still answer what it read last', async () => {
    const { at, from } = await scene.pair();
    void from.write('question');
    from.shutdown();
    expect(String(await at.read())).toBe('question');
    await at.write('answer');
    await at.close();
    expect(String(await readAll(from))).toBe('answer');
  });

  test('with allowHalfOpen handlers go on writing until they close', async () => {
    const ended = new Deferred<Socket>();
    const listener = await scene.listen({
      allowHalfOpen: true,
      data: () => {},
      end: (socket) => ended.resolve(socket),
    });
    const socket = await scene.connect(listener.port);
    socket.shutdown();
    const at = await ended.promise;
    for (let i = 0; i < 5; i++) {
      await at.write(`${i}`);
      expect(String(await socket.read())).toBe(`${i}`);
    }
    await at.close();
    expect(await socket.read()).toBeNull();
  });

  test('with allowHalfOpen on both sides each ends by itself', async () => {
    const { at, from } = await scene.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
    from.shutdown();
    expect(await at.read()).toBeNull();
    expect(at.open).toBe(true);
    await at.write('still here');
    expect(String(await readExactly(from, 10))).toBe('still here');
    at.shutdown();
    expect(await from.read()).toBeNull();
    await until(() => at.closed && from.closed);
  });
});

describe('shutdown', () => {
  test('ends our side after what was written, and reading goes on', async () => {
    const { at, from } = await scene.pair();
    const bytes = pattern(LARGE);
    void from.write(bytes);
    from.shutdown();
    from.shutdown();
    expect(await codeOf(() => from.write('x'))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    expectSameBytes(await readAll(at), bytes);
    expect(await from.read()).toBeNull();
  });

  test('of an idle socket reaches a node:net peer as its end', async () => {
    const ended = new Deferred();
    const { port } = await scene.nodeServer((socket) => socket.resume().on('end', () => ended.resolve()));
    const socket = await scene.connect(port);
    socket.shutdown();
    await ended.promise;
  });
});

describe('destroy', () => {
  test('is a reset for the peer that reads', async () => {
    const { at, from } = await scene.pair();
    const read = codeOf(() => from.read());
    at.destroy();
    expect(await read).toBe('ECONNRESET');
    await until(() => from.closed);
  });

  test('is a reset for a peer with handlers, which is told once, then closed', async () => {
    const events: unknown[] = [];
    const closed = new Deferred();
    const { at } = await scene.pair(
      {},
      {
        data: () => {},
        end: () => void events.push('end'),
        error: (_socket, error) => void events.push((error as { code?: string }).code),
        close() {
          events.push('close');
          closed.resolve();
        },
      },
    );
    at.destroy();
    await closed.promise;
    expect(events).toEqual(['ECONNRESET', 'close']);
  });

  test('is a reset for a node:net peer', async () => {
    const failed = new Deferred<NodeJS.ErrnoException>();
    const { port } = await scene.nodeServer((socket) => socket.resume().on('error', failed.resolve));
    (await scene.connect(port)).destroy();
    expect((await failed.promise).code).toBe('ECONNRESET');
  });

  test('loses what was queued, rejects the write that waited for it, and tells how much', async () => {
    const lost = new Deferred<number>();
    const { from } = await scene.pair({}, { close: (_socket, lostBytes) => lost.resolve(lostBytes) });
    const written = codeOf(() => from.write(pattern(12_000_000)));
    from.destroy();
    expect(await written).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    expect(await lost.promise).toBeGreaterThan(0);
    expect(await codeOf(() => from.write('x'))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  });

  test('hurries a close that waits for a peer which does not read', async () => {
    const { from } = await scene.pair();
    const closed = codeOf(() => from.write(pattern(12_000_000)));
    void from.close();
    from.destroy();
    await from.close();
    expect(await closed).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  });

  test('inside a handler: later events of the same tick are not told', async () => {
    for (const end of ['destroy', 'close'] as const) {
      const events: string[] = [];
      const closed = new Deferred();
      const listener = await scene.listen({
        data(socket) {
          events.push('data');
          void socket[end]();
        },
        end: () => void events.push('end'),
        drain: () => void events.push('drain'),
        error: () => void events.push('error'),
        close() {
          events.push('close');
          closed.resolve();
        },
      });
      const peer = await scene.connect(listener.port);
      // They leave together, so that io_uring delivers both in one tick.
      void peer.write('x');
      peer.shutdown();
      await closed.promise;
      expect(events, end).toEqual(['data', 'close']);
    }
  });

  test('in the open handler: nothing but close follows', async () => {
    const events: string[] = [];
    const closed = new Deferred();
    const listener = await scene.listen({
      open(socket) {
        events.push('open');
        socket.destroy();
      },
      data: () => void events.push('data'),
      end: () => void events.push('end'),
      error: () => void events.push('error'),
      close() {
        events.push('close');
        closed.resolve();
      },
    });
    const peer = await scene.nodeClient(listener.port);
    peer.on('error', () => {});
    peer.write('x');
    await closed.promise;
    expect(events).toEqual(['open', 'close']);
  });
});

describe('a write after the peer has reset', () => {
  test('throws the error of the socket', async () => {
    const { at, from } = await scene.pair();
    at.destroy();
    expect(await codeOf(() => from.read())).toBe('ECONNRESET');
    expect(await codeOf(() => from.write('x'))).toBe('ECONNRESET');
    expect(await codeOf(() => from.read())).toBe('ECONNRESET');
  });

  test('rejects the write that waits', async () => {
    const { at, from } = await scene.pair();
    at.pause();
    const written = codeOf(() => from.write(pattern(12_000_000)));
    await until(() => from.bytesQueued < 12_000_000);
    at.destroy();
    expect(['ECONNRESET', 'EPIPE']).toContain(await written);
    await until(() => from.closed);
  });
});

test('a peer that goes away in the middle leaves nothing behind', async () => {
  const listener = await scene.listen({ data: (socket, chunk) => void socket.write(chunk) });
  for (let i = 0; i < 50; i++) {
    const peer = await scene.nodeClient(listener.port);
    peer.on('error', () => {});
    peer.write(pattern(100_000));
    if (i % 2 === 0) peer.resetAndDestroy();
    else peer.destroy();
    await once(peer, 'close');
  }
  await until(() => counters().socketsOpen === 1);
});
