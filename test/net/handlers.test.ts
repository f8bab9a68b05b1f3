// What handlers are given and what their mistakes cost: chunks on loan, throws, their order and their async context.
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { spawn } from '../../lib/index.js';
import { type Chunk, listen, type Socket, type SocketHandlers } from '../../lib/net/index.js';
import { result, run } from './program.js';
import { codeOf, Deferred, readAll, readExactly, Scene, until } from './scene.js';

const scene = new Scene();

describe('a chunk', () => {
  test('is dead when its handler has returned: every use throws, and copies live', async () => {
    const kept = new Deferred<{ chunk: Chunk; copy: Buffer; keep: Buffer }>();
    const listener = await scene.listen({
      data: (_socket, chunk) => kept.resolve({ chunk, copy: chunk.copy(), keep: chunk.keep() }),
    });
    const socket = await scene.connect(listener.port);
    await socket.write('millrace');
    const { chunk, copy, keep } = await kept.promise;
    expect(await codeOf(() => chunk.bytes)).toBe('ERR_MILLRACE_CHUNK_DEAD');
    expect(await codeOf(() => chunk.copy())).toBe('ERR_MILLRACE_CHUNK_DEAD');
    expect(await codeOf(() => chunk.keep())).toBe('ERR_MILLRACE_CHUNK_DEAD');
    expect(await codeOf(() => chunk.toString())).toBe('ERR_MILLRACE_CHUNK_DEAD');
    expect(await codeOf(() => socket.write(chunk))).toBe('ERR_MILLRACE_CHUNK_DEAD');
    expect([socket.bytesWritten, socket.bytesQueued]).toEqual([8, 0]);
    expect([String(copy), String(keep), chunk.length]).toEqual(['millrace', 'millrace', 8]);
  });

  test('is dead when its handler has thrown', async () => {
    const dead = new Deferred<Chunk>();
    const listener = await scene.listen({
      data(_socket, chunk) {
        dead.resolve(chunk);
        throw new Error('mine');
      },
      error() {},
    });
    const socket = await scene.connect(listener.port);
    await socket.write('x');
    const chunk = await dead.promise;
    expect(await codeOf(() => chunk.bytes)).toBe('ERR_MILLRACE_CHUNK_DEAD');
  });

  test('can be looked at in place, as text in an encoding, and be written to another socket', async () => {
    const seen: unknown[] = [];
    const { at: other, from: receiver } = await scene.pair();
    const listener = await scene.listen({
      data(socket, chunk) {
        seen.push(chunk.length, chunk.bytes[0], chunk.toString('hex'), String(chunk));
        void other.write(chunk);
        void socket.write(chunk);
        void other.write(chunk);
      },
    });
    const socket = await scene.connect(listener.port);
    await socket.write('AB');
    expect(String(await readExactly(receiver, 4))).toBe('ABAB');
    expect(String(await readExactly(socket, 2))).toBe('AB');
    expect(seen).toEqual([2, 65, '4142', 'AB']);
  });

  test('that others hold is not overwritten by what comes next', async () => {
    // The receiver of all that is forwarded does not read at first: the bytes have to wait somewhere.
    const { at: slow, from: receiver } = await scene.pair();
    receiver.pause();
    const listener = await scene.listen({ data: (_socket, chunk) => void slow.write(chunk) });
    const socket = await scene.connect(listener.port);
    const parts = Array.from({ length: 600 }, (_, i) => Buffer.alloc(16_384, i % 251));
    for (const part of parts) await socket.write(part);
    await until(() => slow.bytesWritten === 600 * 16_384);
    receiver.resume();
    void slow.close();
    expect((await readAll(receiver)).equals(Buffer.concat(parts))).toBe(true);
  });
});

