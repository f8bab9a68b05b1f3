// What the tests of sockets stand on: listeners, sockets and node:net peers that are gone when their test has ended, and
// the check that nothing of them is left in the addon.

import { once } from 'node:events';
import {
  type AddressInfo,
  createServer,
  type Socket as NodeSocket,
  connect as nodeConnect,
  type Server,
} from 'node:net';
import { afterEach, expect } from 'vitest';
import { border } from '../../lib/internal/border.js';
import {
  type ConnectOptions,
  connect,
  type Listener,
  type ListenOptions,
  listen,
  type Socket,
} from '../../lib/net/index.js';

const HOST = '127.0.0.1';
const TURN_MS = 1;
/** For what happens at once, on a busy machine: a test that leaves a socket behind fails after it. */
const LEFT_BEHIND_MS = 8000;

/** Waits for `condition`; the test's own time limit is the only one. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, TURN_MS));
}

/** A promise, and what settles it. */
export class Deferred<T = void> {
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

export function counters(): Record<string, number> {
  return border.open().counters();
}

/** Bytes that do not repeat in any period that buffers have, the same for the same seed. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Fails with the first difference; a diff of megabytes would tell nobody anything. */
export function expectSameBytes(actual: Buffer, expected: Buffer): void {
  if (actual.equals(expected)) return;
  let at = 0;
  while (at < Math.min(actual.length, expected.length) && actual[at] === expected[at]) at++;
  expect.fail(`${actual.length} bytes instead of ${expected.length}; the first difference is at ${at}`);
}

export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function readExactly(socket: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let got = 0; got < bytes; ) {
    const chunk = await socket.read();
    if (chunk === null) throw new Error(`the end came after ${got} of ${bytes} bytes`);
    chunks.push(chunk);
    got += chunk.length;
  }
  return Buffer.concat(chunks);
}

/** The code that `body` fails with, thrown or rejected; 'nothing' when it does not fail. */
export async function codeOf(body: () => unknown): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
  return 'nothing';
}

/** What a cancelled operation tells. */
export function codeAndCause(error: unknown): [unknown, unknown] {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return [code, cause];
}

export class Scene {
  readonly #ends: (() => unknown)[] = [];

  constructor() {
    afterEach(async () => {
      for (const end of this.#ends.splice(0).reverse()) await end();
      await until(() => counters().socketsOpen === 0);
      await until(() => counters().receiveBuffersInUse === 0);
      expect(counters().faults, 'submissions that the addon refused').toBe(this.faultsExpected);
    }, LEFT_BEHIND_MS);
  }

  /** In all of the file so far. */
  faultsExpected = 0;

  /** Done before the check that nothing is left. */
  atEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  async listen(options: ListenOptions = {}): Promise<Listener> {
    const listener = await listen({ host: HOST, ...options });
    this.#ends.push(() => listener.close());
    return listener;
  }

  /** It is closed when the test has ended. */
  own(listener: Listener): Listener {
    this.#ends.push(() => listener.close());
    return listener;
  }

  async connect(port: number, options: Partial<ConnectOptions> = {}): Promise<Socket> {
    return this.track(await connect({ host: HOST, port, ...options }));
  }

  /** Two ends of one connection; `at` is the one that was accepted. */
  async pair(
    accepting: ListenOptions = {},
    connecting: Partial<ConnectOptions> = {},
  ): Promise<{ at: Socket; from: Socket }> {
    const accepted = new Deferred<Socket>();
    const listener = await this.listen({
      ...accepting,
      open(socket) {
        accepting.open?.(socket);
        accepted.resolve(socket);
      },
    });
    const from = await this.connect(listener.port, connecting);
    return { at: this.track(await accepted.promise), from };
  }

  /** Bytes have gone to and fro: the addon has seen to everything that was there before. */
  async settle(): Promise<void> {
    const { at, from } = await this.pair();
    for (let i = 0; i < 3; i++) {
      await at.write('x');
      await from.readExact(1);
    }
    at.destroy();
    from.destroy();
  }

  async nodeServer(
    onConnection: (socket: NodeSocket) => void,
    options = {},
  ): Promise<{ server: Server; port: number }> {
    const server = createServer(options, (socket) => {
      this.trackNode(socket);
      onConnection(socket);
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    this.#ends.push(() => server.close());
    return { server, port: (server.address() as AddressInfo).port };
  }

  async nodeClient(port: number, options = {}): Promise<NodeSocket> {
    const socket = this.trackNode(nodeConnect({ port, host: HOST, ...options }));
    await once(socket, 'connect');
    return socket;
  }

  track(socket: Socket): Socket {
    this.#ends.push(() => socket.destroy());
    return socket;
  }

  trackNode(socket: NodeSocket): NodeSocket {
    this.#ends.push(() => socket.destroy());
    return socket;
  }
}
