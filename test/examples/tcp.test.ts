// The echo examples, spoken to by plain node:net clients.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Example } from './run-example.js';

async function start(name: string): Promise<{ example: Example; port: number }> {
  const example = new Example(name, ['0']);
  const [, port] = await example.says(/listening on 127\.0\.0\.1:(\d+)/);
  return { example, port: Number(port) };
}

async function client(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Sends `bytes` and gives as many that came back. */
async function echoed(socket: Socket, bytes: Buffer): Promise<Buffer> {
  socket.write(bytes);
  const received: Buffer[] = [];
  let length = 0;
  while (length < bytes.length) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    received.push(chunk);
    length += chunk.length;
  }
  return Buffer.concat(received);
}

for (const name of ['tcp-echo', 'tcp-echo-streams']) {
  describe(name, () => {
    test('echoes to several connections, small and beyond the high watermark', async () => {
      const { example, port } = await start(name);
      const clients = await Promise.all([client(port), client(port), client(port)]);
      for (const [i, socket] of clients.entries()) {
        expect(String(await echoed(socket, Buffer.from(`hello ${i}`)))).toBe(`hello ${i}`);
      }
      const large = Buffer.alloc(1_000_000, 'millrace');
      expect((await echoed(clients[0] as Socket, large)).equals(large)).toBe(true);
      for (const socket of clients) socket.end();
      await Promise.all(clients.map((socket) => once(socket, 'close')));
      example.signal('SIGTERM');
      expect(await example.ended).toMatchObject({ code: 0, errors: '' });
    });

    test.for(['SIGTERM', 'SIGINT'] as const)('%s ends it with a connection open', async (signal) => {
      const { example, port } = await start(name);
      const socket = await client(port);
      await echoed(socket, Buffer.from('here'));
      socket.on('error', () => {}); // it may be reset
      const closed = new Promise((resolve) => socket.on('close', resolve));
      example.signal(signal);
      expect(await example.ended).toMatchObject({ code: 0, errors: '' });
      socket.destroy();
      await closed;
    });

    test('a reset of one connection leaves the others alone', async () => {
      const { example, port } = await start(name);
      const [lost, kept] = await Promise.all([client(port), client(port)]);
      await echoed(lost, Buffer.from('soon gone'));
      lost.resetAndDestroy();
      expect(String(await echoed(kept, Buffer.from('still here')))).toBe('still here');
      kept.end();
      await once(kept, 'close');
      example.signal('SIGTERM');
      expect((await example.ended).code).toBe(0);
    });
  });
}
