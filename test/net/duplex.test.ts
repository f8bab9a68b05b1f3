// The Duplex face of a socket, against node:net on the other side.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { SocketDuplex } from '../../lib/net/duplex.js';
import { expectSameBytes, pattern, Scene } from './scene.js';

const scene = new Scene();

async function read(stream: SocketDuplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('a socket as a Duplex', () => {
  it('carries megabytes both ways at once, in order', async () => {
    const { port } = await scene.nodeServer((socket) => socket.pipe(socket));
    const stream = (await scene.connect(port)).toDuplex();
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
});
