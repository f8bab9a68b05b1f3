// Servers and their peers over the fake network, in virtual time: nothing happens by the clock of the machine.
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { openCodec } from '../../lib/http/codec.js';
import { type HttpServer, type ServeOptions, serve } from '../../lib/http/index.js';
import { border } from '../../lib/internal/border.js';
import { installFake, NO_FAULTS } from '../../lib/internal/fake/index.js';
import { connect, type Socket } from '../../lib/net/index.js';
import { advance, pauseTime, resumeTime } from '../../lib/test/index.js';
import { Peer } from './peer.js';

export { get, post } from './messages.js';
export type { RawReply } from './peer.js';

/** Small, so that a peer that does not read is soon felt. */
const WINDOW_BYTES = 40_000;
const HOST = '127.0.0.1';

export const fake = installFake({ seed: 1, windowBytes: WINDOW_BYTES });

const servers: HttpServer[] = [];
const peers: FakePeer[] = [];

beforeAll(() => pauseTime({ autoAdvance: false }));
afterAll(resumeTime);
afterEach(async () => {
  fake.network.faults = NO_FAULTS;
  for (const peer of peers.splice(0)) peer.destroy();
  for (const server of servers.splice(0)) {
    await server.close({ drainMs: 0 });
    expect([server.connections, server.pendingRequests]).toEqual([0, 0]);
  }
  await until(() => border.open().counters().socketsOpen === 0);
  expect(openCodec().connections).toBe(0);
});

export function start(options: ServeOptions): HttpServer {
  const server = serve({ hostname: HOST, ...options });
  servers.push(server);
  return server;
}

/** Lets others go on until `condition` holds; time does not move. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns === 100_000) throw new Error('nothing happens any more');
    await turn();
  }
}

/** Until nothing happens any more at this time. */
export async function rest(): Promise<void> {
  await advance(0);
}

/** Moves time, in steps in which the server looks at all of its connections. */
export async function pass(ms: number): Promise<void> {
  await advance(ms);
  await rest();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class FakePeer extends Peer {
  #socket!: Socket;

  static async open(server: HttpServer): Promise<FakePeer> {
    await server.ready;
    const peer = new FakePeer();
    peers.push(peer);
    peer.#socket = await connect({
      host: HOST,
      port: server.port,
      allowHalfOpen: true,
      data: (_socket, chunk) => peer.came(chunk.copy()),
      end: () => peer.over(),
      error: (_socket, error) => peer.over(error),
      close: () => peer.over(),
    });
    return peer;
  }

  protected write(data: Buffer): void {
    if (this.#socket.writable) void this.#socket.write(data);
  }

  /** Bytes that the server has not taken yet. */
  get unsent(): number {
    return this.#socket.bytesQueued;
  }

  end(): this {
    this.#socket.shutdown();
    return this;
  }

  pause(): this {
    this.#socket.pause();
    return this;
  }

  resume(): this {
    this.#socket.resume();
    return this;
  }

  reset(): void {
    this.#socket.destroy();
  }

  destroy(): void {
    this.#socket?.destroy();
  }
}

/** One request on a connection of its own, and all that comes back until the end of the connection. */
export async function exchange(server: HttpServer, text: string): Promise<string> {
  const peer = await FakePeer.open(server);
  const all = await peer.say(text).rest();
  peer.end();
  return all;
}
