// The other end is not always ours: node:net on either side.
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { codeOf, Deferred, expectSameBytes, pattern, readAll, readExactly, Scene } from './scene.js';

const scene = new Scene();
const LARGE = 4_000_000;

test('a node:net client talks to our handlers', async () => {
  const listener = await scene.listen({ data: (socket, chunk) => void socket.write(chunk) });
  const client = await scene.nodeClient(listener.port);
  const bytes = pattern(LARGE);
  client.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of client) chunks.push(chunk as Buffer);
  expectSameBytes(Buffer.concat(chunks), bytes);
});

test('our client talks to a node:net server', async () => {
  const { port } = await scene.nodeServer((socket) => socket.pipe(socket));
  const socket = await scene.connect(port);
  const bytes = pattern(LARGE);
  const answer = readAll(socket);
  await socket.write(bytes);
  socket.shutdown();
  expectSameBytes(await answer, bytes);
});

test('a node:net client that writes byte by byte', async () => {
  let calls = 0;
  const listener = await scene.listen({
    data(socket, chunk) {
      calls++;
      void socket.write(chunk);
    },
  });
  const client = await scene.nodeClient(listener.port, { noDelay: true });
  for (const byte of 'slowly') {
    client.write(byte);
    const [answer] = await once(client, 'data');
    expect(String(answer)).toBe(byte);
  }
  expect(calls).toBe(6);
});

test('a node:net client that keeps its side open after ours has ended', async () => {
  const listener = await scene.listen({ allowHalfOpen: true });
  const client = await scene.nodeClient(listener.port, { allowHalfOpen: true });
  const socket = scene.track((await listener.accept()) ?? expect.fail('no socket'));
  socket.shutdown();
  client.resume();
  await once(client, 'end');
  client.end('afterwards');
  expect(String(await readAll(socket))).toBe('afterwards');
});

test('a node:net server that does not read holds our writer up, and gets everything when it does', async () => {
  const accepted = new Deferred<import('node:net').Socket>();
  const { port } = await scene.nodeServer((socket) => accepted.resolve(socket.pause()));
  const socket = await scene.connect(port);
  const bytes = pattern(12_000_000);
  const written = socket.write(bytes);
  const server = await accepted.promise;
  expect(written.state).toBe(0);
  const chunks: Buffer[] = [];
  server.on('data', (chunk) => chunks.push(chunk));
  server.resume();
  await written;
  void socket.close();
  await once(server, 'end');
  expectSameBytes(Buffer.concat(chunks), bytes);
});

test('a node:net peer resets in the middle of our write', async () => {
  const { port } = await scene.nodeServer((socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  const socket = await scene.connect(port);
  expect(['ECONNRESET', 'EPIPE']).toContain(await codeOf(() => socket.write(pattern(12_000_000))));
  expect(['ECONNRESET', 'EPIPE']).toContain(await codeOf(() => socket.read()));
});

test('a conversation in which both ends answer at once', async () => {
  const { port } = await scene.nodeServer((socket) => {
    socket.write('hello;');
    socket.pipe(socket);
  });
  const socket = await scene.connect(port);
  await socket.write('world;');
  expect(String(await readExactly(socket, 12))).toBe('hello;world;');
});
