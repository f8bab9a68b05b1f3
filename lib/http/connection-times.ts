// How long a connection may take for what. It arms no timer: the server looks at all of its connections, a slice at a time,
// about once a second.
import { TimeoutError } from '../internal/errors.js';
import { ConnectionReplies } from './connection-replies.js';
import { LINGERING, SERVING } from './connection-state.js';
import { HttpError } from './http-errors.js';
import type { HttpRequest } from './request.js';

/** How long a peer is listened to after the last byte has left. */
const LINGER_MS = 2_000;
/** For `paceMs`: the peer's time begins at the next look. */
const NOT_BEGUN = -1;

export abstract class ConnectionTimes extends ConnectionReplies {
  /** Looks at its times. */
  look(nowMs: number): void {
    if (this.state === LINGERING) {
      this.#lookLingering(nowMs);
      return;
    }
    if (this.state !== SERVING || this.#stalled(nowMs)) return;
    // While we hold the peer back, time is not the peer's.
    if (this.holds !== 0) return;
    const { limits, exactMs } = this.server;
    const waitedMs = since(this.sinceMs, nowMs);
    const { receiving } = this;
    if (receiving !== null) {
      if (isUntold(receiving)) {
        this.paceMs = NOT_BEGUN;
        return;
      }
      const long = limits.requestMs > 0 && exactMs - receiving.startMs >= limits.requestMs;
      if (long) this.#timedOut('request');
      else if (this.#isTooSlow(nowMs)) this.#timedOut('body');
    } else if (this.headBegun || (this.requests === 0 && this.first === null)) {
      if (limits.headMs > 0 && waitedMs >= limits.headMs) this.#timedOut('head');
      else if (this.server.closing && this.idle) this.end();
    } else if (this.idle) {
      if (this.server.closing || (limits.keepAliveMs > 0 && waitedMs >= limits.keepAliveMs)) this.end();
    }
  }

  #timedOut(what: 'head' | 'body' | 'request'): void {
    this.server.counters.timedOut(what);
    if (what === 'head' && !this.headBegun) this.end();
    else this.giveUp(new HttpError(408, `The ${what} of the request did not come in time`));
  }

  #lookLingering(nowMs: number): void {
    if (this.#stalled(nowMs)) return;
    // As long as our last words leave, nobody waits for the peer.
    if (this.socket.bytesQueued > 0) this.sinceMs = nowMs;
    const waitedMs = since(this.sinceMs, nowMs);
    if (waitedMs >= 2 * LINGER_MS) this.destroy(null);
    // Not a reset: what the kernel has of our last reply is still on its way.
    else if (waitedMs >= LINGER_MS) this.socket.close();
  }

  #isTooSlow(nowMs: number): boolean {
    if (this.paceMs === NOT_BEGUN) this.paceMs = nowMs;
    const { bodyBytesPerSecond, bodyGraceMs } = this.server.limits;
    const elapsedMs = since(this.paceMs, nowMs);
    if (bodyBytesPerSecond === 0 || elapsedMs < bodyGraceMs || elapsedMs === 0) return false;
    const tooSlow = this.paceBytes * 1000 < bodyBytesPerSecond * elapsedMs;
    if (!tooSlow && elapsedMs >= 2 * bodyGraceMs) {
      // What was quick once must not be credit for ever.
      this.paceBytes = 0;
      this.paceMs = nowMs;
    }
    return tooSlow;
  }

  /** Bytes wait, and none has left for too long. */
  #stalled(nowMs: number): boolean {
    const { writeStallMs } = this.server.limits;
    const queued = this.socket.bytesQueued;
    if (queued === 0 || writeStallMs === 0) {
      this.stalledMs = -1;
      return false;
    }
    const left = this.socket.bytesWritten - queued;
    if (this.stalledMs < 0 || left !== this.leftBytes) {
      this.leftBytes = left;
      this.stalledMs = nowMs;
      return false;
    }
    if (since(this.stalledMs, nowMs) < writeStallMs) return false;
    this.server.counters.timedOut('write');
    this.destroy(new TimeoutError(`The peer has read nothing of a reply for ${writeStallMs} ms`));
    return true;
  }
}

/** The peer waits for 100 Continue, which was not sent yet: nobody has read the body, or others are to be answered before. */
function isUntold(request: HttpRequest): boolean {
  if (!request.expectsContinue || request.bytesReceived > 0) return false;
  return !request.body.wanted || request.exchange?.hasTurn !== true;
}

/** Milliseconds of a clock that is a number of 30 bits and wraps. */
function since(thenMs: number, nowMs: number): number {
  return (nowMs - thenMs) & 0x3fffffff;
}
