// What a handshake settles, and how it fails: certificates, protocols, names, versions, time limits, cancellation.
import { createServer, type Socket as NodeSocket, connect as nodeConnect } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { expect, test } from 'vitest';
import { CancelToken, scope, select, sleep, spawn, timeout } from '../../lib/index.js';
import { connect, createSecureContext, HandshakeTimeoutError } from '../../lib/tls/index.js';
import { codeAndCause, Deferred, until } from '../net/scene.js';
import { certificate, localhost } from './certificates.js';
import { eachEngine, errorOf, HOST, TlsScene } from './scene.js';

const scene = new TlsScene();

eachEngine((engine) => {
  test('both ends know what was agreed on', async () => {
    const { at, from } = await scene.pairTls(
      { alpnProtocols: ['h2', 'http/1.1'] },
      { alpnProtocols: ['http/1.1', 'h2'], servername: 'localhost' },
    );
    for (const socket of [at, from]) {
      expect(socket).toMatchObject({
        protocol: 'TLSv1.3',
        alpnProtocol: 'h2',
        isSessionReused: false,
        encrypted: true,
      });
      expect(socket.cipher).toMatchObject({ standardName: expect.stringMatching(/^TLS_/), version: 'TLSv1.3' });
    }
    expect(at.servername).toBe('localhost');
    expect(from.authorized).toBe(true);
    expect(at.authorized).toBe(false);
    expect(from.getPeerCertificate()?.subject.CN).toBe('localhost');
    expect(from.getPeerCertificate(true)?.raw).toBeInstanceOf(Buffer);
    expect(at.getPeerCertificate()).toBeNull();
  });

  test('no common protocol: refused; none offered: served', async () => {
    const errors: Error[] = [];
    const listener = await scene.listenTls({
      alpnProtocols: ['mine'],
      open() {},
      handshakeError: (error) => errors.push(error),
    });
    const refused = await errorOf(() => scene.connectTls(listener.port, { alpnProtocols: ['other'] }));
    expect(refused.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    const served = await scene.connectTls(listener.port);
    expect(served.alpnProtocol).toBeNull();
    await until(() => errors.length > 0);
    expect(listener.failed).toBe(1);
  });

  const other = certificate({ name: 'Other Authority', authority: true });
  const { authority } = localhost();
  const cases: [string, () => { key: string; cert: string }, string][] = [
    ['self-signed', () => certificate({ name: 'localhost', names: [HOST] }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [
      'of an unknown authority',
      () => certificate({ name: 'localhost', issuer: other, names: [HOST] }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    [
      'expired',
      () => certificate({ name: 'localhost', issuer: authority, names: [HOST], from: -20, until: -10 }),
      'CERT_HAS_EXPIRED',
    ],
    [
      'not valid yet',
      () => certificate({ name: 'localhost', issuer: authority, names: [HOST], from: 10 }),
      'CERT_NOT_YET_VALID',
    ],
    [
      'for another name',
      () => certificate({ name: 'elsewhere', issuer: authority, names: ['elsewhere'] }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ];
  test.each(cases)('a certificate that is %s', async (_what, make, code) => {
    const { key, cert } = make();
    const errors: Error[] = [];
    const listener = await scene.listenTls({
      key,
      cert,
      open: (socket) => void scene.trackTls(socket),
      handshakeError: (error) => errors.push(error),
    });
    const error = await errorOf(() => scene.connectTls(listener.port));
    expect(error.code).toBe(code);
    const careless = await scene.connectTls(listener.port, { rejectUnauthorized: false });
    expect(careless.authorized).toBe(false);
    expect(careless.authorizationError).toMatchObject({ code });
    if (engine === 'native' && code !== 'ERR_TLS_CERT_ALTNAME_INVALID') {
      await until(() => errors.length > 0);
      expect(errors[0]).toMatchObject({ code: expect.stringMatching(/^ERR_SSL_.*ALERT/) });
    }
  });

  test('checkServerIdentity decides', async () => {
    const listener = await scene.listenTls({ open() {} });
    const asked: string[] = [];
    const check = (hostname: string, { subject }: PeerCertificate): undefined => {
      asked.push(`${hostname} ${subject.CN}`);
    };
    await scene.connectTls(listener.port, { servername: 'anything', checkServerIdentity: check });
    expect(asked).toEqual(['anything localhost']);
    const no = new Error('not today');
    expect(await errorOf(() => scene.connectTls(listener.port, { checkServerIdentity: () => no }))).toBe(no);
    const bug = new Error('a bug');
    const buggy = () => {
      throw bug;
    };
    expect(await errorOf(() => scene.connectTls(listener.port, { checkServerIdentity: buggy }))).toBe(bug);
  });

  test('certificates of clients: none, a bad one, a good one', async () => {
    const errors: (string | undefined)[] = [];
    const listener = await scene.listenTls({
      ca: authority.cert,
      requestCert: true,
      handshakeError: (error) => errors.push((error as { code?: string }).code),
    });
    const bad = certificate({ name: 'mallory' });
    // With TLS 1.3 a client has finished before the server judges: it learns of it at its first read.
    const attempt = async (options: object): Promise<unknown> => {
      const socket = await scene.connectTls(listener.port, options);
      return socket.read();
    };
    const none = await errorOf(() => attempt({}));
    if (engine === 'native') expect(none.code).toMatch(/^ERR_SSL_.*CERTIFICATE_REQUIRED$/);
    await errorOf(() => attempt({ key: bad.key, cert: bad.cert }));
    await until(() => errors.length === 2);
    expect(errors[1]).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');

    const good = certificate({ name: 'alice', issuer: authority });
    const accepted = listener.accept();
    await scene.connectTls(listener.port, { key: good.key, cert: good.cert });
    const at = (await accepted) ?? expect.fail('no socket');
    expect(at).toMatchObject({ authorized: true, authorizationError: null });
    expect(at.getPeerCertificate()?.subject.CN).toBe('alice');
  });

  test('a server that lets clients without a good certificate pass is told about them', async () => {
    const { at } = await scene.pairTls({ ca: authority.cert, requestCert: true, rejectUnauthorized: false });
    expect(at.authorized).toBe(false);
    expect(at.authorizationError).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT' });
    expect(at.getPeerCertificate()).toBeNull();
  });

  test('several certificates on one port, by name', async () => {
    const a = certificate({ name: 'a.test', issuer: authority, names: ['a.test'] });
    const wild = certificate({ name: 'wild', issuer: authority, names: ['*.b.test'] });
    const listener = await scene.listenTls({
      open: (socket) => void scene.trackTls(socket),
      sni: { 'a.test': createSecureContext(a), '*.B.test': wild },
    });
    const shown = async (servername: string): Promise<unknown> => {
      const socket = await scene.connectTls(listener.port, { servername, checkServerIdentity: () => undefined });
      return socket.getPeerCertificate()?.subject.CN;
    };
    expect(await shown('a.test')).toBe('a.test');
    expect(await shown('A.TEST')).toBe('a.test');
    expect(await shown('x.b.test')).toBe('wild');
    expect(await shown('b.test')).toBe('localhost');
    expect(await shown('y.x.b.test')).toBe('localhost');
    const without = await scene.connectTls(listener.port);
    expect(without.getPeerCertificate()?.subject.CN).toBe('localhost');
  });

  test('a function chooses the certificate, at once, later, or not at all', async () => {
    const a = createSecureContext(certificate({ name: 'a.test', issuer: authority, names: ['a.test'] }));
    const errors: Error[] = [];
    const listener = await scene.listenTls({
      open: (socket) => void scene.trackTls(socket),
      handshakeError: (error) => errors.push(error),
      async sni(name) {
        await sleep(1);
        if (name === 'fails.test') throw new Error('no such store');
        return name === 'a.test' ? a : undefined;
      },
    });
    const shown = async (servername: string): Promise<unknown> => {
      const socket = await scene.connectTls(listener.port, { servername, checkServerIdentity: () => undefined });
      return socket.getPeerCertificate()?.subject.CN;
    };
    expect(await shown('a.test')).toBe('a.test');
    expect(await shown('other.test')).toBe('localhost');
    await errorOf(() => shown('fails.test'));
    expect(errors.map(({ message }) => message)).toEqual(['no such store']);
  });

  test('versions and ciphers', async () => {
    const listener = await scene.listenTls({
      open() {},
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    });
    const socket = await scene.connectTls(listener.port);
    expect(socket).toMatchObject({ protocol: 'TLSv1.2', cipher: { name: 'ECDHE-ECDSA-AES128-GCM-SHA256' } });
    const refused = await errorOf(() => scene.connectTls(listener.port, { minVersion: 'TLSv1.3' }));
    expect(refused.code).toMatch(/^ERR_SSL_.*VERSION/);
  });

  test('keys in PKCS #12 that is none, and other bad material, are refused before anything is opened', async () => {
    const { server } = localhost();
    expect(await errorOf(() => scene.listenTls({ pfx: Buffer.from('nonsense') }))).toBeInstanceOf(Error);
    expect(await errorOf(() => scene.listenTls({ cert: 'nonsense' }))).toMatchObject({ code: /^ERR_OSSL/ });
    const other = certificate({ name: 'other' });
    const mismatch = await errorOf(() => scene.listenTls({ cert: server.cert, key: other.key }));
    expect(mismatch).toMatchObject({ code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' });
  });

  test('wrong options are refused by name', async () => {
    const refused: [object, RegExp][] = [
      [{ alpnProtocols: 'h2' }, /options\.alpnProtocols must be an array/],
      [{ alpnProtocols: [''] }, /options\.alpnProtocols\[0\]/],
      [{ rejectUnauthorized: 1 }, /options\.rejectUnauthorized/],
      [{ handshakeTimeout: -1 }, /options\.handshakeTimeout/],
      [{ servername: '127.0.0.1' }, /options\.servername/],
      [{ session: 'text' }, /options\.session/],
      [{ checkServerIdentity: 1 }, /options\.checkServerIdentity/],
      [{ secureContext: {} }, /options\.secureContext/],
      [{ data: 1 }, /options\.data/],
      [{ newSession: 1 }, /options\.newSession/],
      [{ port: 70_000 }, /options\.port/],
    ];
    for (const [options, message] of refused) {
      expect(() => connect({ port: 1, ...options } as never), String(message)).toThrow(message);
    }
    expect(() => connect(undefined as never)).toThrow(/options must be an object/);
    expect(() => scene.listenTls).not.toThrow();
  });

  test('a silent server: HandshakeTimeoutError, and nothing is left', async () => {
    const silent = createServer((socket) => silentSockets.push(socket.on('error', () => {})));
    const silentSockets: NodeSocket[] = [];
    await new Promise<void>((resolve) => silent.listen(0, HOST, resolve));
    const { port } = silent.address() as { port: number };
    const error = await errorOf(() => scene.connectTls(port, { handshakeTimeout: 20 }));
    expect(error).toBeInstanceOf(HandshakeTimeoutError);
    expect(error.code).toBe('ERR_MILLRACE_TIMEOUT');
    for (const socket of silentSockets) socket.destroy();
    silent.close();
  });

  test('a silent client is sent away', async () => {
    const failed = new Deferred<Error>();
    const listener = await scene.listenTls({ handshakeTimeout: 20, handshakeError: failed.resolve });
    const client = await scene.nodeClient(listener.port);
    const closed = new Promise((resolve) =>
      client
        .on('error', () => {})
        .resume()
        .on('close', resolve),
    );
    expect(await failed.promise).toBeInstanceOf(HandshakeTimeoutError);
    await closed;
    expect(listener.handshaking).toBe(0);
  });

  test('cancelled in the handshake: by a signal, a token, an aborted task, a lost select, a timeout', async () => {
    const { port } = await scene.nodeServer((socket) => void socket.on('error', () => {}));
    const reason = new Error('enough');
    const controller = new AbortController();
    const token = new CancelToken();
    const bySignal = scene.connectTls(port, { signal: controller.signal });
    const byToken = scene.connectTls(port, { signal: token });
    const task = spawn(async () => {
      await connect({ host: HOST, port });
    });
    await sleep(5);
    controller.abort(reason);
    token.cancel(reason);
    task.abort(reason);
    expect(codeAndCause(await errorOf(() => bySignal))).toEqual(['ABORT_ERR', reason]);
    expect(codeAndCause(await errorOf(() => byToken))).toEqual(['ABORT_ERR', reason]);
    expect((await errorOf(() => task)).name).toBe('AbortError');
    await select({ slow: () => connect({ host: HOST, port }), fast: sleep(5) });
    expect(await errorOf(() => timeout(5, connect({ host: HOST, port })))).toMatchObject({
      code: 'ERR_MILLRACE_TIMEOUT',
    });
    expect(await errorOf(() => connect({ host: HOST, port, signal: AbortSignal.abort() }))).toMatchObject({
      code: 'ABORT_ERR',
    });
  });

  test('a connection that nobody takes any more is closed', async () => {
    const listener = await scene.listenTls({ open() {} });
    const token = new CancelToken();
    const connecting = connect({ host: HOST, port: listener.port, ca: authority.cert, signal: token });
    await until(() => connecting.state !== 0);
    connecting.cancel();
    await until(() => listener.connections === 0);
  });

  test('in a fiber, within a scope', async () => {
    const listener = await scene.listenTls({ data: (socket, chunk) => void socket.write(chunk) });
    const answer = await scope(function* (own) {
      const task = own.spawn(function* () {
        const socket = yield* connect({ host: HOST, port: listener.port, ca: authority.cert });
        yield* socket.write('fiber');
        const text = String(yield* socket.readExact(5));
        yield* socket.close();
        return text;
      });
      return yield* task;
    });
    expect(answer).toBe('fiber');
  });

  test('a refused connection has the error of the plain one', async () => {
    const listener = await scene.listenTls({ open() {} });
    const { port } = listener;
    await listener.close();
    expect(await errorOf(() => scene.connectTls(port))).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('plain HTTP to a TLS port, and TLS to a plain one', async () => {
    const failed = new Deferred<Error & { code?: string }>();
    const listener = await scene.listenTls({ open() {}, handshakeError: failed.resolve });
    const client = scene.trackNode(nodeConnect(listener.port, HOST));
    client.on('error', () => {});
    client.resume().write('GET / HTTP/1.1\r\n\r\n');
    expect((await failed.promise).code).toBe('ERR_SSL_HTTP_REQUEST');
    const { port } = await scene.nodeServer((socket) => {
      socket.on('error', () => {});
      socket.end('220 welcome, this is no TLS\r\n');
    });
    expect((await errorOf(() => scene.connectTls(port))).code).toMatch(/^ERR_SSL_|ECONNRESET/);
  });

  test('a handler that throws ends its own connection', async () => {
    const errors: Error[] = [];
    const listener = await scene.listenTls({
      data(socket, chunk) {
        if (chunk.toString() === 'bad') throw new Error('a bug in data');
        void socket.write(chunk);
      },
      error: (_socket, error) => errors.push(error),
    });
    const bad = await scene.connectTls(listener.port);
    const good = await scene.connectTls(listener.port);
    await bad.write('bad');
    expect(await errorOf(() => bad.read())).toMatchObject({ code: expect.stringMatching(/ECONNRESET|TRUNCATED/) });
    await good.write('good');
    expect(String(await good.readExact(4))).toBe('good');
    expect(errors.map(({ message }) => message)).toEqual(['a bug in data']);
  });
});
