// The HTTP functions of the addon by themselves: what they cannot be given, and how they end. Nonsense without an end is
// test/native/programs/hostile-http.mjs.
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { loadAddon } from '../../lib/internal/binding.js';
import {
  HTTP_CONNECTIONS_MAX,
  HTTP_INPUT_IS_ARENA,
  HTTP_OUTPUT_IS_ARENA,
  HTTP_STOP_END,
  HTTP_WORD_ARENAS,
  HTTP_WORD_CONNECTION,
  HTTP_WORD_CONSUMED,
  HTTP_WORD_LENGTH,
  HTTP_WORD_OFFSET,
  HTTP_WORD_OUT_OFFSET,
  HTTP_WORD_OUT_ROOM,
  HTTP_WORD_REQUESTS_MAX,
  HTTP_WORD_STOP,
} from '../../lib/internal/http-layout.js';
import { openArenas } from '../../lib/net/arenas.js';

const addonPath =
  process.env.MILLRACE_ADDON || fileURLToPath(new URL('../../build/Release/millrace.node', import.meta.url));
const http = loadAddon().openHttp();
const table = new Uint32Array(http.table);
const SERVER = [100, 1000, 10, 100, 100] as const;

function call(words: Partial<Record<number, number>>, input: unknown, output?: unknown): number {
  for (const [word, value] of Object.entries(words)) table[Number(word)] = value as number;
  return http.parse(input as Uint8Array, output as Uint8Array);
}

/** The words that ask for the first request of four bytes. */
function asked(connection: number, arenas: number): Record<number, number> {
  return {
    [HTTP_WORD_CONNECTION]: connection,
    [HTTP_WORD_OFFSET]: 0,
    [HTTP_WORD_LENGTH]: 4,
    [HTTP_WORD_REQUESTS_MAX]: 1,
    [HTTP_WORD_OUT_OFFSET]: 0,
    [HTTP_WORD_OUT_ROOM]: 0,
    [HTTP_WORD_ARENAS]: arenas,
  };
}

const wrongType = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' });
const outOfRange = expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' });
const invalidState = expect.objectContaining({ code: 'ERR_MILLRACE_INVALID_STATE' });

