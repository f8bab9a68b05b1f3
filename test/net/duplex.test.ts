// The Duplex face of a socket, against node:net on the other side. What is the same as net.Socket's is in
// duplex-parity.test.ts.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, type Socket as NodeSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armedTimers } from '../../lib/internal/timers.js';
import { SocketDuplex } from '../../lib/net/duplex.js';
import type { Socket } from '../../lib/net/index.js';
import { codeOf, counters, expectSameBytes, pattern, readAll, Scene, until } from './scene.js';
import { SilentListener } from './silent-listener.js';

const scene = new Scene();

async function read(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A peer whose errors are its own affair. */
function peers(onConnection: (socket: NodeSocket) => void): Promise<{ port: number }> {
  return scene.nodeServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
}

async function duplexTo(port: number, options = {}): Promise<SocketDuplex> {
  return (await scene.connect(port)).toDuplex(options);
}

describe('bytes', () => {
  it('go both ways at once by the megabyte, in order', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const stream = await duplexTo(port);
    const sent = pattern(8 << 20);
    const received = read(stream);
    for (let at = 0; at < sent.length; ) {
      const end = Math.min(sent.length, at + 1 + ((at * 7919) % 300_000));
      if (!stream.write(sent.subarray(at, end))) await once(stream, 'drain');
      at = end;
    }
    const closed = once(stream, 'close');
    stream.end();
    expectSameBytes(await received, sent);
    expect(await closed).toEqual([false]);
    expect([stream.bytesRead, stream.bytesWritten]).toEqual([sent.length, sent.length]);
  });

  it('are those that were written, whatever the pieces, the corks, the encodings and the pauses', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const write = fc.record({
      size: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 400_000 })),
      kind: fc.constantFrom('buffer', 'utf8', 'hex', 'latin1'),
      cork: fc.boolean(),
      waits: fc.boolean(),
      pauses: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 12 }), async (writes) => {
        const stream = await duplexTo(port);
        const chunks: Buffer[] = [];
        stream.on('data', (bytes: Buffer) => chunks.push(bytes));
        const sent: Buffer[] = [];
        let called = 0;
        for (const [i, { size, kind, cork, waits, pauses }] of writes.entries()) {
          const bytes = pattern(size, i + 1);
          if (kind === 'utf8') for (let k = 0; k < size; k++) bytes[k] = (bytes[k] as number) & 0x7f;
          sent.push(bytes);
          if (cork) stream.cork();
          const text = kind === 'buffer' ? bytes : bytes.toString(kind as BufferEncoding);
          stream.write(text, kind === 'buffer' ? 'utf8' : (kind as BufferEncoding), () => called++);
          if (cork) stream.uncork();
          if (pauses) stream.pause();
          if (waits) await new Promise((resolve) => setImmediate(resolve));
          if (pauses) stream.resume();
        }
        const total = Buffer.concat(sent);
        expect(stream.bytesWritten).toBe(total.length);
        stream.end();
        await once(stream, 'close');
        expectSameBytes(Buffer.concat(chunks), total);
        expect(called).toBe(writes.length);
      }),
      { numRuns: 60 },
    );
  });

  it('wait for uncork', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const socket = await scene.connect(port);
    const stream = socket.toDuplex();
    stream.cork();
    stream.write('to');
    stream.write('gether');
    expect([stream.writableLength, socket.bytesWritten]).toEqual([8, 0]);
    stream.uncork();
    expect([stream.writableLength, socket.bytesWritten]).toEqual([0, 8]);
    stream.end();
    expect(String(await read(stream))).toBe('together');
  });

  it('go through pipeline, both ways', async () => {
    const { port } = await peers((socket) => void pipeline(socket, socket).catch(() => {}));
    const stream = await duplexTo(port);
    const sent = Array.from({ length: 40 }, (_, i) => pattern(50_000, i + 1));
    const chunks: Buffer[] = [];
    await pipeline(sent, stream, async (source) => {
      for await (const chunk of source) chunks.push(chunk as Buffer);
    });
    expectSameBytes(Buffer.concat(chunks), Buffer.concat(sent));
  });

  it('that were received before the socket became a stream are not lost, nor the end', async () => {
    const { port } = await peers((socket) => socket.end('early'));
    const socket = await scene.connect(port);
    await until(() => socket.bytesRead === 5 && socket.peerEnded);
    expect(String(await read(socket.toDuplex()))).toBe('early');
  });

  it('are never the memory that the addon receives into', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const stream = await duplexTo(port);
    const kept: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => kept.push(bytes));
    for (let i = 0; i < 200; i++) {
      stream.write(Buffer.alloc(100, i));
      await until(() => kept.reduce((sum, { length }) => sum + length, 0) === (i + 1) * 100);
    }
    const all = Buffer.concat(kept);
    for (let i = 0; i < 200; i++) expect(all[i * 100 + 99]).toBe(i);
    stream.end();
    await once(stream, 'close');
  });
});

