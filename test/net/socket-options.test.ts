// What the kernel is told about one socket, and what can be asked about it.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect, listen, type Socket } from '../../lib/net/index.js';
import { codeOf, Deferred, Scene, until } from './scene.js';

const scene = new Scene();

describe('options', () => {
  test('are set at the opening of both ends', async () => {
    const options = { noDelay: false, keepAlive: { idle: 100, interval: 7, count: 3 }, linger: 0 };
    const { at, from } = await scene.pair(options, options);
    for (const socket of [at, from]) {
      expect(socket.noDelay).toBe(false);
      expect(socket.keepAlive).toEqual(options.keepAlive);
      expect(socket.linger).toBe(0);
    }
  });

  test('have defaults', async () => {
    const { at, from } = await scene.pair();
    for (const socket of [at, from]) {
      expect(socket.noDelay).toBe(true);
      expect(socket.keepAlive).toBe(false);
      expect(socket.linger).toBeNull();
      expect([socket.idleTimeout, socket.writeTimeout]).toEqual([0, 0]);
      expect([socket.highWaterMark, socket.lowWaterMark]).toEqual([65_536, 16_384]);
    }
  });

  test('are set and told while it is open', async () => {
    const { at } = await scene.pair();
    expect(at.setNoDelay(false).noDelay).toBe(false);
    expect(at.setNoDelay().noDelay).toBe(true);
    expect(at.setKeepAlive().keepAlive).toMatchObject({ count: expect.any(Number) });
    expect(at.setKeepAlive({ idle: 50 }).keepAlive).toMatchObject({ idle: 50 });
    expect(at.setKeepAlive(false).keepAlive).toBe(false);
    expect(at.setLinger(5).linger).toBe(5);
    expect(at.setLinger(null).linger).toBeNull();
    expect(at.setSendBufferSize(50_000).sendBufferSize).toBeGreaterThanOrEqual(50_000);
    expect(at.setReceiveBufferSize(50_000).receiveBufferSize).toBeGreaterThanOrEqual(50_000);
  });

  test('of a closed socket are a system error', async () => {
    const { at } = await scene.pair();
    await at.close();
    expect(await codeOf(() => at.noDelay)).toBe('EBADF');
    expect(await codeOf(() => at.setNoDelay())).toBe('EBADF');
    expect(await codeOf(() => at.linger)).toBe('EBADF');
    expect(await codeOf(() => at.peerCredentials())).toBe('EBADF');
    expect(at.fd).toBe(-1);
    at.setIdleTimeout(1).setWriteTimeout(1);
  });

  test.each([
    { noDelay: 1 },
    { keepAlive: 'on' },
    { keepAlive: null },
    { keepAlive: { idle: 0 } },
    { keepAlive: { interval: 40_000 } },
    { keepAlive: { count: 128 } },
    { linger: -1 },
    { linger: 70_000 },
    { sendBufferSize: 0 },
    { receiveBufferSize: 2 ** 31 },
    { idleTimeout: -1 },
    { writeTimeout: '1' },
    { writeTimeout: Number.NaN },
    { lowWaterMark: -1 },
    { lowWaterMark: 65_537 },
    { highWaterMark: 10, lowWaterMark: 11 },
    { timeout: 5 as never, data: () => {} },
  ])('%o is refused', async (options) => {
    const code = await codeOf(() => scene.listen(options as never));
    expect(code).toMatch(/ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)/);
  });

  test.each([
    ['setNoDelay', 1],
    ['setKeepAlive', null],
    ['setKeepAlive', { count: 0 }],
    ['setLinger', -1],
    ['setSendBufferSize', 0],
    ['setReceiveBufferSize', '1'],
    ['setIdleTimeout', -1],
    ['setWriteTimeout', undefined],
  ] as const)('%s(%o) is refused', async (name, value) => {
    const { at } = await scene.pair();
    const method = at[name] as (given: unknown) => unknown;
    expect(await codeOf(() => method.call(at, value))).toMatch(/ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)/);
  });
});

describe('linger 0', () => {
  test('makes a close a reset', async () => {
    const { at, from } = await scene.pair();
    const read = codeOf(() => from.read());
    at.setLinger(0);
    await at.close();
    expect(await read).toBe('ECONNRESET');
  });
});

describe('about the connection', () => {
  test('its addresses are those of the other end, also after the close', async () => {
    const { at, from } = await scene.pair();
    expect(at.remoteAddress).toEqual(from.localAddress);
    expect(at.localAddress).toEqual(from.remoteAddress);
    expect(at.localAddress.family).toBe('IPv4');
    const { remoteAddress } = at;
    await at.close();
    expect(at.remoteAddress).toEqual(remoteAddress);
  });

  test('bytes are counted both ways', async () => {
    const { at, from } = await scene.pair();
    await from.write(Buffer.alloc(1000));
    await until(() => at.bytesRead === 1000);
    expect([from.bytesWritten, from.bytesRead, at.bytesWritten, at.bytesUnread]).toEqual([1000, 0, 0, 1000]);
  });

  test('credentials are of Unix sockets only', async () => {
    const { at } = await scene.pair();
    expect(await codeOf(() => at.peerCredentials())).toMatch(/ENOTSUP|EOPNOTSUPP/);
  });

  test.runIf(process.platform === 'linux')(
    'of a Unix socket the peer is known, and TCP’s options have no effect',
    async () => {
      const path = `${mkdtempSync(join(tmpdir(), 'millrace-'))}/socket`;
      const options = { path, noDelay: true, keepAlive: { idle: 5 }, sendBufferSize: 50_000 };
      const accepted = new Deferred<Socket>();
      const listener = await listen({ ...options, open: accepted.resolve });
      const from = scene.track(await connect(options));
      const at = scene.track(await accepted.promise);
      for (const socket of [at, from]) {
        expect(socket.peerCredentials()).toEqual({
          pid: process.pid,
          uid: process.getuid?.(),
          gid: process.getgid?.(),
        });
        expect(await codeOf(() => socket.noDelay)).toMatch(/ENOTSUP|EOPNOTSUPP/);
        expect(socket.sendBufferSize).toBeGreaterThanOrEqual(50_000);
      }
      expect(from.remoteAddress).toEqual({ address: path, family: 'Unix', port: 0 });
      await listener.close();
    },
  );

  test.runIf(process.platform === 'linux')('its descriptor is one of this process', async () => {
    const { at } = await scene.pair();
    expect(readFileSync(`/proc/self/fdinfo/${at.fd}`, 'utf8')).toContain('flags:');
  });
});