describe('a handler that throws', () => {
  const messages = ['open', 'data', 'end', 'drain'] as const;
  test.each(messages)('in %s ends its own connection only, and the error handler is told', async (which) => {
    const told = new Deferred<unknown>();
    const closed = new Deferred();
    let guilty: Socket | null = null;
    const fail = (socket: Socket): void => {
      guilty ??= socket;
      if (socket === guilty) throw new Error(`${which} failed`);
    };
    const handlers: SocketHandlers = {
      data(socket, chunk) {
        if (which === 'drain') void socket.write(Buffer.alloc(200_000));
        else void socket.write(chunk);
      },
      error: (_socket, error) => told.resolve(error.message),
      close: (socket) => socket === guilty && closed.resolve(),
    };
    const listener = await scene.listen({ ...handlers, [which]: fail, ...(which === 'data' ? { data: fail } : {}) });
    const first = await scene.connect(listener.port, { data() {}, error() {} });
    await first.write('x');
    if (which === 'end') first.shutdown();
    expect(await told.promise).toBe(`${which} failed`);
    await closed.promise;
    const second = await scene.connect(listener.port);
    await second.write('y');
    if (which !== 'data') expect((await second.read())?.length).toBeGreaterThan(0);
    expect(second.open).toBe(true);
  });

  test.each(['open', 'data', 'end', 'close'])(
    'in %s with nobody to be told is an uncaught exception, once',
    async (which) => {
      expect(await result('net/programs/handler-throws.mjs', { args: [which] })).toEqual({
        uncaught: [`${which} failed`],
        told: [],
        answer: 'y',
      });
    },
  );

  test('in close is an uncaught exception even with an error handler: the socket has no more to tell', async () => {
    expect(await result('net/programs/handler-throws.mjs', { args: ['close', 'told'] })).toEqual({
      uncaught: ['close failed'],
      told: [],
      answer: 'y',
    });
  });

  test('something that cannot be shown leaves the other events of its tick alone (they were lost)', async () => {
    const told: string[] = [];
    const listener = await scene.listen({
      data(socket, chunk) {
        if (String(chunk) === 'bad') throw Object.create(null);
        socket.write(chunk);
      },
      error: (_socket, error) => void told.push(error.message),
    });
    const bad = await scene.connect(listener.port);
    const good = await scene.connect(listener.port);
    bad.write('bad');
    good.write('good');
    expect(String(await readExactly(good, 4))).toBe('good');
    expect(told).toEqual(['A socket handler threw an object']);
  });

  test('ends the process where nobody catches it', async () => {
    const { code, errors } = await run('net/programs/unhandled-handler.mjs');
    expect(code).not.toBe(0);
    expect(errors).toContain('nobody catches this');
  });

  test('is told as an Error even where something else was thrown', async () => {
    const told = new Deferred<Error>();
    const listener = await scene.listen({
      data() {
        throw 'a string';
      },
      error: (_socket, error) => told.resolve(error),
    });
    const socket = await scene.connect(listener.port);
    await socket.write('x');
    const error = await told.promise;
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toContain('a string');
  });

  test('on the connecting side is a reset for the peer', async () => {
    const { at } = await scene.pair(
      {},
      {
        data() {
          throw new Error('mine');
        },
        error() {},
      },
    );
    await at.write('x');
    expect(await codeOf(() => at.read())).toBe('ECONNRESET');
  });
});

