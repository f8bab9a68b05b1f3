// Plain connections that go over to TLS.
import { TLSSocket, connect as tlsConnect } from 'node:tls';
import { expect, test } from 'vitest';
import { connect, listen, type UpgradeOptions, upgrade } from '../../lib/tls/index.js';
import { codeOf, Deferred, expectSameBytes, pattern, until } from '../net/scene.js';
import { localhost } from './certificates.js';
import { eachEngine, errorOf, TlsScene } from './scene.js';

const scene = new TlsScene();
const { authority, server } = localhost();
const asServer = { server: true, key: server.key, cert: server.cert };
const asClient = { ca: authority.cert, servername: 'localhost' };

test.each([
  [{ writeLimit: 'x' }, 'ERR_INVALID_ARG_TYPE'],
  [{ highWaterMark: 0 }, 'ERR_OUT_OF_RANGE'],
  [{ lowWaterMark: -1 }, 'ERR_OUT_OF_RANGE'],
  [{ allowHalfOpen: 1 }, 'ERR_INVALID_ARG_TYPE'],
])('%j is no limit for upgrade, connect and listen, and nothing is begun', async (options, code) => {
  const { at } = await scene.pair();
  const wrong = options as never as UpgradeOptions;
  expect(await codeOf(() => upgrade(at, { ...asClient, ...wrong }))).toBe(code);
  expect(await codeOf(() => connect({ host: '127.0.0.1', port: 1, ...wrong }))).toBe(code);
  expect(await codeOf(() => listen({ key: server.key, cert: server.cert, ...wrong }))).toBe(code);
  expect(at.open).toBe(true);
});

eachEngine(() => {
  test('a socket of which a read waits, or that was split or made a stream, has no other face', async () => {
    const { at, from } = await scene.pairTls();
    const reading = at.read();
    expect(await codeOf(() => at.toDuplex())).toBe('ERR_MILLRACE_INVALID_STATE');
    expect(await codeOf(() => at.setHandlers({}))).toBe('ERR_MILLRACE_INVALID_STATE');
    await from.write('x');
    expect(String(await reading)).toBe('x');
    expect(await codeOf(() => at.setHandlers({}, null as never))).toBe('ERR_INVALID_ARG_TYPE');
    expect(await codeOf(() => at.toDuplex({ allowHalfOpen: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
    const stream = at.toDuplex();
    stream.on('error', () => {});
    expect(at.toDuplex()).toBe(stream);
    expect(await codeOf(() => at.setHandlers({}))).toBe('ERR_MILLRACE_INVALID_STATE');
    from.split();
    expect(await codeOf(() => from.toDuplex())).toBe('ERR_MILLRACE_INVALID_STATE');
  });

  test('STARTTLS, both sides ours, both faces', async () => {
    const { at, from } = await scene.pair();
    at.data = 'kept';
    const serving = (async () => {
      expect(String(await at.readUntil('\n', 100))).toBe('STARTTLS\n');
      await at.write('go ahead\n');
      return scene.trackTls(await upgrade(at, { ...asServer, data: (socket, chunk) => void socket.write(chunk) }));
    })();
    await from.write('STARTTLS\n');
    expect(String(await from.readUntil('\n', 100))).toBe('go ahead\n');
    const client = scene.trackTls(await upgrade(from, asClient));
    expect(client.authorized).toBe(true);
    expect((await serving).data).toBe('kept');
    const bytes = pattern(1_000_000);
    const answer = client.readExact(bytes.length);
    await client.write(bytes);
    expectSameBytes(await answer, bytes);
    await client.close();
    await until(() => at.closed && from.closed);
  });

  test('a hello that came with the command, read already, queued, or to a handler', async () => {
    for (const way of ['head', 'queued', 'handler'] as const) {
      const upgraded = new Deferred<void>();
      const { at, from } = await scene.pair(
        way !== 'handler'
          ? {}
          : {
              data(socket, chunk) {
                const head = chunk.copy().subarray('STARTTLS\n'.length);
                upgrade(socket, { ...asServer, head, data: (tls, said) => void tls.write(said) }).then(
                  () => upgraded.resolve(),
                  upgraded.reject,
                );
              },
            },
      );
      // The client does not wait for the answer: command and hello leave together.
      void from.write('STARTTLS\n');
      const client = upgrade(from, asClient);
      if (way !== 'handler') {
        const line = await at.readExact(9);
        expect(String(line)).toBe('STARTTLS\n');
        await until(() => at.bytesUnread > 0);
        const head = way === 'head' ? await at.read() : null;
        upgrade(at, {
          ...asServer,
          ...(head === null ? {} : { head }),
          data: (tls, said) => void tls.write(said),
        }).then(() => upgraded.resolve(), upgraded.reject);
      }
      const socket = scene.trackTls(await client);
      await upgraded.promise;
      await socket.write('hello');
      expect(String(await socket.readExact(5))).toBe('hello');
      await socket.close();
    }
  });

  test('with node:tls at the other end', async () => {
    const { port } = await scene.nodeServer((plain) => {
      plain.write('220\n');
      const tls = new TLSSocket(plain, { isServer: true, key: server.key, cert: server.cert });
      tls.on('error', () => {});
      tls.pipe(tls);
    });
    const plain = await scene.connect(port);
    expect(String(await plain.readUntil('\n', 10))).toBe('220\n');
    const socket = scene.trackTls(await upgrade(plain, asClient));
    await socket.write('hello');
    expect(String(await socket.readExact(5))).toBe('hello');
    await socket.close();

    const listener = await scene.listen({
      open: (accepted) => void upgrade(accepted, { ...asServer, data: (tls, chunk) => void tls.write(chunk) }),
    });
    const client = tlsConnect({ socket: await scene.nodeClient(listener.port), ca: authority.cert });
    client.on('error', () => {});
    client.write('hello');
    expect(String(await new Promise((resolve) => client.once('data', resolve)))).toBe('hello');
    client.destroy();
  });

  test('what cannot be upgraded', async () => {
    const { at, from } = await scene.pair();
    expect(() => upgrade({} as never)).toThrow(/socket must be a Socket/);
    expect(() => upgrade(at, { server: 1 } as never)).toThrow(/options\.server/);
    expect(() => upgrade(at, { head: 'text' } as never)).toThrow(/options\.head/);
    const read = at.read();
    expect(() => upgrade(at, asServer)).toThrow(/read waits/);
    await from.close();
    expect(await read).toBeNull();
    await at.close();
    expect(() => upgrade(at, asServer)).toThrow(/closed/);
  });

  test('the peer speaks no TLS: the error, and the connection is closed', async () => {
    const { at, from } = await scene.pair();
    const upgrading = upgrade(from, asClient);
    await at.write('what do you mean?\r\n');
    expect((await errorOf(() => upgrading)).code).toMatch(/^ERR_SSL_/);
    await until(() => from.closed);
  });

  test('given up: the connection is closed', async () => {
    const { from } = await scene.pair();
    const controller = new AbortController();
    const upgrading = upgrade(from, { ...asClient, signal: controller.signal });
    controller.abort();
    expect(await errorOf(() => upgrading)).toMatchObject({ code: 'ABORT_ERR' });
    await until(() => from.closed);
  });
});
