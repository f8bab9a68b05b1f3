// What is said arrives: both faces, all sizes, all kinds of data, and node:tls at the other end.
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { Chunk } from '../../lib/net/index.js';
import { Deferred, expectSameBytes, pattern, until } from '../net/scene.js';
import { eachEngine, errorOf, readAllTls, TlsScene } from './scene.js';

const scene = new TlsScene();
const LARGE = 3_000_000;

eachEngine(() => {
  test('handlers echo to a reading client, from one byte to more than all watermarks', async () => {
    const listener = await scene.listenTls({ data: (socket, chunk) => void socket.write(chunk) });
    const socket = await scene.connectTls(listener.port);
    for (const length of [1, 5, 1000, 16_384, 16_385, 100_000, LARGE]) {
      const bytes = pattern(length, length);
      const answer = socket.readExact(length);
      await socket.write(bytes);
      expectSameBytes(await answer, bytes);
    }
    expect(socket.bytesRead).toBe(socket.bytesWritten);
  });

  test('streams on both sides, with for await', async () => {
    const listener = await scene.listenTls();
    const from = await scene.connectTls(listener.port);
    const at = scene.trackTls((await listener.accept()) ?? expect.fail('no socket'));
    const bytes = pattern(LARGE);
    const answer = readAllTls(from);
    await from.write(bytes.subarray(0, LARGE / 2));
    const got = at.readExact(LARGE);
    await from.write(bytes.subarray(LARGE / 2));
    await at.write(await got);
    await at.close();
    expectSameBytes(await answer, bytes);
  });

  test('texts, typed arrays, buffers and lists of them', async () => {
    const { at, from } = await scene.pairTls();
    await from.write('grün ');
    await from.write(new Uint16Array([0x4141]));
    await from.write(new Uint8Array([66, 67]).buffer);
    await from.write(['a', Buffer.from('b'), new Uint8Array([99])]);
    await from.writev([pattern(40_000), 'x'.repeat(40_000)]);
    expect(String(await at.readExact(6 + 2 + 2 + 3))).toBe('grün AABCabc');
    expectSameBytes(await at.readExact(40_000), pattern(40_000));
    expect(String(await at.readExact(40_000))).toBe('x'.repeat(40_000));
    expect(await errorOf(() => from.write(5 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await errorOf(() => from.writev('text' as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  test('delimited reads', async () => {
    const { at, from } = await scene.pairTls();
    for (const part of ['first li', 'ne\nsecond', ' line\nrest']) await from.write(part);
    await from.close();
    expect(String(await at.readUntil('\n', 100))).toBe('first line\n');
    expect(String(await at.readUntil('\n', 100))).toBe('second line\n');
    expect(await errorOf(() => at.readUntil('\n', 100))).toMatchObject({ code: 'ERR_MILLRACE_UNEXPECTED_END' });
    expect(String(await at.read())).toBe('rest');
    expect(await at.read()).toBeNull();
  });

  test('a chunk is dead after its handler', async () => {
    const kept = new Deferred<Chunk>();
    const { from } = await scene.pairTls({ data: (_socket, chunk) => kept.resolve(chunk) });
    await from.write('mine?');
    const chunk = await kept.promise;
    expect(() => chunk.bytes).toThrow(/on loan/);
  });

  test('a decrypted chunk is written to a plain socket, and a plain one is encrypted', async () => {
    const plain = await scene.listen({ data: (socket, chunk) => void socket.write(chunk) });
    const back = await scene.connect(plain.port, { data: (_socket, chunk) => void at.write(chunk) });
    const { at, from } = await scene.pairTls({ data: (_socket, chunk) => void back.write(chunk) });
    const bytes = pattern(200_000);
    const answer = from.readExact(bytes.length);
    await from.write(bytes);
    expectSameBytes(await answer, bytes);
  });

  test('a reader that does not read holds the writer up, and gets everything when it does', async () => {
    const { at, from } = await scene.pairTls();
    const bytes = pattern(12_000_000);
    let drains = 0;
    from.setHandlers({ drain: () => drains++ });
    const written = from.write(bytes);
    expect(written.queued).toBe(true);
    expect(from.bytesQueued).toBeGreaterThan(5_000_000);
    expectSameBytes(await at.readExact(bytes.length), bytes);
    await written;
    expect(drains).toBe(1);
    expect(from.bytesQueued).toBeLessThanOrEqual(from.lowWaterMark);
  });

  test('a write beyond the limit is refused', async () => {
    const { from } = await scene.pairTls({}, { writeLimit: 100_000 });
    // More than the kernel takes at once.
    void from.write(pattern(30_000_000));
    expect(await errorOf(() => from.write('x'))).toMatchObject({ code: 'ERR_MILLRACE_SOCKET_LIMIT' });
  });

  test('halves for two tasks', async () => {
    const { at, from } = await scene.pairTls();
    const { reader, writer } = at.split();
    await from.write('question');
    expect(String(await reader.readExact(8))).toBe('question');
    await writer.write('answer');
    writer.close();
    expect(String(await readAllTls(from))).toBe('answer');
    reader.close();
    await at.close();
    expect(at.closed).toBe(true);
  });

  test('handlers take over from reads, with what was not read', async () => {
    const { at, from } = await scene.pairTls();
    await from.write('line\nmore');
    expect(String(await at.readUntil('\n', 10))).toBe('line\n');
    const got = new Deferred<string>();
    at.setHandlers({ data: (_socket, chunk) => got.resolve(chunk.toString()) });
    expect(await got.promise).toBe('more');
    expect(() => at.read()).toThrow(/data handler/);
  });

  test('from setHandlers on nobody else gets anything: a read would wait for ever', async () => {
    const { at, from } = await scene.pairTls();
    await from.write('line\n');
    await at.readUntil('\n', 10);
    const got = new Deferred<string>();
    at.setHandlers({ data: (_socket, chunk) => got.resolve(chunk.toString()) });
    expect(() => at.read()).toThrow(/data handler/);
    expect(() => at.split()).toThrow(/data handler/);
    await from.write('more');
    expect(await got.promise).toBe('more');
  });

  test('handlers that take over and pause get the rest, and the end, after resume', async () => {
    const { at, from } = await scene.pairTls();
    for (const bytes of [20_000, 20_000]) await from.write(pattern(bytes));
    from.shutdown();
    await until(() => at.peerEnded);
    const told: (number | string)[] = [];
    at.setHandlers({
      data(socket, chunk) {
        told.push(chunk.length);
        socket.pause();
      },
      end: () => told.push('end'),
    });
    while (told.at(-1) !== 'end') {
      const before = told.length;
      await new Promise((resolve) => setImmediate(resolve));
      expect(told.length).toBeLessThanOrEqual(before + 1);
      at.resume();
    }
    expect(told.slice(0, -1).reduce<number>((sum, length) => sum + Number(length), 0)).toBe(40_000);
    expect(told.length).toBeGreaterThan(2);
  });

  test('a node:tls client talks to our handlers', async () => {
    const listener = await scene.listenTls({ data: (socket, chunk) => void socket.write(chunk) });
    const client = await scene.nodeTlsClient(listener.port);
    const bytes = pattern(LARGE);
    client.end(bytes);
    expectSameBytes(await readAllTls(client), bytes);
  });

  test('our client talks to a node:tls server', async () => {
    const { port } = await scene.nodeTlsServer((socket) => socket.pipe(socket));
    const socket = await scene.connectTls(port);
    const bytes = pattern(LARGE);
    const answer = readAllTls(socket);
    await socket.write(bytes);
    socket.shutdown();
    expectSameBytes(await answer, bytes);
  });

  test('the stream face: a Duplex that libraries take for a TLSSocket', async () => {
    const { at, from } = await scene.pairTls({ alpnProtocols: ['one'] }, { alpnProtocols: ['one'] });
    const [a, b] = [at.toDuplex(), from.toDuplex()];
    expect(b).toMatchObject({ encrypted: true, authorized: true, alpnProtocol: 'one' });
    expect(b.remoteAddress).toBe('127.0.0.1');
    const bytes = pattern(LARGE);
    a.pipe(a);
    b.end(bytes);
    expectSameBytes(await readAllTls(b), bytes);
    if (!b.closed) await once(b, 'close');
  });

  test('many connections at a time', async () => {
    const listener = await scene.listenTls({ data: (socket, chunk) => void socket.write(chunk) });
    const talk = async (seed: number): Promise<void> => {
      const socket = await scene.connectTls(listener.port);
      const bytes = pattern(20_000 + seed, seed);
      const answer = socket.readExact(bytes.length);
      for (let at = 0; at < bytes.length; at += 777) await socket.write(bytes.subarray(at, at + 777));
      expectSameBytes(await answer, bytes);
      await socket.close();
    };
    await Promise.all(Array.from({ length: 50 }, (_, i) => talk(i + 1)));
    expect(listener).toMatchObject({ accepted: 50, secured: 50, failed: 0, handshaking: 0 });
  });
});
