// What comes. The codec parses a chunk in one call and tells what it found in its table; the handlers run when it has
// returned. What cannot be taken yet waits in the backlog.
import { Buffer } from 'node:buffer';
import {
  HTTP_BODY_LENGTH,
  HTTP_BODY_OFFSET,
  HTTP_BODY_WORDS,
  HTTP_END_FIELDS,
  HTTP_END_WORDS,
  HTTP_ERROR_REASON,
  HTTP_EVENT_BODY,
  HTTP_EVENT_END,
  HTTP_EVENT_ERROR,
  HTTP_EVENT_HEAD,
  HTTP_FIELD_WORDS,
  HTTP_IN_SCRATCH,
  HTTP_STOP_ERROR,
  HTTP_WORD_EVENTS,
} from '../internal/http-layout.js';
import type { Chunk } from '../net/chunk.js';
import { Backlog } from './backlog.js';
import { openCodec } from './codec.js';
import { UNREAD_BYTES_MAX } from './connection-replies.js';
import { HOLD_PIPELINE, HOLD_UPGRADE, SERVING } from './connection-state.js';
import { ConnectionTimes } from './connection-times.js';
import { HttpError } from './http-errors.js';
import { reasonText } from './reasons.js';
import { HttpRequest } from './request.js';
import { bodyCut } from './request-body.js';
import { trailersAt } from './trailers.js';

/** What static replies of one call are written to. */
const STATIC_ROOM = 32 * 1024;
/** For sockets that have no arena: copied when they are written. */
const staticReplies = Buffer.allocUnsafeSlow(STATIC_ROOM);
/** No request is shorter: its line alone has more. */
const REQUEST_BYTES_MIN = 16;

export abstract class ConnectionInput extends ConnectionTimes {
  /** Bytes have come. */
  data(chunk: Chunk): void {
    const { server } = this;
    const { memory, offset, length } = chunk;
    server.tick();
    server.counters.bytesIn += length;
    if (this.state !== SERVING) {
      this.drop(length);
    } else if (this.backlog !== null || this.holds !== 0) {
      this.#keep(memory, offset, length);
    } else {
      const taken = this.#parse(memory, offset, length);
      if (taken < length && this.state === SERVING) this.#keep(memory, offset + taken, length - taken);
    }
  }

  /** The peer has ended its side: it may still want our replies. */
  ended(): void {
    this.peerEnded = true;
    if (this.state !== SERVING) {
      this.socket.close();
      return;
    }
    // What came before the end is still to be parsed: the last request may be in it.
    if (this.backlog === null || (this.holds & HOLD_UPGRADE) !== 0) this.#noMore();
  }

  /** @internal For the run queue: there is room for what has waited. */
  run(): void {
    this.queued = false;
    if (this.state !== SERVING) return;
    this.server.tick();
    if (this.upgradeWaits && this.first === null) this.#serveUpgrade();
    if (this.state !== SERVING || this.holds !== 0) return;
    const { backlog } = this;
    if (backlog !== null) {
      backlog.start += this.#parse(backlog.memory, backlog.start, backlog.length);
      if (this.state !== SERVING) return;
      if (backlog.length === 0) this.backlog = null;
      else if (this.holds === 0) this.enqueue();
    }
    if (this.peerEnded && this.backlog === null) this.#noMore();
    this.regulate();
  }

