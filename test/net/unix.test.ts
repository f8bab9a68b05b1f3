// Unix domain sockets: paths and abstract names, what is left of dead servers, and whose file it is.
import { closeSync, existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type ConnectOptions, connect, type Listener, type ListenOptions, listen } from '../../lib/net/index.js';
import { result, run } from './program.js';
import { codeOf, expectSameBytes, pattern, Scene, until } from './scene.js';

const scene = new Scene();
const folder = mkdtempSync(join(tmpdir(), 'millrace-unix-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let names = 0;
const newPath = (): string => join(folder, `${names++}`);
const echo: ListenOptions = { data: (socket, chunk) => void socket.write(chunk), end: (socket) => socket.shutdown() };

async function serve(path: string, options: ListenOptions = {}): Promise<Listener> {
  return scene.own(await listen({ ...echo, path, ...options }));
}

/** A server at `path` answers. */
async function expectServed(path: string, options: Partial<ConnectOptions> = {}): Promise<void> {
  const socket = scene.track(await connect({ path, ...options }));
  await socket.write('hello');
  expect(String(await socket.readExact(5))).toBe('hello');
  await socket.close();
}

/** The file of a server that was killed. */
async function leaveStale(path: string): Promise<void> {
  const { signal } = await run('net/programs/dies-listening.mjs', { args: [path] });
  expect(signal).toBe('SIGKILL');
  expect(lstatSync(path).isSocket()).toBe(true);
}

describe('a path', () => {
  test('is listened on and connected to, and both sides know it', async () => {
    const path = newPath();
    const listener = await serve(path);
    expect(listener.address).toEqual({ address: path, family: 'Unix', port: 0 });
    const socket = scene.track(await connect({ path }));
    expect(socket.remoteAddress).toEqual({ address: path, family: 'Unix', port: 0 });
    const bytes = pattern(300_000);
    void socket.write(bytes).then(() => socket.shutdown());
    const received: Buffer[] = [];
    for await (const chunk of socket) received.push(chunk);
    expectSameBytes(Buffer.concat(received), bytes);
  });

  test('is gone when its listener is closed, at once', async () => {
    const path = newPath();
    const listener = await serve(path);
    const closed = listener.close();
    expect(existsSync(path)).toBe(false);
    await closed;
    expect(await codeOf(() => connect({ path }))).toBe('ENOENT');
    await (await serve(path)).close();
  });

  test('has the mode that was asked for', async () => {
    for (const mode of [0o600, 0o660, 0o777]) {
      const path = newPath();
      await serve(path, { mode });
      expect(lstatSync(path).mode & 0o777).toBe(mode);
    }
  });

  test.each(['close', 'detach'] as const)('of somebody else is left alone by %s', async (end) => {
    const path = newPath();
    const first = await serve(path);
    rmSync(path);
    const second = await serve(path);
    if (end === 'close') await first.close();
    else closeSync(await first.detach());
    await expectServed(path);
    expect(second.closing).toBe(false);
  });

  test('of a living server is EADDRINUSE, and the server lives on', async () => {
    const path = newPath();
    await serve(path);
    for (let i = 0; i < 3; i++) expect(await codeOf(() => listen({ path }))).toBe('EADDRINUSE');
    await expectServed(path);
    const error = await listen({ path }).then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'EADDRINUSE', errno: -98, syscall: 'listen', address: path });
    expect(readdirSync(folder).filter((name) => name.includes('.'))).toEqual([]);
  });

  test("of a living server of Node's, busy and with a full backlog, is EADDRINUSE too", async () => {
    const path = newPath();
    const server = createServer().listen({ path, backlog: 1 });
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await codeOf(() => listen({ path }))).toBe('EADDRINUSE');
    expect(existsSync(path)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  test('that a dead server has left is taken over', async () => {
    const path = newPath();
    await leaveStale(path);
    expect(await codeOf(() => connect({ path }))).toBe('ECONNREFUSED');
    await serve(path);
    await expectServed(path);
    expect(readdirSync(folder).filter((name) => name.includes('.'))).toEqual([]);
  });

  test('that a dead server has left is taken over by one of many', async () => {
    const path = newPath();
    await leaveStale(path);
    const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => serve(path)));
    const codes = attempts.map((attempt) => (attempt.status === 'fulfilled' ? 'listens' : attempt.reason.code));
    expect(codes.filter((code) => code === 'listens').length).toBe(1);
    expect(codes.filter((code) => code === 'EADDRINUSE').length).toBe(9);
    await expectServed(path);
  });

  test('that a dead server has left is taken over by one of several threads that come at the same moment', async () => {
    const claims = mkdtempSync(join(folder, 'claims-'));
    const outcome = await result('net/programs/claims-path.mjs', { args: [claims] });
    expect(outcome).toMatchObject({
      rounds: 25,
      winners: 25,
      served: 25,
      codes: { listens: 25, EADDRINUSE: 75 },
      left: [],
    });
    rmSync(claims, { recursive: true });
  });

  test('that is a file, a folder or a dangling link is EADDRINUSE, and stays', async () => {
    const path = newPath();
    writeFileSync(path, 'mine');
    for (const taken of [path, folder]) {
      expect(await codeOf(() => listen({ path: taken }))).toBe('EADDRINUSE');
      expect(existsSync(taken)).toBe(true);
    }
    expect(await codeOf(() => connect({ path }))).toBe('ECONNREFUSED');
  });

  test('that cannot be is an error of the system', async () => {
    expect(await codeOf(() => listen({ path: join(folder, 'none', 'x') }))).toBe('ENOENT');
    expect(await codeOf(() => connect({ path: newPath() }))).toBe('ENOENT');
    const long = join(folder, 'x'.repeat(200));
    expect(await codeOf(() => listen({ path: long }))).toBe('ENAMETOOLONG');
    expect(await codeOf(() => connect({ path: long }))).toBe('ENAMETOOLONG');
  });

  test('stays when the listener is handed over, and its old sockets are drained', async () => {
    const path = newPath();
    const first = await serve(path);
    const old = scene.track(await connect({ path }));
    await until(() => first.connections === 1);
    const second = scene.own(await listen({ ...echo, fd: await first.detach() }));
    expect(second.address).toEqual({ address: path, family: 'Unix', port: 0 });
    const drained = first.close({ drainMs: 60_000 });
    await expectServed(path);
    await old.write('x');
    expect(String(await old.readExact(1))).toBe('x');
    await old.close();
    expect(await drained).toBe(0);
    await expectServed(path);
    expect([first.accepted, second.accepted]).toEqual([1, 2]);
  });

  test('cancelled while it is found out whether its server lives: nothing is removed', async () => {
    const path = newPath();
    await leaveStale(path);
    const controller = new AbortController();
    const listening = listen({ path, signal: controller.signal });
    controller.abort('mine');
    expect(await codeOf(() => listening)).toBe('ABORT_ERR');
    expect(lstatSync(path).isSocket()).toBe(true);
  });
});

