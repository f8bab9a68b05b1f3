// How a connection ends in order: no further request is taken, what was taken is answered, then comes the farewell to what
// was none. Our side ends when all that has left, and the peer is listened to for a while, within limits: were the socket
// closed at once, what the peer still sends would be answered by a reset, which may overtake our last reply (RFC 9112, 9.6).

import { ConnectionOutput } from './connection-output.js';
import { LINGERING, SERVING } from './connection-state.js';
import { dateField } from './date.js';
import type { HttpError } from './http-errors.js';
import { bodyCut } from './request-body.js';
import { statusLine } from './status.js';

/** What a peer may still send after our side has ended: more than two kernels hold between the ends. */
const LINGER_BYTES_MAX = 16 * 1024 * 1024;

export abstract class ConnectionEnding extends ConnectionOutput {
  /** No further request: closes now if it is idle, else after what is being answered. */
  finish(): void {
    this.finishing = true;
    // A head that has begun to come is of a request that was sent before the peer could know.
    if (this.headBegun && this.first === null && this.holds === 0) return;
    this.closing = true;
    this.endIfDone();
  }

  /** The codec can make no sense of what came, or it did not come in time. Of a body on its way the handler hears it. */
  protected giveUp(error: HttpError): void {
    this.closing = true;
    this.backlog = null;
    this.headBegun = false;
    const { receiving } = this;
    this.receiving = null;
    if (receiving !== null) receiving.bodyFailed(error);
    else this.farewell = error;
    this.endIfDone();
  }

  protected endIfDone(): void {
    if (this.state !== SERVING || !this.closing || this.first !== null || this.corked || this.upgradeWaits) return;
    const { farewell } = this;
    if (farewell !== null) {
      this.farewell = null;
      // An app that says it by itself may have ended the connection with it.
      const isSaid = this.server.onRefused?.(this.self, farewell) === true;
      if (this.state !== SERVING) return;
      if (!isSaid) this.gather(refusal(farewell));
    }
    this.end();
  }

  /** Our side ends when all that was said has left. */
  protected end(): void {
    this.flush();
    if (this.state !== SERVING) return;
    this.state = LINGERING;
    this.sinceMs = this.server.nowMs;
    this.backlog = null;
    this.holds = 0;
    const { receiving } = this;
    this.receiving = null;
    receiving?.bodyFailed(bodyCut(receiving.bytesReceived));
    if (this.peerEnded) {
      this.socket.close();
      return;
    }
    this.socket.shutdown();
    this.regulate();
  }

  /** Bytes of a peer that is listened to no more. */
  protected drop(length: number): void {
    this.lingered += length;
    if (this.state === LINGERING && this.lingered > LINGER_BYTES_MAX) this.socket.close();
  }
}

/** A reply to what was no request. */
function refusal(error: HttpError): string {
  const body = `${error.message}\n`;
  return `${statusLine(error.status)}${dateField()}Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
