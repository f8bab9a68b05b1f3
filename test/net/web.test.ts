// Web Streams over a socket, against node:net on the other side.
import type { Socket as NodeSocket } from 'node:net';
import type { ReadableStream } from 'node:stream/web';
import { describe, expect, it } from 'vitest';
import { codeOf, expectSameBytes, pattern, Scene, until } from './scene.js';

const scene = new Scene();

async function read(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function peers(onConnection: (socket: NodeSocket) => void, options = {}): Promise<{ port: number }> {
  return scene.nodeServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  }, options);
}

describe('Web Streams over a socket', () => {
  it('carry megabytes both ways, in order', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const { readable, writable } = (await scene.connect(port)).toWeb();
    const sent = pattern(8 << 20);
    const received = read(readable);
    const writer = writable.getWriter();
    for (let at = 0; at < sent.length; at += 100_000) {
      await writer.ready;
      // Not awaited: the writer's own backpressure is `ready`.
      writer.write(sent.subarray(at, at + 100_000)).catch(() => {});
    }
    await writer.close();
    expectSameBytes(await received, sent);
  });

  it('give chunks whose memory nobody else has: a transfer takes nothing away from anybody', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const socket = await scene.connect(port);
    const other = await scene.connect(port);
    const { readable, writable } = socket.toWeb();
    const reader = readable.getReader();
    const writer = writable.getWriter();
    for (let i = 0; i < 20; i++) {
      await writer.write(Buffer.alloc(1000, i));
      for (let got = 0; got < 1000; ) {
        const { value } = await reader.read();
        const bytes = value as Uint8Array;
        got += bytes.length;
        expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.length]);
        expect(bytes.every((byte) => byte === i)).toBe(true);
        structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
      }
    }
    await writer.close();
    // The arena is still there for the others.
    other.write('alive');
    expect(String(await other.read())).toBe('alive');
  });

  it('read into the buffer that the reader brings', async () => {
    const sent = pattern(300_000);
    const { port } = await peers((socket) => void socket.end(sent));
    const { readable } = (await scene.connect(port)).toWeb();
    const reader = readable.getReader({ mode: 'byob' });
    const chunks: Buffer[] = [];
    let memory = new ArrayBuffer(7777);
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(memory));
      if (done) break;
      const bytes = value as Uint8Array;
      expect(bytes.buffer.byteLength).toBe(7777);
      chunks.push(Buffer.from(Uint8Array.from(bytes)));
      memory = bytes.buffer as ArrayBuffer;
    }
    expectSameBytes(Buffer.concat(chunks), sent);
  });

  it('tell a reader that waits with its buffer of the end', async () => {
    let peer: NodeSocket | null = null;
    const { port } = await peers((socket) => {
      peer = socket;
    });
    const { readable } = (await scene.connect(port)).toWeb();
    const reader = readable.getReader({ mode: 'byob' });
    const waiting = reader.read(new Uint8Array(10));
    await until(() => peer !== null);
    (peer as unknown as NodeSocket).end();
    expect((await waiting).done).toBe(true);
  });

  it('stop a peer whose bytes nobody reads, and lose none of them', async () => {
    const sent = pattern(40 << 20);
    const { port } = await peers((socket) => void socket.end(sent));
    const socket = await scene.connect(port);
    const { readable } = socket.toWeb();
    let before = -1;
    while (socket.bytesRead !== before) {
      before = socket.bytesRead;
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(socket.bytesRead).toBeLessThanOrEqual(16 << 20);
    expectSameBytes(await read(readable), sent);
  });

  it('let a write wait for a peer that does not read', async () => {
    let peer: NodeSocket | null = null;
    const { port } = await peers((socket) => {
      peer = socket;
      socket.pause();
    });
    const { writable } = (await scene.connect(port)).toWeb();
    const writer = writable.getWriter();
    let done = false;
    const written = writer.write(pattern(20 << 20)).then(() => {
      done = true;
    });
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    expect(writer.desiredSize).toBeLessThan(0);
    await until(() => peer !== null);
    (peer as unknown as NodeSocket).resume();
    await written;
    await writer.close();
  });

  it('keep what was received before, and a half-open side open', async () => {
    let got = '';
    const { port } = await peers(
      (socket) => {
        socket.end('question');
        socket.on('data', (bytes) => {
          got += bytes;
        });
      },
      { allowHalfOpen: true },
    );
    const socket = await scene.connect(port);
    await until(() => socket.bytesRead === 8 && socket.peerEnded);
    const { readable, writable } = socket.toWeb({ allowHalfOpen: true });
    expect(String(await read(readable))).toBe('question');
    const writer = writable.getWriter();
    await writer.write('answer');
    await writer.close();
    await until(() => got === 'answer' && socket.closed);
  });

  it('end our side with the peer, unless half-open', async () => {
    const { port } = await peers((socket) => void socket.end());
    const socket = await scene.connect(port);
    const { readable, writable } = socket.toWeb();
    expect((await read(readable)).length).toBe(0);
    await until(() => socket.closed);
    expect(await codeOf(() => writable.getWriter().write('late'))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  });

  it('fail both ways with the error of the socket', async () => {
    const { port } = await peers((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { readable, writable } = (await scene.connect(port)).toWeb();
    const writer = writable.getWriter();
    const failed = codeOf(() => read(readable));
    await writer.write('go');
    expect(await failed).toBe('ECONNRESET');
    expect(await codeOf(() => writer.closed)).toBe('ECONNRESET');
  });

  it('leave nothing when they are cancelled, aborted, or the socket is closed underneath', async () => {
    const { port } = await peers((socket) => socket.pipe(socket));
    const silent = await peers(() => {}, { allowHalfOpen: true });
    const cancelled = await scene.connect(silent.port);
    const one = cancelled.toWeb();
    await one.readable.cancel();
    const writer = one.writable.getWriter();
    await writer.write('dropped');
    await writer.close();
    await until(() => cancelled.closed);

    const aborted = await scene.connect(port);
    const two = aborted.toWeb();
    const failed = codeOf(() => read(two.readable));
    await two.writable.abort(new Error('enough'));
    expect(await failed).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    await until(() => aborted.closed);

    const closed = await scene.connect(port);
    const three = closed.toWeb();
    closed.close();
    expect(await codeOf(() => read(three.readable))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
    expect(await codeOf(() => three.writable.getWriter().write('x'))).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  });

  it('are one face of the socket for good', async () => {
    const { port } = await peers((socket) => void socket.resume());
    const socket = await scene.connect(port);
    const web = socket.toWeb();
    expect(socket.toWeb()).toBe(web);
    expect(await codeOf(() => socket.toDuplex())).toBe('ERR_MILLRACE_INVALID_STATE');
    expect(await codeOf(() => socket.setHandlers({}))).toBe('ERR_MILLRACE_INVALID_STATE');
    expect(await codeOf(() => socket.read())).toBe('ERR_MILLRACE_INVALID_STATE');
    const reading = await scene.connect(port);
    const waits = codeOf(() => reading.read());
    expect(await codeOf(() => reading.toWeb())).toBe('ERR_MILLRACE_INVALID_STATE');
    expect(await codeOf(() => reading.toDuplex())).toBe('ERR_MILLRACE_INVALID_STATE');
    expect(await codeOf(() => socket.toWeb({ allowHalfOpen: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
    reading.destroy();
    await waits;
  });

  it('take no chunk that is none, and then the connection is over', async () => {
    const { port } = await peers((socket) => void socket.resume());
    const socket = await scene.connect(port);
    const { writable, readable } = socket.toWeb();
    const failed = codeOf(() => read(readable));
    expect(await codeOf(() => writable.getWriter().write({} as never))).toBe('ERR_INVALID_ARG_TYPE');
    await until(() => socket.closed);
    expect(await failed).toBe('ERR_MILLRACE_SOCKET_CLOSED');
  });
});
