// What the tests of TLS stand on: a test for each engine, listeners and sockets that are gone when it has ended, and peers
// of node:tls.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions, connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { type EngineKind, useEngine } from '../../lib/tls/create-engine.js';
import {
  type ConnectOptions,
  connect,
  type ListenOptions,
  listen,
  type TlsListener,
  type TlsSocket,
} from '../../lib/tls/index.js';
import { nativeEngineUsable, nativeSessions } from '../../lib/tls/native-engine.js';
import { Deferred, Scene, until } from '../net/scene.js';
import { localhost } from './certificates.js';

export const HOST = '127.0.0.1';

export const engines: readonly EngineKind[] = nativeEngineUsable() ? ['native', 'node'] : ['node'];

// Registered before the hook of any scene, so it runs after all of them: hooks run in reverse.
afterEach(() => until(() => nativeSessions() === 0));

/** The tests of `body`, once for each engine. */
export function eachEngine(body: (engine: EngineKind) => void): void {
  describe.each(engines)('%s engine', (engine) => {
    beforeEach(() => useEngine(engine));
    body(engine);
  });
}

export class TlsScene extends Scene {
  readonly #ends: (() => unknown)[] = [];

  constructor() {
    super();
    afterEach(async () => {
      for (const end of this.#ends.splice(0).reverse()) await end();
    });
  }

  /** A listener whose certificate is `localhost`'s. */
  async listenTls(options: ListenOptions = {}): Promise<TlsListener> {
    const { server } = localhost();
    const listener = await listen({ host: HOST, key: server.key, cert: server.cert, ...options });
    this.#ends.push(() => listener.close());
    return listener;
  }

  /** A client that trusts the tests' authority. */
  async connectTls(port: number, options: Partial<ConnectOptions> = {}): Promise<TlsSocket> {
    return this.trackTls(
      await connect({
        host: HOST,
        port,
        ...(options.secureContext === undefined ? { ca: localhost().authority.cert } : {}),
        ...options,
      }),
    );
  }

  /** Two ends of one connection; `at` is the one that was accepted. */
  async pairTls(
    accepting: ListenOptions = {},
    connecting: Partial<ConnectOptions> = {},
  ): Promise<{ at: TlsSocket; from: TlsSocket; listener: TlsListener }> {
    const accepted = new Deferred<TlsSocket>();
    const listener = await this.listenTls({
      ...accepting,
      open(socket) {
        accepting.open?.(socket);
        accepted.resolve(socket);
      },
    });
    const from = await this.connectTls(listener.port, connecting);
    return { at: this.trackTls(await accepted.promise), from, listener };
  }

  async nodeTlsServer(onConnection: (socket: TLSSocket) => void, options: TlsOptions = {}): Promise<NodeServer> {
    const { server: own } = localhost();
    const server = createServer({ key: own.key, cert: own.cert, ...options }, (socket) => {
      this.trackNode(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
    const errors: Error[] = [];
    server.on('tlsClientError', (error) => errors.push(error));
    server.listen(0, HOST);
    await once(server, 'listening');
    this.#ends.push(() => server.close());
    return { server, port: (server.address() as AddressInfo).port, errors };
  }

  async nodeTlsClient(port: number, options: object = {}): Promise<TLSSocket> {
    const socket = tlsConnect({ port, host: HOST, ca: localhost().authority.cert, ...options });
    this.trackNode(socket);
    await once(socket, 'secureConnect');
    return socket;
  }

  trackTls(socket: TlsSocket): TlsSocket {
    this.#ends.push(() => socket.destroy());
    return socket;
  }
}

export interface NodeServer {
  server: Server;
  port: number;
  errors: Error[];
}

/** The error that `body` fails with. */
export async function errorOf(body: () => unknown): Promise<Error & { code?: string }> {
  try {
    await body();
  } catch (error) {
    return error as Error;
  }
  return expect.fail('nothing failed');
}

export async function readAllTls(socket: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}
