// Sessions that are resumed, tickets that servers share, and certificates that are replaced while connections live.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSecureContext, type TlsListener, type TlsSocket } from '../../lib/tls/index.js';
import { Deferred, expectSameBytes, pattern, until } from '../net/scene.js';
import { certificate, localhost } from './certificates.js';
import { eachEngine, errorOf, TlsScene } from './scene.js';

const scene = new TlsScene();

eachEngine((engine) => {
  async function sessionOf(listener: TlsListener, options: object = {}): Promise<Buffer> {
    const received = new Deferred<Buffer>();
    const socket = await scene.connectTls(listener.port, {
      newSession: (_socket, session) => received.resolve(session),
      ...options,
    });
    await socket.write('x');
    await socket.readExact(1);
    const session = await received.promise;
    await socket.close();
    return session;
  }

  const echo = { data: (socket: TlsSocket, chunk: { copy(): Buffer }) => void socket.write(chunk.copy()) };

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: a session is resumed', async (maxVersion) => {
    const listener = await scene.listenTls({ ...echo, maxVersion });
    const session = await sessionOf(listener, { maxVersion });
    const again = await scene.connectTls(listener.port, { session, maxVersion });
    expect(again).toMatchObject({ isSessionReused: true, authorized: true, protocol: maxVersion });
    if (engine === 'native') expect(again.getPeerCertificate()?.subject.CN).toBe('localhost');
    const fresh = await scene.connectTls(listener.port, { maxVersion });
    expect(fresh.isSessionReused).toBe(false);
  });

  // node:tls shows no certificate of a session that was resumed, so there is nothing to check.
  test.runIf(engine === 'native')('the name is checked for a resumed session too', async () => {
    const listener = await scene.listenTls(echo);
    const session = await sessionOf(listener);
    const wrong = await errorOf(() => scene.connectTls(listener.port, { session, servername: 'elsewhere.test' }));
    expect(wrong.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('what is no session costs a full handshake', async () => {
    const listener = await scene.listenTls(echo);
    for (const session of [Buffer.from('nonsense'), randomBytes(500), Buffer.alloc(0)]) {
      expect((await scene.connectTls(listener.port, { session })).isSessionReused).toBe(false);
    }
  });

  test('servers that share ticket keys resume the sessions of each other; others do not', async () => {
    const ticketKeys = randomBytes(48);
    const [one, two, other] = [
      await scene.listenTls({ ...echo, ticketKeys }),
      await scene.listenTls({ ...echo, ticketKeys }),
      await scene.listenTls(echo),
    ];
    expect(one.secureContext.ticketKeys.equals(ticketKeys)).toBe(true);
    const session = await sessionOf(one);
    expect((await scene.connectTls(two.port, { session })).isSessionReused).toBe(true);
    expect((await scene.connectTls(other.port, { session })).isSessionReused).toBe(false);
  });

  test('a new certificate: new connections get it, living ones go on, sessions stay', async () => {
    const listener = await scene.listenTls(echo);
    const session = await sessionOf(listener);
    const old = await scene.connectTls(listener.port);
    const { authority } = localhost();
    const renewed = certificate({ name: 'renewed', issuer: authority, names: ['127.0.0.1'] });
    listener.setSecureContext({ key: renewed.key, cert: renewed.cert });
    const fresh = await scene.connectTls(listener.port);
    expect(fresh.getPeerCertificate()?.subject.CN).toBe('renewed');
    const bytes = pattern(300_000);
    for (const socket of [old, fresh]) {
      const answer = socket.readExact(bytes.length);
      await socket.write(bytes);
      expectSameBytes(await answer, bytes);
    }
    expect((await scene.connectTls(listener.port, { session })).isSessionReused).toBe(true);
    expect(() => listener.setSecureContext({ cert: 'nonsense' })).toThrow();
    expect(() => listener.setSecureContext(null as never)).toThrow(/context must be/);
    expect((await scene.connectTls(listener.port)).getPeerCertificate()?.subject.CN).toBe('renewed');
  });

  test('after a change of what clients are checked with, sessions of before do not count', async () => {
    const { authority } = localhost();
    const client = certificate({ name: 'alice', issuer: authority });
    const own = { key: client.key, cert: client.cert };
    const listener = await scene.listenTls({ ...echo, requestCert: true, ca: authority.cert });
    const session = await sessionOf(listener, own);
    const stranger = certificate({ name: 'Stranger', authority: true });
    const { key, cert } = localhost().server;
    listener.setSecureContext({ key, cert, ca: stranger.cert });
    const socket = await scene.connectTls(listener.port, { ...own, session });
    await errorOf(() => socket.readExact(1));
    await until(() => listener.failed === 1);
  });

  test('certificates change under load, and nobody is refused', async () => {
    const { authority } = localhost();
    const contexts = Array.from({ length: 5 }, (_, i) => {
      const { key, cert } = certificate({ name: `c${i}`, issuer: authority, names: ['127.0.0.1'] });
      return createSecureContext({ key, cert });
    });
    const listener = await scene.listenTls({ ...echo, ticketKeys: randomBytes(48) });
    const seen = new Set<unknown>();
    let done = 0;
    const talk = async (): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        const socket = await scene.connectTls(listener.port);
        seen.add(socket.getPeerCertificate()?.subject.CN);
        await socket.write('under load');
        expect(String(await socket.readExact(10))).toBe('under load');
        await socket.close();
        listener.setSecureContext(contexts[done++ % contexts.length] ?? {});
      }
    };
    await Promise.all(Array.from({ length: 8 }, talk));
    expect(listener).toMatchObject({ secured: 96, failed: 0 });
    expect(seen.size).toBeGreaterThan(3);
  });
});
