// The kernel writes into the receive arena, and handlers hold views of it: whatever is done with a view, the memory stays.
import { expect, test } from 'vitest';
import { SEND_BLOCK_BYTES } from '../../lib/internal/layout.js';
import { Arenas, openArenas } from '../../lib/net/arenas.js';
import { Scene, until } from './scene.js';

const scene = new Scene();

test('a chunk that is given to a byte stream cannot take the receive memory away', async () => {
  const thrown: unknown[] = [];
  const listener = await scene.listen({
    data(socket, chunk) {
      new ReadableStream({
        type: 'bytes',
        start(controller) {
          try {
            controller.enqueue(chunk.bytes);
          } catch (error) {
            thrown.push(error);
          }
        },
      });
      const { buffer } = chunk.bytes as unknown as { buffer: { transfer?(): unknown } };
      try {
        buffer.transfer?.();
      } catch (error) {
        thrown.push(error);
      }
      socket.write(chunk);
    },
  });
  const client = await scene.connect(listener.port);
  for (const word of ['one', 'two']) {
    client.write(word);
    expect(String(await client.read())).toBe(word);
  }
  await until(() => thrown.length >= 2);
  expect(thrown[0]).toBeInstanceOf(TypeError);
});

test('what one tick sends uses the same few blocks as what the tick before has sent', async () => {
  const listener = await scene.listen({
    data: (socket) => void (socket.bytesRead % 70_000 === 0 && socket.write('seen')),
  });
  const client = await scene.connect(listener.port);
  const arena = openArenas().sends;
  arena.fill(0);
  const half = Buffer.alloc(35_000, 1);
  for (let round = 0; round < 200; round++) {
    await client.write([half, half]);
    await client.read();
  }
  expect(arena.lastIndexOf(1)).toBeLessThan(8 * SEND_BLOCK_BYTES);
});

test('a block that was filled just now is not taken for a free one, though the addon knows nothing of it yet', async () => {
  const listener = await scene.listen({});
  const client = await scene.connect(listener.port);
  client.pause(); // something is submitted
  const arenas = new Arenas();
  const first = arenas.reserve(SEND_BLOCK_BYTES, true);
  arenas.commit(SEND_BLOCK_BYTES);
  expect(arenas.reserve(SEND_BLOCK_BYTES, true)).not.toBe(first);
});