describe('backpressure', () => {
  it('stops a peer whose bytes nobody reads, within bounds, and loses none of them', async () => {
    const sent = pattern(40 << 20);
    const { port } = await peers((socket) => void socket.end(sent));
    const stream = await duplexTo(port);
    stream.pause();
    let before = -1;
    // Until nothing comes any more.
    while (stream.bytesRead !== before) {
      before = stream.bytesRead;
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    // What the kernel had received before it was told: at most the receive arena.
    expect(stream.bytesRead).toBeLessThanOrEqual(16 << 20);
    expect(stream.readableLength).toBe(stream.bytesRead);
    expectSameBytes(await read(stream), sent);
  });

  it('tells the writer whose peer does not read, holds a bounded amount, and drains', async () => {
    let peer: NodeSocket | null = null;
    const { port } = await peers((socket) => {
      peer = socket;
      socket.pause();
    });
    const socket = await scene.connect(port);
    const stream = socket.toDuplex();
    const piece = pattern(64 * 1024);
    let written = 0;
    while (stream.write(piece) && written < 10_000) written++;
    expect(written).toBeLessThan(1000);
    expect(stream.writableNeedDrain).toBe(true);
    expect(socket.bytesQueued).toBeLessThanOrEqual(3 * socket.highWaterMark);
    let drains = 0;
    stream.on('drain', () => drains++);
    await until(() => peer !== null);
    (peer as unknown as NodeSocket).resume();
    await until(() => drains === 1 && !stream.writableNeedDrain);
    stream.end();
    await once(stream, 'finish');
    expect(socket.bytesQueued).toBe(0);
  });

  it('tells that the end is finished only when the last byte has left', async () => {
    let peer: NodeSocket | null = null;
    const { port } = await peers((socket) => {
      peer = socket;
      socket.pause();
    });
    const socket = await scene.connect(port);
    const stream = socket.toDuplex();
    // Until the kernel takes no more, and a few bytes wait with us: fewer than would hold up a write.
    while (socket.bytesQueued === 0) {
      stream.write(pattern(8192));
      for (let i = 0; i < 10 && socket.bytesQueued > 0; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    let ended = false;
    stream.end(() => {
      ended = true;
    });
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect([ended, stream.writableFinished, socket.bytesQueued > 0]).toEqual([false, false, true]);
    await until(() => peer !== null);
    (peer as unknown as NodeSocket).resume();
    await until(() => ended);
    expect(socket.bytesQueued).toBe(0);
  });
});

describe('the end', () => {
  const STEPS = ['write', 'large write', 'cork', 'pause', 'resume', 'end', 'turn', 'read'] as const;

  it('can come at any point, and leaves nothing', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const before = armedTimers();
    const kill = fc.constantFrom('destroy', 'error', 'reset', 'end');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...STEPS), { maxLength: 8 }),
        kill,
        fc.boolean(),
        async (steps, kill, waits) => {
          const stream = new SocketDuplex().connect(port, '127.0.0.1');
          const closes: unknown[] = [];
          const errors: Error[] = [];
          stream.on('close', (hadError: boolean) => closes.push(hadError));
          stream.on('error', (error) => errors.push(error));
          stream.setTimeout(60_000);
          if (waits) await once(stream, 'connect');
          for (const step of steps) {
            if (step === 'write') stream.write('some');
            else if (step === 'large write') stream.write(Buffer.alloc(3 << 20));
            else if (step === 'cork') stream.cork();
            else if (step === 'pause') stream.pause();
            else if (step === 'resume') stream.resume();
            else if (step === 'end') stream.end();
            else if (step === 'read') stream.read();
            else await new Promise((resolve) => setImmediate(resolve));
          }
          if (kill === 'destroy') stream.destroy();
          else if (kill === 'error') stream.destroy(new Error('enough'));
          else if (kill === 'reset') stream.resetAndDestroy();
          else stream.resume().end();
          await until(() => closes.length > 0);
          await new Promise((resolve) => setImmediate(resolve));
          expect(closes.length).toBe(1);
          expect(errors.length).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 150 },
    );
    expect(armedTimers()).toBe(before);
  });

  it('resets a peer that does not take the last bytes of a destroyed stream', async () => {
    // Not node:net: libuv takes a reset that comes with bytes before it for an end.
    const listener = await scene.listen({});
    const stream = await duplexTo(listener.port);
    const peer = (await listener.accept()) as Socket;
    peer.pause();
    stream.write(pattern(20 << 20));
    stream.destroy();
    expect(await once(stream, 'close')).toEqual([false]);
    // Only who reads hears of a reset.
    peer.resume();
    expect(await codeOf(() => readAll(peer))).toBe('ECONNRESET');
  });

  it('fails the write that was under way, which net.Socket does not tell, and those behind it', async () => {
    const { port } = await peers((socket) => void socket.pause());
    const stream = await duplexTo(port);
    const codes: unknown[] = [];
    const tell = (error?: (Error & { code?: string }) | null): number => codes.push(error?.code);
    stream.write(pattern(20 << 20), tell);
    stream.write('behind', tell);
    await new Promise((resolve) => setImmediate(resolve));
    expect(codes).toEqual([]);
    stream.destroy();
    expect(await once(stream, 'close')).toEqual([false]);
    expect(codes).toEqual(['ERR_SOCKET_CLOSED', 'ERR_SOCKET_CLOSED']);
  });

  it('comes when somebody closes the socket underneath', async () => {
    const { port } = await peers((socket) => void socket.resume());
    for (const close of ['close', 'destroy'] as const) {
      const socket = await scene.connect(port);
      const stream = socket.toDuplex();
      const closed = once(stream, 'close');
      socket[close]();
      expect(await closed).toEqual([false]);
      expect(stream.destroyed).toBe(true);
    }
  });

  it('gives up a connection that is not answered', async () => {
    const silent = await SilentListener.start();
    scene.atEnd(() => silent.stop());
    const stream = new SocketDuplex().connect(silent.port, '127.0.0.1');
    stream.setTimeout(10, () => stream.destroy());
    expect(await once(stream, 'close')).toEqual([false]);
    expect(stream.connecting).toBe(false);
    await until(() => counters().socketsOpen === 0);
  });

  it('comes by a signal', async () => {
    const { port } = await peers((socket) => void socket.resume());
    const controller = new AbortController();
    const stream = new SocketDuplex({ signal: controller.signal }).connect(port, '127.0.0.1');
    const failed = once(stream, 'error');
    controller.abort();
    expect(((await failed)[0] as { code: string }).code).toBe('ABORT_ERR');
  });
});

