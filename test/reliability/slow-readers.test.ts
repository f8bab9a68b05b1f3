// Peers that do not read cost their own memory, never the others' service.
import { describe, expect, test } from 'vitest';
import type { Socket } from '../../lib/net/index.js';
import { counters, expectSameBytes, pattern, readAll, readExactly, Scene, until } from '../net/scene.js';

const scene = new Scene();

/** As many connections as asked whose peers never read; the ends that may be written to. */
async function unreadConnections(count: number, options = {}): Promise<{ writable: Socket[]; unread: Socket[] }> {
  const writable: Socket[] = [];
  const listener = await scene.listen({ backlog: 1024, ...options, open: (socket) => void writable.push(socket) });
  const unread = await Promise.all(Array.from({ length: count }, () => scene.connect(listener.port)));
  for (const socket of unread) socket.pause();
  await until(() => writable.length === count);
  return { writable, unread };
}

async function expectHealthyEcho(bytes: number): Promise<void> {
  const listener = await scene.listen({ data: (socket, chunk) => void socket.write(chunk) });
  const socket = await scene.connect(listener.port);
  const sent = pattern(bytes);
  const answer = readAll(socket);
  void socket.write(sent);
  socket.shutdown();
  expectSameBytes(await answer, sent);
}

describe('four hundred sockets whose peers do not read, with more queued than all arenas hold', () => {
  test('do not starve a healthy one, and get all of it when they read after all', async () => {
    const { writable, unread } = await unreadConnections(400);
    const piece = pattern(100_000);
    // What the kernel takes differs; what is left is far more than the 16 MiB of the send arena.
    const pieces = 60;
    for (const socket of writable) {
      for (let i = 0; i < 4; i++) void socket.write(piece);
    }
    for (let i = 4; i < pieces; i++) for (const socket of writable.slice(0, 10)) void socket.write(piece);
    await until(() => writable.every((socket) => socket.bytesQueued > 0 || socket.bytesWritten === 400_000));
    expect(writable.slice(0, 10).every((socket) => socket.bytesQueued > 65_536)).toBe(true);
    await expectHealthyEcho(3_000_000);
    for (const socket of writable) void socket.close();
    for (const socket of unread) {
      socket.resume();
      const all = await readAll(socket);
      expect(all.length % piece.length).toBe(0);
      expectSameBytes(all.subarray(0, piece.length), piece);
      expectSameBytes(all.subarray(all.length - piece.length), piece);
    }
    const total = writable.reduce((sum, socket) => sum + socket.bytesWritten, 0);
    expect(unread.reduce((sum, socket) => sum + socket.bytesRead, 0)).toBe(total);
  }, 60_000);
});

test('one tick that writes more than the arena for three hundred sockets loses nothing', async () => {
  const { writable, unread } = await unreadConnections(300);
  for (const [i, socket] of writable.entries()) void socket.write(pattern(120_000, i));
  for (const socket of writable) void socket.close();
  const answers = await Promise.all(
    unread.map((socket) => {
      socket.resume();
      return readAll(socket);
    }),
  );
  // Which accepted end belongs to which peer only their bytes tell.
  const firsts = new Set(writable.map((_, i) => pattern(120_000, i).toString('latin1')));
  for (const answer of answers) expect(firsts.delete(answer.toString('latin1'))).toBe(true);
  expect(firsts.size).toBe(0);
}, 60_000);

test('an echo server whose clients send and never read goes on serving those that do', async () => {
  // Each of them makes the server hold received chunks that it cannot send back: more than there are receive buffers.
  const listener = await scene.listen({
    backlog: 1024,
    data(socket, chunk) {
      if (socket.write(chunk).state === 0) socket.pause();
    },
    drain: (socket) => socket.resume(),
  });
  const greedy = await Promise.all(Array.from({ length: 300 }, () => scene.connect(listener.port)));
  for (const socket of greedy) {
    socket.pause();
    void socket.write(Buffer.alloc(200_000));
  }
  await until(() => (counters().receiveBytes as number) > 300 * 65_536);
  for (let i = 0; i < 20; i++) {
    const socket = await scene.connect(listener.port);
    const bytes = pattern(50_000, i);
    void socket.write(bytes);
    expectSameBytes(await readExactly(socket, bytes.length), bytes);
    await socket.close();
  }
}, 60_000);

test('more data at once than there are receive buffers is delivered, every byte', async () => {
  // 1024 buffers of 16 KiB; the sockets have 40 MB under way while this thread does not look.
  const received = new Map<Socket, number>();
  const listener = await scene.listen({
    backlog: 1024,
    data: (socket, chunk) => void received.set(socket, (received.get(socket) ?? 0) + chunk.length),
  });
  const senders = await Promise.all(Array.from({ length: 200 }, () => scene.connect(listener.port)));
  const bytes = Buffer.alloc(200_000);
  const before = counters().receiveBytes as number;
  for (const socket of senders) void socket.write(bytes);
  const total = senders.length * bytes.length;
  await until(() => (counters().receiveBytes as number) - before === total);
  await until(() => [...received.values()].reduce((sum, count) => sum + count, 0) === total);
  expect([...received.values()].every((count) => count === bytes.length)).toBe(true);
  expect(received.size).toBe(senders.length);
}, 60_000);