describe('a full backlog', () => {
  test('makes connects wait until there is room', async () => {
    const path = newPath();
    const listener = await serve(path, { backlog: 1 });
    listener.pause();
    await scene.settle();
    const connects = Array.from({ length: 8 }, () => expectServed(path));
    await scene.settle();
    expect(listener.accepted).toBe(0);
    listener.resume();
    await Promise.all(connects);
    expect(listener.accepted).toBe(8);
  });

  test('makes connects wait that can be given up, by time and by signal', async () => {
    const path = newPath();
    const listener = await serve(path, { backlog: 1 });
    listener.pause();
    await scene.settle();
    const controller = new AbortController();
    const ends = Array.from({ length: 8 }, (_, i) =>
      codeOf(async () => {
        const options = i % 2 === 0 ? { connectTimeout: 40 } : { signal: controller.signal };
        scene.track(await connect({ path, ...options })).destroy();
      }),
    );
    await ends[6];
    controller.abort();
    const codes = await Promise.all(ends);
    expect(codes.filter((code) => code === 'ERR_MILLRACE_TIMEOUT').length).toBeGreaterThanOrEqual(2);
    expect(codes.filter((code) => code === 'ABORT_ERR').length).toBeGreaterThanOrEqual(2);
  });

  test('is no dead server', async () => {
    const path = newPath();
    const listener = await serve(path, { backlog: 1 });
    listener.pause();
    await scene.settle();
    const waiting = Array.from({ length: 3 }, () => connect({ path }));
    await scene.settle();
    const second = codeOf(() => listen({ path }));
    await scene.settle();
    expect(lstatSync(path).isSocket()).toBe(true);
    listener.resume();
    expect(await second).toBe('EADDRINUSE');
    for (const socket of await Promise.all(waiting)) scene.track(socket).destroy();
  });
});

describe.runIf(process.platform === 'linux')('an abstract name', () => {
  test('has no file, and is free when its listener is closed', async () => {
    const path = `\0millrace-test-${process.pid}`;
    const listener = await serve(path);
    expect(listener.address).toEqual({ address: path, family: 'Unix', port: 0 });
    await expectServed(path);
    const error = await listen({ path }).then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'EADDRINUSE', address: `@${path.slice(1)}` });
    await listener.close();
    await (await serve(path)).close();
    expect(await codeOf(() => connect({ path }))).toBe('ECONNREFUSED');
  });
});

test.each<[object, string]>([
  [{ path: '' }, 'options.path must be a path, or NUL and an abstract name; got ""'],
  [{ path: 1 }, 'options.path must be a path, or NUL and an abstract name; got 1'],
  [{ path: 'a\0b' }, 'options.path must be a path, or NUL and an abstract name; got "a\\u0000b"'],
  [{ path: 'x', port: 1 }, 'options.port must be left out where there is options.path; got 1'],
  [{ path: 'x', host: 'y' }, 'options.host must be left out where there is options.path; got "y"'],
])('of %o', (options, message) => {
  expect(() => connect(options)).toThrow(message);
  expect(() => listen(options)).toThrow(message);
});

test.each<[object, string]>([
  [{ path: 'x', reusePort: true }, 'options.reusePort must be left out where there is options.path; got true'],
  [{ mode: 0o600 }, "options.mode must be left out where options.path is no file's; got 384"],
  [{ path: 'x', mode: 0o1777 }, 'options.mode must be an integer from 1 to 511; got 1023'],
  [{ fd: 3, port: 1 }, 'options.port must be left out where there is options.fd; got 1'],
  [{ fd: -1 }, 'options.fd must be an integer from 0 to 2147483647; got -1'],
  [{ maxConnections: 0 }, 'options.maxConnections must be an integer from 1 to 2147483647; got 0'],
  [{ closing: 1 }, 'options.closing must be a function; got 1'],
])('listen of %o', (options, message) => {
  expect(() => listen(options)).toThrow(message);
});