describe('the order of handlers', () => {
  test('is open, data, end, close for a connection that did everything at once', async () => {
    const events: string[] = [];
    const closed = new Deferred();
    const listener = await scene.listen({
      open: () => void events.push('open'),
      data: (_socket, chunk) => void events.push(`data ${chunk.length}`),
      end: () => void events.push('end'),
      close() {
        events.push('close');
        closed.resolve();
      },
    });
    const socket = await scene.connect(listener.port);
    void socket.write('abc');
    void socket.close();
    await closed.promise;
    expect(events).toEqual(['open', 'data 3', 'end', 'close']);
  });

  test('of an object of a class are its methods, and `this` is the object', async () => {
    const closed = new Deferred();
    class Server {
      readonly host = '127.0.0.1';
      readonly #seen: string[] = [];
      open(): void {
        this.#seen.push('open');
      }
      data(socket: Socket): void {
        this.#seen.push('data');
        void socket.write(Buffer.alloc(300_000));
      }
      drain(): void {
        this.#seen.push('drain');
      }
      end(): void {
        this.#seen.push('end');
      }
      close(): void {
        this.#seen.push('close');
        closed.resolve();
      }
      get seen(): string {
        return this.#seen.join();
      }
    }
    const server = new Server();
    const listener = await listen(server);
    const socket = await scene.connect(listener.port);
    void socket.write('x');
    await readExactly(socket, 300_000);
    await until(() => server.seen.includes('drain'));
    void socket.close();
    await closed.promise;
    expect(server.seen).toBe('open,data,drain,end,close');
    await listener.close();
  });

  test('data of the user belongs to its socket', async () => {
    const all = new Set<unknown>();
    const listener = await scene.listen({
      open(socket) {
        socket.data = { count: 0 };
        all.add(socket.data);
      },
      data(socket, chunk) {
        (socket.data as { count: number }).count += chunk.length;
        void socket.write(`${(socket.data as { count: number }).count};`);
      },
    });
    const sockets = await Promise.all([1, 2, 3].map(() => scene.connect(listener.port)));
    for (const socket of sockets) {
      await socket.write('abc');
      expect(String(await socket.read())).toBe('3;');
      await socket.write('d');
      expect(String(await socket.read())).toBe('4;');
    }
    expect(all.size).toBe(3);
  });
});

test('read() on a socket with a data handler is an error that says so', async () => {
  const { at } = await scene.pair({ data: () => {} });
  expect(await codeOf(() => at.read())).toBe('ERR_MILLRACE_INVALID_STATE');
  expect(await codeOf(() => readAll(at))).toBe('ERR_MILLRACE_INVALID_STATE');
});

describe('AsyncLocalStorage', () => {
  const storage = new AsyncLocalStorage<string>();

  test('handlers of accepted sockets see the context of listen()', async () => {
    const seen: (string | undefined)[] = [];
    const closed = new Deferred();
    const note = (): void => void seen.push(storage.getStore());
    const listener = await storage.run('of listen', () =>
      scene.listen({
        open: note,
        data: note,
        end: note,
        close() {
          note();
          closed.resolve();
        },
      }),
    );
    await storage.run('of the client', async () => {
      const socket = await scene.connect(listener.port);
      await socket.write('x');
      await socket.close();
    });
    await closed.promise;
    expect(seen).toEqual(['of listen', 'of listen', 'of listen', 'of listen']);
  });

  test('handlers of a connecting socket see the context of connect()', async () => {
    const seen: (string | undefined)[] = [];
    const closed = new Deferred();
    const note = (): void => void seen.push(storage.getStore());
    const listener = await storage.run('of listen', () => scene.listen({ open: (socket) => void socket.close() }));
    await storage.run('of connect', () =>
      scene.connect(listener.port, {
        open: note,
        data: note,
        end: note,
        close() {
          note();
          closed.resolve();
        },
      }),
    );
    await closed.promise;
    expect(seen).toEqual(['of connect', 'of connect', 'of connect']);
  });

  test('tasks keep their own across accept, read and write', async () => {
    const listener = await scene.listen();
    const seen = new Deferred<(string | undefined)[]>();
    await storage.run('of the task', () =>
      spawn(async () => {
        const served = spawn(async () => {
          const socket = (await listener.accept()) as Socket;
          const stores = [storage.getStore()];
          const bytes = await socket.read();
          stores.push(storage.getStore());
          await socket.write(bytes as Buffer);
          stores.push(storage.getStore());
          await socket.close();
          seen.resolve([...stores, storage.getStore()]);
        });
        await storage.run('of the client', async () => {
          const socket = await scene.connect(listener.port);
          await socket.write('x');
          expect((await readAll(socket)).length).toBe(1);
          expect(storage.getStore()).toBe('of the client');
        });
        await served;
      }),
    );
    expect(await seen.promise).toEqual(Array(4).fill('of the task'));
  });
});