  /** No byte comes any more: what was asked is answered, and a request that is not complete has failed. */
  #noMore(): void {
    this.closing = true;
    const { receiving } = this;
    this.receiving = null;
    receiving?.bodyFailed(bodyCut(receiving.bytesReceived));
    for (let exchange = this.first; exchange !== null; exchange = exchange.next) exchange.request.peerGone(null);
    if (this.first !== null) this.adapter?.peerEnded();
    this.endIfDone();
  }

  /** How many of the bytes were taken: all, unless something holds them up. */
  #parse(memory: Buffer, start: number, length: number): number {
    const parser = openCodec();
    const end = start + length;
    let offset = start;
    this.corked = true;
    while (offset < end && this.state === SERVING && this.holds === 0) {
      // What follows the last request is not read.
      if (this.closing && this.receiving === null) {
        offset = end;
        break;
      }
      const depth = this.upgrading === null ? this.server.limits.pipelineDepth - this.unanswered : 0;
      if (depth <= 0 && this.receiving === null) {
        this.holds |= HOLD_PIPELINE;
        break;
      }
      const count =
        this.server.hasStatics && this.first === null
          ? this.#parseWithStatics(memory, offset, end - offset, depth)
          : parser.parse(this.codec, memory, offset, end - offset, Math.max(depth, 0));
      const { consumed } = parser;
      if (parser.headBegun !== this.headBegun) {
        this.headBegun = parser.headBegun;
        this.sinceMs = this.server.nowMs;
      }
      if (count > 0) this.#dispatch(memory, count);
      else if (consumed === 0) break;
      offset += consumed;
    }
    this.corked = false;
    if (this.state === SERVING) {
      this.flush();
      this.endIfDone();
    }
    return offset - start;
  }

  /** As `parse`; requests that C++ can answer are answered, before whatever the events ask for. */
  #parseWithStatics(memory: Buffer, offset: number, length: number, depth: number): number {
    const parser = openCodec();
    const { socket, direct, server } = this;
    this.flush();
    const place = direct === null ? -1 : direct.reserve(STATIC_ROOM);
    const output = direct === null || place < 0 ? staticReplies : direct.sendArena;
    const isNear = this.requests + length / REQUEST_BYTES_MIN >= server.limits.requestsPerConnection;
    const room = this.holds === 0 && socket.writable && !server.closing && !isNear ? STATIC_ROOM : 0;
    const count = parser.parse(
      this.codec,
      memory,
      offset,
      length,
      Math.max(depth, 0),
      output,
      Math.max(place, 0),
      room,
    );
    const { written: bytes, staticReplies: replies } = parser;
    if (replies === 0) return count;
    this.requests += replies;
    this.sinceMs = server.nowMs;
    server.counters.answeredStatically(replies, parser.staticKind);
    const result =
      direct === null || place < 0 ? socket.write(staticReplies.subarray(0, bytes)) : direct.sendReserved(place, bytes);
    this.sent(result, bytes);
    return count;
  }

  #dispatch(memory: Buffer, count: number): void {
    const parser = openCodec();
    const { table } = parser;
    let at = HTTP_WORD_EVENTS;
    for (let left = count; left > 0 && this.state === SERVING; left--) {
      const word = table[at] as number;
      const kind = word & 0xff;
      if (kind === HTTP_EVENT_HEAD) {
        if (this.closing) return;
        const request = new HttpRequest(this.self, (word & HTTP_IN_SCRATCH) === 0 ? memory : parser.scratch, table, at);
        at = request.wordsEnd;
        const next = left > 1 ? (table[at] as number) & 0xff : 0;
        if (next === HTTP_EVENT_END && !request.hasBody) {
          at += HTTP_END_WORDS;
          left--;
        } else if (next === HTTP_EVENT_BODY && left > 2 && isPlainEnd(table, at + HTTP_BODY_WORDS)) {
          request.takeBody(memory, table[at + HTTP_BODY_OFFSET] as number, table[at + HTTP_BODY_LENGTH] as number);
          at += HTTP_BODY_WORDS + HTTP_END_WORDS;
          left -= 2;
        } else if (parser.stop === HTTP_STOP_ERROR && isRefusedBody(table, at, left - 1)) {
          // No body, as far as it has come: nobody is asked, so that the reply is not one to a request.
          continue;
        } else {
          request.beginBody();
          this.receiving = request;
          this.paceBytes = 0;
          this.paceMs = this.server.nowMs;
        }
        this.eventsLeft = left - 1;
        this.#serve(request);
      } else if (kind === HTTP_EVENT_BODY) {
        this.#bodyCame(memory, table[at + HTTP_BODY_OFFSET] as number, table[at + HTTP_BODY_LENGTH] as number);
        at += HTTP_BODY_WORDS;
      } else if (kind === HTTP_EVENT_END) {
        this.#bodyEnded(memory, at);
        at += HTTP_END_WORDS + (table[at + HTTP_END_FIELDS] as number) * HTTP_FIELD_WORDS;
      } else {
        // Behind the last request anything may stand.
        if (!this.closing || this.receiving !== null)
          this.#refused(word >>> 16, table[at + HTTP_ERROR_REASON] as number);
        return;
      }
    }
  }

  #serve(request: HttpRequest): void {
    const { server } = this;
    this.requests++;
    const isLast = this.requests >= server.limits.requestsPerConnection || this.finishing || server.closing;
    // A refused CONNECT too: what follows may have been meant for the tunnel.
    if (isLast || !request.keepAlive || request.isConnect) this.closing = true;
    if (request.wantsUpgrade) {
      // Its handler is called when all before it are answered, and what follows it lies in the backlog.
      request.detach();
      this.upgrading = request;
      this.upgradeWaits = true;
      if (this.receiving !== request) this.holds |= HOLD_UPGRADE;
      if (this.first === null) this.enqueue();
      return;
    }
    server.handle(request);
    // The memory of the chunk, and the table, are somebody else's next.
    if (!request.isOver) request.detach();
  }

  #serveUpgrade(): void {
    this.upgradeWaits = false;
    this.corked = true;
    const request = this.upgrading as HttpRequest;
    // What answers CONNECT at once is looked at, as every reply of an exchange.
    if (request.isConnect) this.exchange(request);
    this.server.handle(request);
    this.corked = false;
    if (this.state !== SERVING) return;
    this.flush();
    this.endIfDone();
  }

  #bodyCame(memory: Buffer, offset: number, length: number): void {
    const { receiving } = this;
    if (receiving === null) return;
    this.paceBytes += length;
    receiving.pushBody(memory, offset, length);
    if (receiving.isOver && receiving.bytesReceived > UNREAD_BYTES_MAX) this.closing = true;
  }

  #bodyEnded(memory: Buffer, at: number): void {
    const { receiving } = this;
    this.receiving = null;
    if (receiving === null) return;
    receiving.endBody(trailersAt(openCodec(), memory, at));
    if (receiving === this.upgrading) this.hold(HOLD_UPGRADE);
    if (this.first === null) this.sinceMs = this.server.nowMs;
  }

  /** The codec can make no sense of what came. */
  #refused(status: number, reason: number): void {
    this.server.counters.refused(reason);
    this.giveUp(new HttpError(status, reasonText(reason)));
  }

  /** What has come and cannot be parsed now. */
  #keep(memory: Buffer, offset: number, length: number): void {
    this.backlog ??= new Backlog();
    this.backlog.append(memory, offset, length);
    this.regulate();
    if (this.holds === 0) this.enqueue();
  }
}

/** The end of a body, without trailers. */
function isPlainEnd(table: Uint32Array, at: number): boolean {
  return ((table[at] as number) & 0xff) === HTTP_EVENT_END && table[at + HTTP_END_FIELDS] === 0;
}

/** Whether the body that begins at `at`, of whose events `left` are there, is broken off by an error. */
function isRefusedBody(table: Uint32Array, at: number, left: number): boolean {
  let place = at;
  for (let i = left; i > 0; i--, place += HTTP_BODY_WORDS) {
    const kind = (table[place] as number) & 0xff;
    if (kind !== HTTP_EVENT_BODY) return kind === HTTP_EVENT_ERROR;
  }
  return false;
}
