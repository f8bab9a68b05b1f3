// Everything that is written arrives, once, in order and unchanged: in each face of a server, for each kind of data and
// for every size.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spawn } from '../../lib/index.js';
import type { Data, Listener, Socket } from '../../lib/net/index.js';
import { expectSameBytes, pattern, readAll, readExactly, Scene } from './scene.js';

const scene = new Scene();

const echoes: Record<string, () => Promise<Listener>> = {
  handlers: () => scene.listen({ data: (socket, chunk) => void socket.write(chunk) }),

  'handlers that copy': () => scene.listen({ data: (socket, chunk) => void socket.write(chunk.copy()) }),

  'async functions': async () => {
    const listener = await scene.listen();
    void spawn(async () => {
      for await (const socket of listener) void spawn(() => echoAsync(socket));
    });
    return listener;
  },

  fibers: async () => {
    const listener = await scene.listen();
    void spawn(function* () {
      for (;;) {
        const socket = yield* listener.accept();
        if (socket === null) return;
        void spawn(function* () {
          for (;;) {
            const bytes = yield* socket.read();
            if (bytes === null) break;
            yield* socket.write(bytes);
          }
          yield* socket.close();
        });
      }
    });
    return listener;
  },
};

async function echoAsync(socket: Socket): Promise<void> {
  for await (const bytes of socket) await socket.write(bytes);
  await socket.close();
}

/** Writes all of it, one piece after the other, and ends; what comes back until the end. */
async function exchange(port: number, pieces: Data[]): Promise<Buffer> {
  const socket = await scene.connect(port);
  const answer = readAll(socket);
  for (const piece of pieces) await socket.write(piece);
  socket.shutdown();
  return answer;
}

describe.each(Object.keys(echoes))('an echo by %s', (face) => {
  test('gives back a text', async () => {
    const { port } = await (echoes[face] as () => Promise<Listener>)();
    expect(String(await exchange(port, ['millrace', '', ' grüßt ', '\u{1f30a}']))).toBe('millrace grüßt \u{1f30a}');
  });

  test('gives back five megabytes written at once', async () => {
    const { port } = await (echoes[face] as () => Promise<Listener>)();
    const bytes = pattern(5_000_000);
    expectSameBytes(await exchange(port, [bytes]), bytes);
  });

  test('gives back fragments of one byte', async () => {
    const { port } = await (echoes[face] as () => Promise<Listener>)();
    const bytes = pattern(3000);
    const fragments = Array.from(bytes, (byte) => Buffer.of(byte));
    expectSameBytes(await exchange(port, fragments), bytes);
  });

  test('serves two hundred sockets at once, each its own bytes', async () => {
    const { port } = await (echoes[face] as () => Promise<Listener>)();
    const each = Array.from({ length: 200 }, (_, i) => pattern(1 + i * 97, i + 1));
    const answers = await Promise.all(each.map((bytes) => exchange(port, [bytes])));
    for (const [i, answer] of answers.entries()) expectSameBytes(answer, each[i] as Buffer);
  });

  test('holds a conversation', async () => {
    const { port } = await (echoes[face] as () => Promise<Listener>)();
    const socket = await scene.connect(port);
    for (let i = 1; i <= 300; i++) {
      const bytes = pattern(1 + ((i * 37) % 700), i);
      void socket.write(bytes);
      expectSameBytes(await readExactly(socket, bytes.length), bytes);
    }
    await socket.close();
  });
});

describe('each kind of data', () => {
  const bytes = pattern(4096, 5);
  const larger = Buffer.concat([pattern(100, 6), bytes, pattern(50, 7)]);
  const kinds: Record<string, () => Data> = {
    'a Buffer': () => bytes,
    'a Uint8Array': () => new Uint8Array(bytes),
    'a Float64Array': () => new Float64Array(new Uint8Array(bytes).buffer),
    'a DataView into something larger': () => new DataView(larger.buffer, larger.byteOffset + 100, 4096),
    'an ArrayBuffer': () => new Uint8Array(bytes).buffer,
    'a view into shared memory': () => {
      const shared = new Uint8Array(new SharedArrayBuffer(4096));
      shared.set(bytes);
      return shared;
    },
  };
  test.each(Object.keys(kinds))('arrives: %s', async (kind) => {
    const { port } = await (echoes.handlers as () => Promise<Listener>)();
    expectSameBytes(await exchange(port, [(kinds[kind] as () => Data)()]), bytes);
  });

  test.each([21_845, 21_846, 65_536, 300_000])('arrives: a text of %i characters of three bytes', async (length) => {
    const { port } = await (echoes.handlers as () => Promise<Listener>)();
    const text = '€'.repeat(length);
    expectSameBytes(await exchange(port, [text]), Buffer.from(text));
  });

  test('a lone surrogate is what Node makes of it', async () => {
    const { port } = await (echoes.handlers as () => Promise<Listener>)();
    expectSameBytes(await exchange(port, ['a\ud800b']), Buffer.from('a\ud800b'));
  });

  test('nothing is written by an empty one, which is done at once', async () => {
    const { port } = await (echoes.handlers as () => Promise<Listener>)();
    const socket = await scene.connect(port);
    for (const empty of ['', Buffer.alloc(0), new ArrayBuffer(0), new Float32Array(0)]) await socket.write(empty);
    expect(socket.bytesWritten).toBe(0);
    await socket.write('x');
    expect(String(await socket.read())).toBe('x');
  });

  test('the memory that was written may be used again at once', async () => {
    const { port } = await (echoes.handlers as () => Promise<Listener>)();
    const socket = await scene.connect(port);
    const memory = Buffer.alloc(100_000, 'a');
    void socket.write(memory);
    memory.fill('b');
    expectSameBytes(await readExactly(socket, 100_000), Buffer.alloc(100_000, 'a'));
  });
});

test('writes of any sizes, of any kinds, come back as they were', async () => {
  const { port } = await (echoes.handlers as () => Promise<Listener>)();
  const size = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 200 }) },
    { weight: 4, arbitrary: fc.constantFrom(511, 512, 513, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 131_072) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 300_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 5_000_000 }) },
  );
  const write = fc.record({ size, kind: fc.constantFrom('buffer', 'text', 'memory'), waits: fc.boolean() });
  const writes = fc.array(write, { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(writes, async (plan) => {
      const socket = await scene.connect(port);
      const answer = readAll(socket);
      const sent: Buffer[] = [];
      for (const { size: bytes, kind, waits } of plan) {
        const piece =
          kind === 'text' ? Buffer.from(pattern(bytes).toString('latin1')) : pattern(bytes, sent.length + 1);
        sent.push(piece);
        const data = { buffer: piece, text: piece.toString(), memory: new Uint8Array(piece).buffer }[kind] as Data;
        const written = socket.write(data);
        if (waits || socket.bytesQueued > 8_000_000) await written;
      }
      socket.shutdown();
      expectSameBytes(await answer, Buffer.concat(sent));
      expect(socket.bytesWritten).toBe(sent.reduce((sum, piece) => sum + piece.length, 0));
      expect(socket.bytesRead).toBe(socket.bytesWritten);
    }),
    { numRuns: 60 },
  );
});
