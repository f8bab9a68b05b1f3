// What a connection is made of. Its stories stand in a file each, every one a class over the one before, so that a
// connection is one object: what leaves (connection-output.ts), how it ends (connection-ending.ts), replies in their order
// (connection-replies.ts), its times (connection-times.ts), what comes (connection-input.ts), and its life from the first
// byte to the last (connection.ts).
//
//   serving -> lingering -> closed          or, after an upgrade: handed over
//
// - `closing`: no further request is taken. What was taken is answered; only the last reply says `Connection: close`.
// - Exchanges that were not answered at once stand in a list, oldest first. Only the first one's reply leaves.
// - HOLD_ bits say why nothing more is parsed. What has come meanwhile waits in `backlog`, with the socket paused. Whoever
//   releases the last bit puts the connection into the run queue, which goes on parsing.
// - While `corked`, text of replies is gathered; whoever uncorks flushes, and then looks whether all is done.
import type { Runnable } from '../internal/scheduler.js';
import { Socket } from '../net/socket.js';
import type { TlsSocket } from '../tls/socket.js';
import type { Backlog } from './backlog.js';
import { openCodec } from './codec.js';
import type { HttpConnection } from './connection.js';
import type { Exchange } from './exchange.js';
import type { HttpError } from './http-errors.js';
import type { HttpRequest } from './request.js';
import type { ServerCore } from './server-core.js';

export type Transport = Socket | TlsSocket;

export const SERVING = 0;
/** Our side has ended; what the peer still sends is dropped (RFC 9112, 9.6). */
export const LINGERING = 1;
export const CLOSED = 2;
export const HANDED_OVER = 3;

/** As many requests as are handled at a time have not been answered. */
export const HOLD_PIPELINE = 1;
/** More of a body has come than its reader has taken. */
export const HOLD_BODY = 2;
/** The peer does not read what was said. */
export const HOLD_OUTPUT = 4;
/** What follows may be another protocol. */
export const HOLD_UPGRADE = 8;

/** What an adapter keeps for a connection: it is told what nobody else needs to hear. */
export interface ConnectionAdapter {
  /** The peer has ended its side while requests are being answered. */
  peerEnded(): void;
  /** The last thing that is heard of the connection. */
  connectionGone(error: Error | null): void;
}

export abstract class ConnectionState implements Runnable {
  readonly server: ServerCore;
  readonly socket: Transport;
  /** The same, if what is sent is what is written. */
  protected readonly direct: Socket | null;
  /** Its place in the server's table. */
  index = -1;
  /** The oldest request that was not answered completely, whose reply leaves. */
  first: Exchange | null = null;
  /** Requests that were given to the handler, or answered in C++. */
  requests = 0;
  adapter: ConnectionAdapter | null = null;
  /** Milliseconds of the server's clock: since when it waits for what it waits for. */
  sinceMs: number;
  protected readonly codec: number;
  protected state = SERVING;
  protected last: Exchange | null = null;
  protected unanswered = 0;
  /** Whose body is on its way. */
  protected receiving: HttpRequest | null = null;
  /** What was said and has not been given to the socket. */
  protected text = '';
  protected corked = false;
  /** What the codec has found behind the request that is being served: more replies may leave with its own. */
  protected eventsLeft = 0;
  protected holds = 0;
  protected backlog: Backlog | null = null;
  /** It stands in the run queue. */
  protected queued = false;
  protected closing = false;
  /** The next request is the last one. */
  protected finishing = false;
  /** A part of a head has come. */
  protected headBegun = false;
  protected peerEnded = false;
  /** Bytes that came while it lingered. */
  protected lingered = 0;
  /** Bytes of the body that came since `paceMs`. */
  protected paceBytes = 0;
  protected paceMs = 0;
  /** Since when no byte of what waits has left; -1: nothing waits. */
  protected stalledMs = -1;
  protected leftBytes = 0;
  /** Who has asked for an upgrade; no further request is taken until that is decided. */
  protected upgrading: HttpRequest | null = null;
  /** Its handler is still to be called. */
  protected upgradeWaits = false;
  /** What is said when all is answered: why the rest is not. */
  protected farewell: HttpError | null = null;
  /** The socket is. */
  protected paused = false;

  constructor(server: ServerCore, socket: Transport) {
    this.server = server;
    this.socket = socket;
    this.direct = socket instanceof Socket ? socket : null;
    this.sinceMs = server.nowMs;
    const codec = openCodec();
    if (this.direct !== null) codec.useArenas(this.direct.receiveArena, this.direct.sendArena);
    this.codec = codec.attach(server.codecServer);
  }

  /** Nothing is asked and nothing is being answered. */
  get idle(): boolean {
    return this.first === null && this.receiving === null && !this.headBegun && this.backlog === null;
  }

  /** What others are given. */
  protected get self(): HttpConnection {
    return this as unknown as HttpConnection;
  }

  /** @internal For the run queue. */
  abstract run(): void;

  /** Ends it at once: the peer sees a reset. */
  abstract destroy(error: Error | null): void;
}
