// What one connection can make the server hold, counted.
import { describe, expect, test } from 'vitest';
import { Backlog } from '../../../lib/http/backlog.js';
import { Reply } from '../../../lib/http/index.js';
import { RequestBody } from '../../../lib/http/request-body.js';
import { codeOf, Deferred, pattern } from '../../net/scene.js';
import { FakePeer, get, rest, start, until } from '../fake-scene.js';

describe('a peer that does not read', () => {
  test('is asked for no more than the depth of its pipeline, however many requests its bytes hold', async () => {
    let handled = 0;
    const server = start({
      fetch: () => {
        handled++;
        return 'x'.repeat(100_000);
      },
    });
    const peer = await FakePeer.open(server);
    peer.pause().say(get().repeat(2000));
    await rest();
    expect(handled).toBeLessThanOrEqual(16);
    for (let i = 0; i < 2000; i++) expect((await peer.resume().reply()).body.length).toBe(100_000);
    expect(handled).toBe(2000);
  });

  test('and a handler that does not wait: writing throws, also when it is not its turn', async () => {
    const codes: unknown[] = [];
    const gate = new Deferred<string>();
    const server = start({
      fetch: (request) =>
        request.path === '/1'
          ? gate.promise
          : Reply.stream(async (writer) => {
              codes.push(
                await codeOf(async () => {
                  for (let i = 0; i < 1000; i++) void writer.write(Buffer.alloc(1_000_000));
                }),
              );
            }),
    });
    const peer = await FakePeer.open(server);
    peer.pause().say(get('/2'));
    await until(() => codes.length === 1);
    peer.reset();
    const other = await FakePeer.open(server);
    other.say(get('/1') + get('/2'));
    await until(() => codes.length === 2);
    expect(codes).toEqual(['ERR_MILLRACE_SOCKET_LIMIT', 'ERR_MILLRACE_SOCKET_LIMIT']);
    gate.resolve('one');
    expect((await other.reply()).text).toBe('one');
  });
});

describe('a peer that sends more than is taken', () => {
  test('is not read from while as many requests as may be are handled', async () => {
    const gates: Deferred<string>[] = [];
    const server = start({
      limits: { pipelineDepth: 4 },
      fetch: () => {
        const gate = new Deferred<string>();
        gates.push(gate);
        return gate.promise;
      },
    });
    const peer = await FakePeer.open(server);
    const count = 20_000;
    peer.say(get().repeat(count));
    await rest();
    expect(gates.length).toBe(4);
    expect(peer.unsent).toBeGreaterThan(300_000);
    for (let i = 0; i < count; i++) {
      if (gates.length <= i) await until(() => gates.length > i);
      gates[i]?.resolve('x');
      if (i % 1000 === 999) await rest();
    }
    for (let i = 0; i < count; i++) expect((await peer.reply()).text).toBe('x');
  });

  test('is not read from while its body is not', async () => {
    const gate = new Deferred<void>();
    let first = 0;
    const server = start({
      fetch: async (request) => {
        first = (await request.body.read())?.length ?? 0;
        await gate.promise;
        let length = first;
        for await (const bytes of request.body) length += bytes.length;
        return String(length);
      },
    });
    const peer = await FakePeer.open(server);
    peer.say(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n${'x'.repeat(3_000_000)}`);
    await rest();
    expect(first).toBeGreaterThan(0);
    expect(peer.unsent).toBeGreaterThan(2_500_000);
    gate.resolve();
    expect((await peer.reply()).text).toBe('3000000');
  });
});

test('a body in very small chunks is kept in few pieces', async () => {
  const bytes = pattern(200_000);
  const body = new RequestBody({ contentLength: -1, bodyWanted() {}, holdBody() {} });
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, at % 7 === 0 ? 5000 : 1 + (at % 3));
    body.push(bytes, at, length);
    at += length;
  }
  body.end();
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  expect(pieces.length).toBeLessThanOrEqual(1 + (2 * bytes.length) / 4096);
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
});

test('a backlog is not copied when it is taken from', () => {
  const bytes = pattern(100_000);
  const backlog = new Backlog();
  const moves = new Set<Buffer>();
  let taken = 0;
  for (let at = 0; at < bytes.length; at += 1000) {
    backlog.append(bytes, at, 1000);
    moves.add(backlog.memory);
    for (let i = 0; i < 4; i++, taken += 100, backlog.start += 100) {
      expect(
        backlog.memory.subarray(backlog.start, backlog.start + 100).equals(bytes.subarray(taken, taken + 100)),
      ).toBe(true);
    }
  }
  expect(backlog.length).toBe(bytes.length - taken);
  expect(backlog.takeAll().equals(bytes.subarray(taken))).toBe(true);
  expect(moves.size).toBeLessThan(20);
});
