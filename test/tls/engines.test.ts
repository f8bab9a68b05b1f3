// The native engine by itself, in memory: any fragmentation gives the same talk, and no bytes break it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EngineHost } from '../../lib/tls/engine.js';
import { createSecureContext } from '../../lib/tls/index.js';
import { NativeEngine, nativeEngineUsable, nativeSessions } from '../../lib/tls/native-engine.js';
import { expectSameBytes, pattern } from '../net/scene.js';
import { localhost } from './certificates.js';

const { authority, server } = localhost();
const serverContext = createSecureContext({ key: server.key, cert: server.cert });
const clientContext = createSecureContext({ ca: authority.cert });

/** One end: what it would send, and what it was told. */
class End implements EngineHost {
  readonly engine: NativeEngine;
  readonly wire: Buffer[] = [];
  readonly said: Buffer[] = [];
  readonly events: string[] = [];

  constructor(isServer: boolean) {
    this.engine = new NativeEngine(this, {
      server: isServer,
      context: isServer ? serverContext : clientContext,
      requestCert: false,
      rejectUnauthorized: true,
      selectContext: false,
      servername: isServer ? '' : 'localhost',
      alpnProtocols: [],
      session: null,
    });
  }

  onCipher(bytes: Uint8Array): void {
    this.wire.push(Buffer.from(bytes));
  }
  onPlaintext(memory: Buffer, offset: number, length: number): void {
    this.said.push(Buffer.from(memory.subarray(offset, offset + length)));
  }
  onSecured(): void {
    this.events.push('secured');
  }
  onEnded(): void {
    this.events.push('ended');
  }
  onTruncated(): void {
    this.events.push('truncated');
  }
  onFailed(error: Error & { code?: string }): void {
    this.events.push(error.code ?? error.message);
  }
  onCloseNotifySent(): void {}
  onSession(): void {}
  onWantsContext(): void {}
  onFlushed(): void {}
}

/** Gives `to` all that `from` has sent, in pieces of the sizes that `cut` gives. */
function deliver(from: End, to: End, cut: () => number): boolean {
  const bytes = Buffer.concat(from.wire.splice(0));
  for (let at = 0; at < bytes.length; ) {
    const part = Math.min(cut(), bytes.length - at);
    to.engine.receive(bytes, at, part);
    at += part;
  }
  return bytes.length > 0;
}

function talk(cut: () => number, lengths: readonly number[]): void {
  const client = new End(false);
  const at = new End(true);
  try {
    client.engine.start();
    while (deliver(client, at, cut) || deliver(at, client, cut)) {}
    expect([client.events, at.events]).toEqual([['secured'], ['secured']]);
    for (const [i, length] of lengths.entries()) {
      const bytes = pattern(length, i + 1);
      client.engine.write(bytes, 0, length);
      deliver(client, at, cut);
      expectSameBytes(Buffer.concat(at.said.splice(0)), bytes);
    }
    client.engine.shutdown();
    deliver(client, at, cut);
    expect(at.events).toEqual(['secured', 'ended']);
  } finally {
    client.engine.destroy();
    at.engine.destroy();
  }
}

test.skipIf(!nativeEngineUsable())('byte by byte', () => talk(() => 1, [1, 100, 20_000]));

test.skipIf(!nativeEngineUsable())('all at once, more than fits into one piece of memory', () =>
  talk(() => 1e9, [65_536, 1_000_000, 3]),
);

test.skipIf(!nativeEngineUsable())('in any fragments', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
      fc.array(fc.integer({ min: 1, max: 60_000 }), { maxLength: 5 }),
      (cuts, lengths) => {
        let next = 0;
        talk(() => cuts[next++ % cuts.length] as number, lengths);
      },
    ),
    { numRuns: 40 },
  );
  expect(nativeSessions()).toBe(0);
});

test.skipIf(!nativeEngineUsable())('damaged at any byte: an error or nothing, never other words', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat({ max: 3 }), (where, change, flight) => {
      const client = new End(false);
      const at = new End(true);
      try {
        client.engine.start();
        let [from, to] = [client, at];
        for (let i = 0; i < 6; i++) {
          if (i === 3 && client.events[0] === 'secured') client.engine.write(Buffer.from('secret'), 0, 6);
          const bytes = Buffer.concat(from.wire.splice(0));
          if (i === flight && bytes.length > 0)
            bytes[where % bytes.length] = (bytes[where % bytes.length] ?? 0) ^ change;
          if (bytes.length > 0) to.engine.receive(bytes, 0, bytes.length);
          [from, to] = [to, from];
        }
        const heard = String(Buffer.concat(at.said));
        expect(['', 'secret']).toContain(heard);
      } finally {
        client.engine.destroy();
        at.engine.destroy();
      }
    }),
    { numRuns: 300 },
  );
});

test.skipIf(!nativeEngineUsable())('random bytes in the place of a hello', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 600 }), { maxLength: 8 }), (pieces) => {
      for (const isServer of [true, false]) {
        const end = new End(isServer);
        try {
          end.engine.start();
          for (const piece of pieces) end.engine.receive(Buffer.from(piece), 0, piece.length);
          expect(end.events.filter((event) => event === 'secured')).toEqual([]);
          expect(end.said).toEqual([]);
        } finally {
          end.engine.destroy();
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(nativeSessions()).toBe(0);
});
