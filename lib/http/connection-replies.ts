// Replies in the order of their requests. One that is given at once, with nobody before it, is only text that is appended;
// for every other request there is an exchange, which waits in a list until it is its turn.
import { Buffer } from 'node:buffer';
import { ConnectionEnding } from './connection-ending.js';
import { TEXT_LENGTH_MAX } from './connection-output.js';
import { HOLD_BODY, HOLD_PIPELINE, HOLD_UPGRADE, SERVING } from './connection-state.js';
import { Exchange } from './exchange.js';
import { batch } from './reply-batch.js';
import { connectionField, isAscii } from './reply-head.js';
import type { HttpRequest } from './request.js';
import { textHead, textHeadWith } from './text-head.js';

/** Of the body that a handler has left unread: beyond it the connection is not kept. */
export const UNREAD_BYTES_MAX = 256 * 1024;

export abstract class ConnectionReplies extends ConnectionEnding {
  /** A handler that was asked at once, with the connection corked, has answered at once, with text; nobody is before it. */
  replyWithText(request: HttpRequest, text: string): void {
    if (this.state !== SERVING) {
      this.exchange(request);
      return;
    }
    const keepAlive = this.#keepsAlive(request, true, true);
    const plain = keepAlive && !request.http10;
    if (!plain || request.isHead || !this.#sendText(text)) {
      const bytes = isAscii(text) ? null : Buffer.from(text);
      const length = bytes === null ? text.length : bytes.length;
      this.gather(textHeadWith(length, connectionField(keepAlive, request.http10)));
      if (!request.isHead) this.emit(bytes ?? text);
    }
    this.answered(request, keepAlive, 200);
  }

  /** An exchange for a request that is not answered at once. */
  exchange(request: HttpRequest): Exchange {
    const exchange = new Exchange(request, this.self);
    request.exchange = exchange;
    if (this.state !== SERVING) {
      this.dropFrom(exchange, null);
      return exchange;
    }
    if (this.last === null) this.first = exchange;
    else this.last.next = exchange;
    this.last = exchange;
    this.unanswered++;
    return exchange;
  }

  /**
   * Whether the connection goes on after the reply to `exchange`, as far as that is known when its head is sent.
   * @param isWhole the reply is there: what of the body was not read by now is not read.
   */
  decideKeepAlive(exchange: Exchange, isWhole = true): void {
    if (!this.#keepsAlive(exchange.request, exchange.next === null, isWhole)) exchange.keepAlive = false;
    // Who says close takes no further request (RFC 9112, 9.6).
    if (!exchange.keepAlive) this.closing = true;
  }

  /** `exchange` has said all it has to say. */
  finished(exchange: Exchange): void {
    if (this.first !== exchange) return;
    this.#advance();
    if (!this.corked && this.state === SERVING) {
      this.flush();
      this.endIfDone();
    }
    this.release(HOLD_PIPELINE);
  }

  /** The reply to `exchange` cannot be completed. `isCut`: what its peer has of it shows that. */
  broken(exchange: Exchange, isCut: boolean, error: Error | null): void {
    if (this.state !== SERVING) return;
    const isFirst = this.first === exchange;
    if (isFirst && !isCut) {
      this.destroy(error);
      return;
    }
    // What was said before it, and by those before it, is still to reach the peer.
    this.#isLast(exchange, error);
    if (!isFirst) return;
    this.first = null;
    this.last = null;
    this.dropFrom(exchange, error);
    this.end();
  }

  /** The reply to `request` is on its way, whole. */
  answered(request: HttpRequest, keepAlive: boolean, status: number): void {
    this.server.replied(request, status);
    request.over();
    this.sinceMs = this.server.nowMs;
    if (!keepAlive || (request === this.receiving && !this.#keepsUnread(request))) this.closing = true;
    if (request === this.upgrading) {
      this.upgrading = null;
      this.release(HOLD_UPGRADE);
    }
  }

  /** The next bytes of the body are wanted: a peer that waits to be asked is told to send them. */
  bodyWanted(request: HttpRequest): void {
    if (!request.expectsContinue || request.bytesReceived > 0) return;
    const exchange = request.exchange ?? this.exchange(request);
    exchange.sendContinue();
  }

  holdBody(hold: boolean): void {
    if (hold) this.hold(HOLD_BODY);
    else this.release(HOLD_BODY);
  }

  protected dropFrom(dropped: Exchange | null, cause: Error | null): void {
    for (let exchange = dropped; exchange !== null; exchange = exchange.next) {
      this.server.replied(exchange.request, 0);
      exchange.request.peerGone(cause);
      exchange.gone(cause);
    }
  }

  /** The usual reply: alone in its turn it is written where it is sent from, else it leaves with others. False: neither. */
  #sendText(text: string): boolean {
    const { direct } = this;
    const { owner } = batch;
    if (direct !== null && this.eventsLeft === 0 && owner !== this && this.text === '') {
      const { bytes } = textHead(text.length);
      const result = direct.writeAscii(bytes, text);
      if (result === null) return false;
      this.sent(result, bytes.length + text.length);
      return true;
    }
    if (owner !== null && owner !== this) return false;
    batch.add(this, text);
    if (batch.length > TEXT_LENGTH_MAX || batch.full) this.flush();
    return true;
  }

  #advance(): void {
    const { corked } = this;
    this.corked = true;
    let next = this.first;
    while (next !== null && next.ended) {
      const done: Exchange = next;
      next = done.next;
      done.next = null;
      this.first = next;
      if (next === null) this.last = null;
      this.unanswered--;
      if (done.aborted) this.dropFrom(done, null);
      else this.answered(done.request, done.keepAlive, done.status);
      // Whoever was told of the reply may have ended the connection.
      if (this.state !== SERVING || this.first !== next) break;
      if (done.aborted || !done.keepAlive) {
        this.#dropExchanges();
        break;
      }
      next?.takeTurn();
    }
    this.corked = corked;
    if (this.first === null && this.upgradeWaits) this.enqueue();
  }

  /** The oldest one was the last: what was asked behind it is not answered. */
  #dropExchanges(): void {
    const exchange = this.first;
    this.first = null;
    this.last = null;
    this.dropFrom(exchange, null);
    this.end();
  }

  /** Nothing that was asked behind `exchange` is answered. */
  #isLast(exchange: Exchange, error: Error | null): void {
    const behind = exchange.next;
    exchange.next = null;
    this.last = exchange;
    this.closing = true;
    this.farewell = null;
    this.upgradeWaits = false;
    this.upgrading = null;
    this.dropFrom(behind, error);
  }

  /** @param isLast no request that was taken stands behind it. */
  #keepsAlive(request: HttpRequest, isLast: boolean, isWhole: boolean): boolean {
    if (this.closing && isLast && !this.upgradeWaits && this.farewell === null) return false;
    return request !== this.receiving || !isWhole || this.#keepsUnread(request);
  }

  /** Whether the rest of a body that nobody reads may be waited for. */
  #keepsUnread(request: HttpRequest): boolean {
    if (request.expectsContinue && request.bytesReceived === 0 && !request.body.wanted) return false;
    return request.contentLength < 0 || request.contentLength - request.bytesReceived <= UNREAD_BYTES_MAX;
  }
}
