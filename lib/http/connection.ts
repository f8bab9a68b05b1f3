// The life of a connection, from its opening to the last thing that is heard of its socket, or to its hand-over to another
// protocol. What it is made of, and where its other stories stand: connection-state.ts.
import { Buffer } from 'node:buffer';
import { MillraceError } from '../internal/errors.js';
import { Alarm } from '../net/alarm.js';
import { openCodec } from './codec.js';
import { ConnectionInput } from './connection-input.js';
import { CLOSED, HANDED_OVER, SERVING, type Transport } from './connection-state.js';
import type { HttpRequest } from './request.js';
import { bodyCut } from './request-body.js';

export type { ConnectionAdapter, Transport } from './connection-state.js';

/** For what was said before a cut to leave. */
const CUT_MS = 2_000;
const NOTHING = Buffer.alloc(0);

export class HttpConnection extends ConnectionInput {
  get closed(): boolean {
    return this.state === CLOSED;
  }

  /** The last thing that is heard of the socket. */
  gone(error: Error | null): void {
    if (this.state === CLOSED || this.state === HANDED_OVER) return;
    this.state = CLOSED;
    this.backlog = null;
    this.forget();
    openCodec().detach(this.codec);
    this.server.removed(this);
    const { receiving, first } = this;
    this.receiving = null;
    this.upgrading = null;
    this.first = null;
    this.last = null;
    const cause = error ?? this.socket.error;
    receiving?.bodyFailed(cause ?? bodyCut(receiving.bytesReceived));
    this.dropFrom(first, cause);
    this.adapter?.connectionGone(cause);
  }

  /**
   * The socket becomes somebody else's: with what was received behind the head, and nothing of ours on it.
   * @param status of `head`, or of what somebody else will say.
   */
  handOver(request: HttpRequest, head: string, status: number): { socket: Transport; received: Buffer } {
    if (this.state !== SERVING) throw this.goneError();
    const { exchange } = request;
    const isNext = exchange === null ? this.first === null : this.first === exchange && exchange.waiting;
    if (this.upgrading !== request || request.isOver || !isNext) throw notUpgrade();
    if (this.receiving === request) throw bodyFirst();
    this.gather(head);
    this.flush();
    this.state = HANDED_OVER;
    this.first = null;
    this.last = null;
    const received = this.backlog?.takeAll() ?? NOTHING;
    this.backlog = null;
    openCodec().detach(this.codec);
    this.server.replied(request, status);
    request.over();
    exchange?.handedOver();
    this.server.removed(this);
    this.socket.data = undefined;
    this.socket.setHandlers({}, { allowHalfOpen: true });
    if (this.paused) this.socket.resume();
    return { socket: this.socket, received };
  }

  /** Ends it at once: the peer sees a reset. */
  destroy(error: Error | null): void {
    if (this.state === CLOSED || this.state === HANDED_OVER) return;
    this.forget();
    this.socket.destroy();
    this.gone(error);
  }

  /** Ends it at once, but what was said leaves. Requests that are being answered are not answered any more. */
  cut(error: Error | null): void {
    if (this.state === CLOSED || this.state === HANDED_OVER) return;
    this.flush();
    const { socket } = this;
    socket.close();
    if (socket.bytesQueued > 0) {
      // A peer that does not read must not keep it for ever.
      const last = new Alarm(() => socket.destroy(), true);
      last.set(CUT_MS);
    }
    this.gone(error);
  }

  goneError(): MillraceError {
    return new MillraceError('ERR_MILLRACE_SOCKET_CLOSED', 'The peer has gone');
  }
}

function notUpgrade(): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_INVALID_STATE',
    'Only a request with Upgrade or CONNECT that was not answered yet can be upgraded',
  );
}

/** RFC 9110, 7.8: the other protocol begins behind the request, body and all. */
function bodyFirst(): MillraceError {
  return new MillraceError('ERR_MILLRACE_INVALID_STATE', 'Read the body of the request before you upgrade');
}
