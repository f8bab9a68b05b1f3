// Options objects that are not any more what they were when they were checked, or that throw when they are looked at: a
// connection may end of that, and its owner is told; the tick goes on, and the others never notice.
import { expect, test } from 'vitest';
import { bindUdp, connect, connectUdp, type ListenOptions, listen, type Socket } from '../../lib/net/index.js';
import { codeOf, Scene, until } from './scene.js';

const scene = new Scene();
const HOST = '127.0.0.1';

/** The messages of what is thrown and nobody catches while `body` runs. */
async function uncaughtIn(body: (messages: string[]) => Promise<void>): Promise<void> {
  const listeners = process.listeners('uncaughtException');
  const messages: string[] = [];
  const note = (error: Error): void => void messages.push(error.message);
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', note);
  try {
    await body(messages);
  } finally {
    process.off('uncaughtException', note);
    for (const listener of listeners) process.on('uncaughtException', listener);
  }
}

test('marks that are changed to nonsense after listen cost the connection, not the listener', async () => {
  const told: string[] = [];
  const options: ListenOptions = {
    host: HOST,
    open: (socket) => void socket.write('x'),
    listenError: (error) => told.push((error as Error & { code: string }).code),
  };
  const listener = scene.own(await listen(options));
  options.highWaterMark = 10;
  options.lowWaterMark = 100;
  const refused = await scene.connect(listener.port);
  expect(await codeOf(() => refused.read())).toBe('ECONNRESET');
  expect(told).toEqual(['ERR_OUT_OF_RANGE']);
  expect(listener.connections).toBe(0);
  options.lowWaterMark = 5;
  const taken = await scene.connect(listener.port);
  expect(String(await taken.read())).toBe('x');
});

test('a time limit that is changed to nonsense ends the connection with an error', async () => {
  const options: ListenOptions = { host: HOST };
  const listener = scene.own(await listen(options));
  options.idleTimeout = -1;
  const from = await scene.connect(listener.port);
  const at = scene.track((await listener.accept()) as Socket);
  expect(at.error).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  expect(await codeOf(() => from.read())).toBe('ECONNRESET');
});

test('marks that change while a connection is made fail the connect', async () => {
  const listener = await scene.listen();
  const options = { host: HOST, port: listener.port, highWaterMark: 1000, lowWaterMark: 900 };
  const connecting = connect(options);
  options.highWaterMark = 10;
  expect(await codeOf(() => connecting)).toBe('ERR_OUT_OF_RANGE');
});

test('a handler that is a getter and throws is an uncaught exception, once for each socket; the tick goes on', async () => {
  await uncaughtIn(async (uncaught) => {
    let checked = false;
    const listener = scene.own(
      await listen({
        host: HOST,
        data: (socket) => void socket.close(),
        get close(): never {
          if (checked) throw new Error('from a getter');
          return undefined as never;
        },
      }),
    );
    checked = true;
    const sockets = await Promise.all(Array.from({ length: 8 }, () => scene.connect(listener.port)));
    for (const socket of sockets) socket.write('x');
    // All of one tick: the first to throw must not take the others' completions with it.
    for (const socket of sockets) expect(await socket.read()).toBe(null);
    await until(() => uncaught.length === 8);
    expect(new Set(uncaught)).toEqual(new Set(['from a getter']));
    expect(listener.connections).toBe(0);
  });
});

test('the same of UDP sockets', async () => {
  await uncaughtIn(async (uncaught) => {
    let checked = false;
    const options = {
      host: HOST,
      message: () => {},
      get close(): never {
        if (checked) throw new Error('from a getter');
        return undefined as never;
      },
    };
    const sockets = await Promise.all(Array.from({ length: 8 }, () => bindUdp(options)));
    checked = true;
    const other = await connectUdp({ host: HOST, port: 9 });
    await Promise.all([...sockets.map((socket) => socket.close()), other.close()]);
    await until(() => uncaught.length === 8);
  });
});
