// The same app on node:http and on Millrace, spoken to with the same bytes.
import { createServer as createNative, type Server } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { afterEach, expect } from 'vitest';
import { createServer, type NodeApp, type NodeServer, type NodeServerOptions } from '../../../lib/http/index.js';
import { RawClient, type RawReply } from '../scene.js';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

export interface Place {
  readonly port: number;
}

export interface Pair {
  readonly native: Server;
  readonly ours: NodeServer;
}

/** Listens on a free port of the loopback until the test has ended. */
export async function listening<T extends Server | NodeServer>(server: T): Promise<T & Place> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    (server as Server).listen(0, '127.0.0.1', resolve);
  });
  closers.push(async () => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  });
  Object.defineProperty(server, 'port', { get: () => portOf(server) });
  return server as T & Place;
}

export function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}

export function startNode(app: NodeApp, options: NodeServerOptions = {}): Promise<NodeServer & Place> {
  return listening(createServer(options, app));
}

export async function startBoth(app: NodeApp): Promise<Pair & { open: () => Promise<[RawClient, RawClient]> }> {
  const native = await listening(createNative(app as never));
  const ours = await startNode(app);
  return {
    native,
    ours,
    open: async () => [await RawClient.open(native as never), await RawClient.open(ours as never)],
  };
}

/** What may differ: the time. */
function comparable({ headers, ...reply }: RawReply): unknown {
  const { date: _, ...rest } = headers as Record<string, string>;
  return { ...reply, headers: rest };
}

/** Says `request` to both, and expects the same. @returns the reply of ours. */
export async function same(app: NodeApp, request: string | Buffer, isHead = false): Promise<RawReply> {
  const [reply] = await sameReplies(app, request, 1, isHead);
  return reply as RawReply;
}

export async function sameReplies(
  app: NodeApp,
  request: string | Buffer,
  count: number,
  isHead = false,
): Promise<RawReply[]> {
  const { open } = await startBoth(app);
  const [native, ours] = await open();
  native.say(request);
  ours.say(request);
  const replies: RawReply[] = [];
  for (let i = 0; i < count; i++) {
    const theirs = await native.reply(isHead);
    const reply = await ours.reply(isHead);
    expect(comparable(reply)).toEqual(comparable(theirs));
    replies.push(reply);
  }
  return replies;
}

/** A promise and what settles it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

export function isOpen(socket: unknown): boolean {
  return socket instanceof Socket && !socket.destroyed;
}
