// The kernel writes into the receive arena, and handlers hold views of it: whatever is done with a view, the memory stays.
import { expect, test } from 'vitest';
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
