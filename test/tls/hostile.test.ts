// Peers that mean no good, and many connections one after the other: nothing is left, nobody else notices.
import { connect as nodeConnect } from 'node:net';
import { expect, test } from 'vitest';
import { loadAddon } from '../../lib/internal/binding.js';
import { border } from '../../lib/internal/border.js';
import { armedTimers } from '../../lib/internal/timers.js';
import { connect, createSecureContext } from '../../lib/tls/index.js';
import { leastGrowth } from '../growth.mjs';
import { counters, pattern, until } from '../net/scene.js';
import { localhost } from './certificates.js';
import { eachEngine, TlsScene } from './scene.js';

const scene = new TlsScene();

eachEngine((engine) => {
  test('random data to the port, while another connection talks', async () => {
    const listener = await scene.listenTls({ data: (socket, chunk) => void socket.write(chunk) });
    const good = await scene.connectTls(listener.port);
    const attack = (seed: number): Promise<void> =>
      new Promise((resolve) => {
        const raw = nodeConnect(listener.port, '127.0.0.1');
        raw.on('error', () => {});
        raw.on('close', () => resolve());
        raw.resume();
        const bytes = pattern(1 + ((seed * 7919) % 4000), seed);
        // Some look like TLS at first sight.
        if (seed % 3 === 0) bytes.set([22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]);
        raw.end(bytes);
      });
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 20 }, (_, i) => attack(round * 20 + i + 1)));
      await good.write('still here');
      expect(String(await good.readExact(10))).toBe('still here');
    }
    await until(() => listener.failed === 100);
    expect(listener).toMatchObject({ handshaking: 0, secured: 1 });
  });

  // One round warms up, and the others are measured.
  const rounds = 4;
  const handshakes = engine === 'native' ? 400 : 80;
  test(`${(rounds + 1) * handshakes} handshakes leave nothing behind`, { timeout: 60_000 }, async () => {
    const listener = await scene.listenTls({ data: (socket, chunk) => void socket.write(chunk) });
    // One for all: what a context takes is given back when it is collected, which is another matter.
    const secureContext = createSecureContext({ ca: localhost().authority.cert });
    const client = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const socket = await connect({ host: '127.0.0.1', port: listener.port, secureContext });
        await socket.write('x');
        await socket.readExact(1);
        await socket.close();
      }
    };
    const round = async (): Promise<void> => {
      await Promise.all(Array.from({ length: 10 }, () => client(handshakes / 10)));
      await until(() => counters().socketsOpen === 1);
    };
    await round();
    const grown = await leastGrowth(rounds, round);
    expect(listener.secured).toBe((rounds + 1) * handshakes);
    expect(armedTimers()).toBe(0);
    // A session that is not freed is 35 KB; a socket that something still holds is 3 KB of the heap.
    expect(grown.residentBytes / handshakes).toBeLessThan(16_384);
    expect(grown.heapBytes / handshakes).toBeLessThan(1024);
  });
});

test('the addon refuses what is no session, no context, no memory', () => {
  border.open();
  const tls = loadAddon().openTls?.(process.versions.openssl);
  if (tls === undefined) return;
  const bytes = new Uint8Array(100);
  for (const handle of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
    expect(() => tls.receive(handle, bytes, 0, 1, bytes, 0, 100, bytes)).toThrow(/no such TLS session/);
    expect(() => tls.write(handle, bytes, 0, 1, bytes, 0, 100)).toThrow(/no such TLS session/);
    expect(() => tls.describe(handle)).toThrow(/no such TLS session/);
    tls.release(handle);
  }
  for (const handle of [-1, 2 ** 32, Number.NaN, 'x', null, undefined, {}]) {
    expect(() => tls.shutdown(handle as number, bytes, 0, 1)).toThrow(TypeError);
  }
  for (const context of [undefined, null, {}, 5, 'x']) {
    expect(() => tls.create(context, {} as never)).toThrow(TypeError);
    expect(() => tls.prepare(context)).toThrow(TypeError);
  }
  expect(loadAddon().openTls?.('9.9.9')).toBeUndefined();
  expect(() => loadAddon().openTls?.(undefined as never)).toThrow(TypeError);
});