describe('arguments', () => {
  test('of server: each limit has its range', () => {
    for (let i = 0; i < SERVER.length; i++) {
      for (const wrong of [-1, 1.5, Number.NaN, 2 ** 32, Number.POSITIVE_INFINITY]) {
        expect(() =>
          http.server(...(SERVER.map((limit, at) => (at === i ? wrong : limit)) as unknown as typeof SERVER)),
        ).toThrow(outOfRange);
      }
      for (const wrong of ['1', null, undefined, {}, 1n]) {
        const limits = SERVER.map((limit, at) => (at === i ? wrong : limit)) as unknown as typeof SERVER;
        expect(() => http.server(...limits)).toThrow(wrongType);
      }
    }
    expect(() => http.server(1, 65_001, 1, 1, 2)).toThrow(outOfRange);
    expect(() => http.server(1, 1, 4097, 1, 2)).toThrow(outOfRange);
    expect(() => http.server(1, 1, 1, 1, 1)).toThrow(outOfRange);
  });

  test('of handles: what was never one is refused', () => {
    for (const wrong of [0, 1, 12345, 2 ** 32 - 1]) {
      expect(() => http.attach(wrong)).toThrow(invalidState);
      expect(() => http.dropServer(wrong)).toThrow(invalidState);
      expect(() => http.setStatic(wrong, new Uint32Array(), new Uint8Array())).toThrow(invalidState);
      expect(() => http.detach(wrong)).toThrow(invalidState);
      expect(() => http.skipBody(wrong)).toThrow(invalidState);
      expect(() => call({ [HTTP_WORD_CONNECTION]: wrong }, new Uint8Array())).toThrow(invalidState);
    }
    for (const wrong of ['1', undefined, {}]) {
      expect(() => http.detach(wrong as number)).toThrow(wrongType);
      expect(() => http.attach(wrong as number)).toThrow(wrongType);
    }
  });

  test('of parse: the part of the input and of the output lies within them', () => {
    const server = http.server(...SERVER);
    const connection = http.attach(server);
    const words = asked(connection, 0);
    const input = new Uint8Array(4);
    for (const wrong of [
      undefined,
      null,
      'GET ',
      4,
      {},
      new ArrayBuffer(4),
      new Uint16Array(4),
      new DataView(new ArrayBuffer(4)),
    ]) {
      expect(() => call(words, wrong)).toThrow(wrongType);
      expect(() => call({ ...words, [HTTP_WORD_OUT_ROOM]: 1 }, input, wrong)).toThrow(wrongType);
    }
    for (const [offset, length] of [
      [0, 5],
      [5, 0],
      [4, 1],
      [2 ** 32 - 1, 2],
      [1, 2 ** 32 - 1],
    ] as const) {
      expect(() => call({ ...words, [HTTP_WORD_OFFSET]: offset, [HTTP_WORD_LENGTH]: length }, input)).toThrow(
        outOfRange,
      );
      if (length === 0) continue;
      const out = { [HTTP_WORD_OUT_OFFSET]: offset, [HTTP_WORD_OUT_ROOM]: length };
      expect(() => call({ ...words, ...out }, input, new Uint8Array(4))).toThrow(outOfRange);
    }
    // A detached input has no bytes.
    structuredClone(input, { transfer: [input.buffer] });
    expect(() => call(words, input)).toThrow(outOfRange);
    expect(call({ ...words, [HTTP_WORD_LENGTH]: 0 }, input)).toBe(0);
    expect([table[HTTP_WORD_CONSUMED], table[HTTP_WORD_STOP]]).toEqual([0, HTTP_STOP_END]);
    http.detach(connection);
    http.dropServer(server);
  });

  test('of parse: an arena is known only while there is one, and offsets lie within it as well', () => {
    const server = http.server(...SERVER);
    const connection = http.attach(server);
    const words = asked(connection, HTTP_INPUT_IS_ARENA);
    const toSends = { [HTTP_WORD_ARENAS]: HTTP_OUTPUT_IS_ARENA, [HTTP_WORD_OUT_ROOM]: 1 };
    expect(() => call(words, undefined)).toThrow(invalidState);
    expect(() => call({ ...words, ...toSends }, new Uint8Array(4))).toThrow(invalidState);
    expect(http.isArena(new Uint8Array(0))).toBe(0);
    expect(() => http.isArena({} as Uint8Array)).toThrow(wrongType);

    const { received, sends } = openArenas();
    expect(http.isArena(received)).toBe(HTTP_INPUT_IS_ARENA);
    expect(http.isArena(sends)).toBe(HTTP_OUTPUT_IS_ARENA);
    for (const part of [received.subarray(1), received.subarray(0, -1), sends.subarray(1), Buffer.alloc(4)]) {
      expect(http.isArena(part)).toBe(0);
    }
    const end = received.length;
    for (const [offset, length] of [
      [end, 1],
      [end - 1, 2],
      [2 ** 32 - 1, 2],
      [1, 2 ** 32 - 1],
    ] as const) {
      const place = { [HTTP_WORD_OFFSET]: offset, [HTTP_WORD_LENGTH]: length };
      expect(() => call({ ...words, ...place }, undefined)).toThrow(outOfRange);
    }
    const room = { [HTTP_WORD_OUT_OFFSET]: sends.length, [HTTP_WORD_OUT_ROOM]: 1 };
    expect(() => call({ ...words, ...toSends, ...room }, new Uint8Array(4))).toThrow(outOfRange);

    received.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n', 5000);
    const events = call({ ...words, [HTTP_WORD_OFFSET]: 5000, [HTTP_WORD_LENGTH]: 27 }, undefined);
    expect([events, table[HTTP_WORD_CONSUMED]]).toEqual([2, 27]);
    http.detach(connection);
    http.dropServer(server);
  });

  test('of setStatic: words that describe no table leave the one before', () => {
    const server = http.server(...SERVER);
    for (const words of [[1], [0, 0, 0, 0, 1], [0xffffffff, 0, 0, 2, 0], [0xffffffff, 0, 0, 1, 0xffffffff]]) {
      expect(() => http.setStatic(server, Uint32Array.from(words), new Uint8Array(1))).toThrow(outOfRange);
    }
    expect(() => http.setStatic(server, [] as unknown as Uint32Array, new Uint8Array())).toThrow(wrongType);
    expect(() => http.setStatic(server, new Uint32Array(), 'x' as unknown as Uint8Array)).toThrow(wrongType);
    http.dropServer(server);
  });
});

test('there are at most 2^18 connections, and a limit of servers; then a typed error', () => {
  const server = http.server(...SERVER);
  const connections: number[] = [];
  expect(() => {
    for (;;) connections.push(http.attach(server));
  }).toThrow(expect.objectContaining({ code: 'ERR_MILLRACE_SOCKET_LIMIT' }));
  expect(connections.length).toBe(HTTP_CONNECTIONS_MAX);
  expect(new Set(connections).size).toBe(HTTP_CONNECTIONS_MAX);
  for (const connection of connections) http.detach(connection);
  expect(http.connections()).toBe(0);
  const servers: number[] = [];
  expect(() => {
    for (;;) servers.push(http.server(...SERVER));
  }).toThrow(invalidState);
  for (const one of [...servers, server]) http.dropServer(one);
});

test('workers that end in the middle of a head leave nothing behind', async () => {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    const http = require(workerData).openHttp();
    const table = new Uint32Array(http.table);
    const server = http.server(100, 1000, 10, 100, 100);
    const bytes = Buffer.from('GET / HTTP/1.1\\r\\nHost: a');
    http.setStatic(server, Uint32Array.from([0xffffffff, 0, 0, 1, 0]), Buffer.from('/'));
    for (let i = 0; i < 1000; i++) {
      table.set([http.attach(server), 0, bytes.length, 1, 0, 0]);
      http.parse(bytes, undefined);
    }
    parentPort.postMessage(http.connections());
    setInterval(() => {}, 1000);`;
  const runs = Array.from({ length: 4 }, async () => {
    const worker = new Worker(program, { eval: true, workerData: addonPath });
    const alive = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(alive).toBe(1000);
    expect(await worker.terminate()).toBe(1);
  });
  await Promise.all(runs);
  expect(http.connections()).toBe(0);
});