describe('a stream and its socket', () => {
  it('are two faces of one, for good', async () => {
    const { port } = await peers((socket) => void socket.resume());
    const socket = await scene.connect(port);
    const stream = socket.toDuplex();
    expect(socket.toDuplex()).toBe(stream);
    expect(await codeOf(() => socket.read())).toBe('ERR_MILLRACE_INVALID_STATE');
    stream.destroy();
    await once(stream, 'close');
    const other = await scene.connect(port);
    other.destroy();
    expect(await codeOf(() => other.toDuplex())).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  });

  it('set the options of the connection, also before there is one', async () => {
    const { port } = await peers((socket) => void socket.resume());
    const socket = await scene.connect(port);
    const stream = socket.toDuplex();
    expect(socket.noDelay).toBe(true);
    stream.setNoDelay(false).setKeepAlive(true, 5000);
    expect(socket.noDelay).toBe(false);
    expect(socket.keepAlive).toMatchObject({ idle: 5 });
    stream.setKeepAlive(false);
    expect(socket.keepAlive).toBe(false);
    // Nothing to ask for it, but it must not fail either.
    const early = new SocketDuplex().setNoDelay(false).setKeepAlive(true, 1000).unref().ref();
    early.connect(port, '127.0.0.1').end();
    await once(early, 'close');
    stream.destroy();
  });

  it('connect to a path', async () => {
    const path = join(tmpdir(), `millrace-duplex-${process.pid}.sock`);
    const server = createServer((socket) => socket.pipe(socket)).listen(path);
    scene.atEnd(() => server.close());
    await once(server, 'listening');
    for (const target of [path, { path }]) {
      const stream = new SocketDuplex().connect(target as string);
      stream.setNoDelay(true).setKeepAlive(true);
      stream.end('by a path');
      expect(String(await read(stream))).toBe('by a path');
    }
  });

  it('name a wrong argument', () => {
    const stream = new SocketDuplex();
    expect(() => stream.connect(70_000)).toThrow(RangeError);
    expect(() => stream.connect({ host: 'a' } as never)).toThrow(TypeError);
    expect(() => stream.connect(true as never)).toThrow(TypeError);
    expect(() => stream.setTimeout('soon' as never)).toThrow('timeout');
    expect(() => stream.setTimeout(-1)).toThrow('timeout');
    expect(() => stream.setTimeout(1, 1 as never)).toThrow('callback');
    stream.destroy();
  });
});

describe('what a listener does', () => {
  it('sees the store of whoever connected, and a callback that of whoever wrote', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const store = new AsyncLocalStorage<string>();
    const stream = store.run('connect', () => new SocketDuplex().connect(port, '127.0.0.1'));
    const seen: unknown[] = [];
    stream.on('connect', () => seen.push(store.getStore()));
    stream.on('data', () => seen.push(store.getStore()));
    stream.on('close', () => seen.push(store.getStore()));
    await once(stream, 'connect');
    store.run('write', () => stream.write('now', () => seen.push(store.getStore())));
    await until(() => seen.length === 3);
    stream.end();
    await once(stream, 'close');
    expect(seen.sort()).toEqual(['connect', 'connect', 'connect', 'write']);
  });

  it('is an uncaught exception when it throws; the connection and the others live on', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const stream = await duplexTo(port);
    const other = await duplexTo(port);
    let thrown: unknown = null;
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      thrown = error;
    });
    const bad = new Error('a mistake');
    stream.once('data', () => {
      throw bad;
    });
    stream.write('first');
    await until(() => thrown !== null);
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(thrown).toBe(bad);
    for (const one of [stream, other]) {
      one.end('last');
      expect(String(await read(one))).toBe('last');
    }
  });
});
