// A message after the handshake may come in several records (RFC 8446, 5.1). As long as only a part of it is there, OpenSSL
// does not encrypt: what is written and the end of our side wait for the rest.
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import type { EngineHost } from '../../lib/tls/engine.js';
import { createSecureContext } from '../../lib/tls/index.js';
import { NativeEngine, nativeEngineUsable } from '../../lib/tls/native-engine.js';
import { Deferred } from '../net/scene.js';
import { certificate, localhost } from './certificates.js';

const { authority, server } = localhost();
// Tickets have it in them, so they are longer than a record.
const names = Array.from({ length: 60 }, (_, i) => `client-${i}.example.org`);
const client = certificate({ name: 'client', issuer: authority, names });

class Client implements EngineHost {
  readonly engine: NativeEngine;
  readonly transport: Duplex;
  readonly ended = new Deferred<void>();
  failure: Error | null = null;
  secured = false;
  sent = 0;
  said = '';
  mostHeld = 0;
  flushed = 0;
  ends = 0;

  constructor(readonly onByte: (client: Client) => void) {
    this.engine = new NativeEngine(this, {
      server: false,
      context: createSecureContext({ ca: authority.cert, key: client.key, cert: client.cert, minVersion: 'TLSv1.3' }),
      requestCert: false,
      rejectUnauthorized: true,
      selectContext: false,
      servername: 'localhost',
      alpnProtocols: [],
      session: null,
    });
    this.transport = new Duplex({
      read: () => {},
      write: (bytes: Buffer, _encoding, done) => {
        for (let at = 0; at < bytes.length; at++) {
          this.engine.receive(bytes, at, 1);
          this.mostHeld = Math.max(this.mostHeld, this.engine.held);
          if (this.secured && this.failure === null && this.ends === 0) this.onByte(this);
        }
        done();
      },
    });
  }

  say(): void {
    this.engine.write(Buffer.from('x'), 0, 1);
    this.sent++;
    this.mostHeld = Math.max(this.mostHeld, this.engine.held);
  }

  onCipher(bytes: Uint8Array): void {
    this.transport.push(Buffer.from(bytes));
  }
  onPlaintext(memory: Buffer, offset: number, length: number): void {
    this.said += memory.toString('latin1', offset, offset + length);
  }
  onSecured(): void {
    this.secured = true;
  }
  onEnded(): void {
    this.ended.resolve();
  }
  onTruncated(): void {}
  onFailed(error: Error): void {
    this.failure = error;
    this.ended.resolve();
  }
  onCloseNotifySent(): void {
    this.ends++;
  }
  onSession(): void {}
  onWantsContext(): void {}
  onFlushed(): void {
    this.flushed++;
  }
}

async function talk(onByte: (client: Client) => void): Promise<{ from: Client; heard: string }> {
  const from = new Client(onByte);
  const at = new TLSSocket(from.transport, {
    isServer: true,
    requestCert: true,
    rejectUnauthorized: false,
    key: server.key,
    cert: server.cert,
    ca: authority.cert,
  });
  at.setMaxSendFragment(512);
  let heard = '';
  at.on('data', (bytes: Buffer) => {
    heard += bytes;
  });
  at.on('end', () => at.end());
  at.on('error', () => {});
  // After the tickets.
  at.once('data', () => at.write('welcome'));
  from.engine.start();
  await from.ended.promise;
  from.engine.destroy();
  at.destroy();
  return { from, heard };
}

test.skipIf(!nativeEngineUsable())('writes wait for the rest of a ticket that comes in several records', async () => {
  const { from, heard } = await talk((client) => {
    client.say();
    if (client.said === 'welcome') client.engine.shutdown();
  });
  expect(from.failure).toBeNull();
  expect(from.mostHeld).toBeGreaterThan(0);
  expect(from.flushed).toBeGreaterThan(0);
  expect(from.ends).toBe(1);
  expect(heard).toBe('x'.repeat(from.sent));
});

test.skipIf(!nativeEngineUsable())('the end of our side waits for it too', async () => {
  let asked = false;
  const { from, heard } = await talk((client) => {
    if (asked) return;
    client.say();
    asked = client.engine.held > 0;
    if (asked) client.engine.shutdown();
  });
  expect(asked).toBe(true);
  expect(from.failure).toBeNull();
  expect(from.ends).toBe(1);
  expect(heard).toBe('x'.repeat(from.sent));
});
