// One connection: bytes in, requests to the handler, replies out.
//
//   serving -> lingering -> closed          or, after an upgrade: handed over
//
// - The codec parses a chunk in one call and tells what it found in its table; the handlers run when it has returned.
// - Exchanges that were not answered at once stand in a list, oldest first. Only the first one's reply leaves.
// - `#text` gathers what the replies of one chunk have to say: it leaves in one write when the chunk is through.
// - HOLD_ bits say why nothing more is parsed. What has come meanwhile waits in `#backlog`, with the socket paused.
// - Lingering (RFC 9112, 9.6): our side has ended; what the peer still sends is dropped, within limits, so that it reads
//   our last reply before it sees a reset.
// - Times are looked at by the server, about once a second (`look`): a connection arms no timer.
import { Buffer } from 'node:buffer';
import { MillraceError, TimeoutError } from '../internal/errors.js';
import {
  HTTP_BODY_LENGTH,
  HTTP_BODY_OFFSET,
  HTTP_BODY_WORDS,
  HTTP_END_FIELDS,
  HTTP_END_WORDS,
  HTTP_ERROR_REASON,
  HTTP_EVENT_BODY,
  HTTP_EVENT_END,
  HTTP_EVENT_HEAD,
  HTTP_FIELD_WORDS,
  HTTP_IN_SCRATCH,
  HTTP_WORD_EVENTS,
} from '../internal/http-layout.js';
import { type Runnable, scheduler } from '../internal/scheduler.js';
import type { Chunk } from '../net/chunk.js';
import { WRITE_LIMIT } from '../net/options.js';
import { Socket } from '../net/socket.js';
import { type WriteResult, written } from '../net/written.js';
import type { TlsSocket } from '../tls/socket.js';
import { openCodec } from './codec.js';
import { dateField } from './date.js';
import { Exchange } from './exchange.js';
import { HttpError } from './http-errors.js';
import { reasonText } from './reasons.js';
import { connectionField, isAscii } from './reply-head.js';
import { HttpRequest } from './request.js';
import { bodyCut } from './request-body.js';
import type { ServerCore } from './server-core.js';
import { statusLine } from './status.js';
import { textHead, textHeadWith } from './text-head.js';
import { trailersAt } from './trailers.js';

export type Transport = Socket | TlsSocket;

const SERVING = 0;
const LINGERING = 1;
const CLOSED = 2;
const HANDED_OVER = 3;

/** Why nothing more is parsed. */
const HOLD_PIPELINE = 1;
const HOLD_BODY = 2;
const HOLD_OUTPUT = 4;
const HOLD_UPGRADE = 8;

/** Text of replies that is gathered before it is written. */
const TEXT_LENGTH_MAX = 48 * 1024;
/** What a peer may still send after our side has ended, and for how long it is listened to. */
const LINGER_BYTES_MAX = 256 * 1024;
const LINGER_MS = 2_000;
/** Of the body that a handler has left unread: beyond it the connection is not kept. */
const UNREAD_BYTES_MAX = 256 * 1024;

/** What static replies of one call are written to. */
const STATIC_ROOM = 32 * 1024;
/** For sockets that have no arena: copied when they are written. */
const staticReplies = Buffer.allocUnsafeSlow(STATIC_ROOM);

export class HttpConnection implements Runnable {
  readonly server: ServerCore;
  readonly socket: Transport;
  /** Its place in the server's table. */
  index = -1;
  /** The oldest request that was not answered completely, whose reply leaves. */
  first: Exchange | null = null;
  /** Requests that were given to the handler. */
  requests = 0;
  /** Milliseconds of the server's clock: since when it waits for what it waits for. */
  sinceMs: number;
  readonly #codec: number;
  #state = SERVING;
  #last: Exchange | null = null;
  #unanswered = 0;
  /** Whose body is on its way. */
  #receiving: HttpRequest | null = null;
  #text = '';
  #corked = false;
  #holds = 0;
  #backlog: Buffer | null = null;
  #queued = false;
  /** No request is taken after the one that is being answered. */
  #closing = false;
  /** A part of a head has come. */
  #headBegun = false;
  #peerEnded = false;
  #lingered = 0;
  /** Bytes of the body that came since `#paceMs`. */
  #paceBytes = 0;
  #paceMs = 0;
  #stalledMs = -1;
  #leftBytes = 0;
  /** Who has asked for an upgrade; nothing is parsed until that is decided. */
  #upgrading: HttpRequest | null = null;
  /** Its handler is still to be called. */
  #upgradeWaits = false;
  /** What is said when all is answered: why the rest is not. */
  #farewell = '';
  #paused = false;

  constructor(server: ServerCore, socket: Transport) {
    this.server = server;
    this.socket = socket;
    this.sinceMs = server.nowMs;
    this.#codec = openCodec().attach(server.codecServer);
  }

  get closed(): boolean {
    return this.#state === CLOSED;
  }

  /** Nothing is asked and nothing is being answered. */
  get idle(): boolean {
    return this.first === null && this.#receiving === null && !this.#headBegun && this.#backlog === null;
  }

  /** The peer has ended, is being drained, or has gone. */
  get over(): boolean {
    return this.#state !== SERVING;
  }

  // What the socket tells

  /** Bytes have come. */
  data(chunk: Chunk): void {
    this.server.tick();
    this.server.counters.bytesIn += chunk.length;
    if (this.#state !== SERVING) this.#drop(chunk.length);
    else if (this.#backlog !== null || this.#holds !== 0) this.#keep(chunk.memory, chunk.offset, chunk.length);
    else this.#parse(chunk.memory, chunk.offset, chunk.length);
  }

  /** The socket has room again. */
  drained(): void {
    this.#release(HOLD_OUTPUT);
  }

  /** The peer has ended its side: it may still want our replies. */
  ended(): void {
    this.#peerEnded = true;
    if (this.#state !== SERVING) {
      this.socket.close();
      return;
    }
    // What came before the end is still to be parsed: the last request may be in it.
    if (this.#backlog !== null && (this.#holds & HOLD_UPGRADE) === 0) return;
    this.#noMore();
  }

  /** No byte comes any more: what was asked is answered, and a request that is not complete has failed. */
  #noMore(): void {
    this.#closing = true;
    const receiving = this.#receiving;
    this.#receiving = null;
    if (receiving !== null) receiving.bodyFailed(bodyCut(receiving.bytesReceived));
    for (let exchange = this.first; exchange !== null; exchange = exchange.next) exchange.request.peerGone(null);
    this.#endIfDone();
  }

  /** The last thing that is heard of the socket. */
  gone(error: Error | null): void {
    if (this.#state === CLOSED || this.#state === HANDED_OVER) return;
    this.#state = CLOSED;
    this.#backlog = null;
    this.#text = '';
    openCodec().detach(this.#codec);
    this.server.removed(this);
    const receiving = this.#receiving;
    this.#receiving = null;
    const cause = error ?? this.socket.error;
    if (receiving !== null) receiving.bodyFailed(cause ?? bodyCut(receiving.bytesReceived));
    const exchange = this.first;
    this.first = null;
    this.#last = null;
    this.#dropFrom(exchange, cause);
  }

  // What replies need

  /** Sends, behind what was said before. Text is a byte a code unit. */
  emit(data: string | Uint8Array): WriteResult {
    if (this.#state !== SERVING || !this.socket.writable) return written();
    if (typeof data === 'string') {
      this.#text = this.#text === '' ? data : this.#text + data;
      if (this.#corked && this.#text.length <= TEXT_LENGTH_MAX) return written();
      return this.#flush();
    }
    this.#flush();
    if (data.length === 0 || !this.socket.writable) return written();
    return this.#sent(this.socket.write(data), data.length);
  }

  /** @throws MillraceError `ERR_MILLRACE_SOCKET_LIMIT` when a handler does not heed that its peer is slow. */
  checkRoom(): void {
    const queued = this.socket.bytesQueued;
    if (queued <= WRITE_LIMIT) return;
    throw new MillraceError(
      'ERR_MILLRACE_SOCKET_LIMIT',
      `${queued} bytes of replies wait for a slow peer; await write()`,
    );
  }

  /** A handler that was asked at once has answered at once, with text, and nobody is before it. */
  replyWithText(request: HttpRequest, text: string): void {
    const keepAlive = this.#keepsAlive(request);
    const bytes = isAscii(text) ? null : Buffer.from(text);
    const length = bytes === null ? text.length : bytes.length;
    const plain = keepAlive && !request.http10;
    this.#text += plain ? textHead(length) : textHeadWith(length, connectionField(keepAlive, request.http10));
    if (!request.isHead) {
      if (bytes === null) this.#text += text;
      else this.emit(bytes);
    }
    this.answered(request, keepAlive, 200);
  }

  /** Whether the connection goes on after the reply to `exchange`, as far as that is known when its head is sent. */
  decideKeepAlive(exchange: Exchange): void {
    if (!this.#keepsAlive(exchange.request)) exchange.keepAlive = false;
  }

  /** `exchange` has said all it has to say. */
  finished(exchange: Exchange): void {
    if (this.first !== exchange) return;
    this.#advance();
    if (!this.#corked && this.#state === SERVING) this.#flush();
    this.#release(HOLD_PIPELINE);
  }

  /** The reply to `request` is on its way, whole. */
  answered(request: HttpRequest, keepAlive: boolean, status: number): void {
    this.server.replied(request, status);
    request.over();
    this.sinceMs = this.server.nowMs;
    if (!keepAlive) this.#closing = true;
    if (request === this.#upgrading) {
      this.#upgrading = null;
      this.#release(HOLD_UPGRADE);
    }
    this.#endIfDone();
  }

  /** The next bytes of the body are wanted: a peer that waits to be asked is told to send them. */
  bodyWanted(request: HttpRequest): void {
    if (!request.expectsContinue || request.http10 || request.bytesReceived > 0) return;
    const exchange = request.exchange ?? this.exchange(request);
    exchange.sendContinue();
  }

  holdBody(hold: boolean): void {
    if (hold) this.#hold(HOLD_BODY);
    else {
      this.#paceBytes = 0;
      this.#paceMs = this.server.nowMs;
      this.#release(HOLD_BODY);
    }
  }

  /** An exchange for a request that is not answered at once. */
  exchange(request: HttpRequest): Exchange {
    const exchange = new Exchange(request, this);
    request.exchange = exchange;
    if (this.#last === null) this.first = exchange;
    else this.#last.next = exchange;
    this.#last = exchange;
    this.#unanswered++;
    return exchange;
  }

  /** The socket becomes somebody else's: with what was received behind the head, and nothing of ours on it. */
  handOver(request: HttpRequest, head: string): { socket: Transport; received: Buffer } {
    if (this.#state !== SERVING) throw this.goneError();
    const { exchange } = request;
    const isNext = exchange === null ? this.first === null : this.first === exchange && exchange.waiting;
    if (this.#upgrading !== request || request.isOver || !isNext) throw notUpgrade();
    this.#text += head;
    this.#flush();
    this.#state = HANDED_OVER;
    this.first = null;
    this.#last = null;
    const received = this.#backlog ?? Buffer.alloc(0);
    this.#backlog = null;
    openCodec().detach(this.#codec);
    request.over();
    exchange?.handedOver();
    this.server.removed(this);
    this.socket.setHandlers({}, { allowHalfOpen: true });
    if (this.#paused) this.socket.resume();
    return { socket: this.socket, received };
  }

  /** Ends it at once: the peer sees a reset. */
  destroy(error: Error | null): void {
    if (this.#state === CLOSED || this.#state === HANDED_OVER) return;
    this.#text = '';
    this.socket.destroy();
    this.gone(error);
  }

  /** No further request: closes now if it is idle, else after what is being answered. */
  finish(): void {
    this.#closing = true;
    if (this.#receiving === null) this.#endIfDone();
  }

  goneError(): MillraceError {
    return new MillraceError('ERR_MILLRACE_SOCKET_CLOSED', 'The peer has gone');
  }

  /** Looks at its times. */
  look(nowMs: number): void {
    const { limits } = this.server;
    if (this.#state === LINGERING) {
      if (since(this.sinceMs, nowMs) >= LINGER_MS) this.destroy(null);
      return;
    }
    if (this.#state !== SERVING || this.#stalled(nowMs)) return;
    const waitedMs = since(this.sinceMs, nowMs);
    const receiving = this.#receiving;
    if (receiving !== null) {
      // While we hold the peer back, time is not the peer's.
      if (this.#holds !== 0) return;
      const long = limits.requestMs > 0 && this.server.exactMs - receiving.startMs >= limits.requestMs;
      if (long) this.#timedOut('request');
      else if (this.#isTooSlow(nowMs)) this.#timedOut('body');
    } else if (this.#headBegun || (this.requests === 0 && this.first === null)) {
      if (limits.headMs > 0 && waitedMs >= limits.headMs) this.#timedOut('head');
    } else if (this.idle && limits.keepAliveMs > 0 && waitedMs >= limits.keepAliveMs) {
      this.#end();
    }
  }

  /** @internal For the run queue: there is room for what has waited. */
  run(): void {
    this.#queued = false;
    if (this.#state !== SERVING) return;
    if (this.#upgradeWaits && this.first === null) {
      this.#upgradeWaits = false;
      this.server.handle(this.#upgrading as HttpRequest);
      return;
    }
    if (this.#holds !== 0) return;
    const backlog = this.#backlog;
    this.#backlog = null;
    if (backlog !== null) this.#parse(backlog, 0, backlog.length);
    if (this.#peerEnded && this.#backlog === null) this.#noMore();
    this.#regulate();
  }

  // Parsing

  #parse(memory: Buffer, start: number, length: number): void {
    const parser = openCodec();
    const end = start + length;
    let offset = start;
    this.#corked = true;
    while (offset < end && this.#state === SERVING && this.#holds === 0) {
      // What follows the last request is not read.
      if (this.#closing && this.#receiving === null) {
        offset = end;
        break;
      }
      const depth = this.server.limits.pipelineDepth - this.#unanswered;
      if (depth <= 0 && this.#receiving === null) {
        this.#holds |= HOLD_PIPELINE;
        break;
      }
      const count =
        this.server.hasStatics && this.first === null
          ? this.#parseWithStatics(memory, offset, end - offset, depth)
          : parser.parse(this.#codec, memory, offset, end - offset, Math.max(depth, 0));
      const { consumed } = parser;
      if (parser.headBegun !== this.#headBegun) {
        this.#headBegun = parser.headBegun;
        this.sinceMs = this.server.nowMs;
      }
      if (count > 0) this.#dispatch(memory, count);
      else if (consumed === 0) break;
      offset += consumed;
    }
    this.#corked = false;
    if (this.#state === SERVING) {
      if (offset < end) this.#keep(memory, offset, end - offset);
      this.#flush();
      this.#endIfDone();
    }
    this.server.chunkDone();
  }

  /** As `parse`; requests that C++ can answer are answered, before whatever the events ask for. */
  #parseWithStatics(memory: Buffer, offset: number, length: number, depth: number): number {
    const parser = openCodec();
    const { socket } = this;
    this.#flush();
    const place = socket instanceof Socket ? socket.reserve(STATIC_ROOM) : -1;
    const output = place < 0 ? staticReplies : (socket as Socket).sendArena;
    const at = Math.max(place, 0);
    const room = this.#holds === 0 && socket.writable && !this.server.closing ? STATIC_ROOM : 0;
    const count = parser.parse(this.#codec, memory, offset, length, depth, output, at, room);
    const { written: bytes, staticReplies: replies } = parser;
    if (replies === 0) return count;
    this.requests += replies;
    this.sinceMs = this.server.nowMs;
    this.server.counters.answeredStatically(replies);
    const result =
      place < 0 ? socket.write(staticReplies.subarray(0, bytes)) : (socket as Socket).sendReserved(place, bytes);
    this.#sent(result, bytes);
    return count;
  }

  #dispatch(memory: Buffer, count: number): void {
    const parser = openCodec();
    const { table } = parser;
    let at = HTTP_WORD_EVENTS;
    for (let left = count; left > 0 && this.#state === SERVING; left--) {
      const word = table[at] as number;
      const kind = word & 0xff;
      if (kind === HTTP_EVENT_HEAD) {
        if (this.#closing) return;
        const request = new HttpRequest(this, (word & HTTP_IN_SCRATCH) === 0 ? memory : parser.scratch, table, at);
        at = request.wordsEnd;
        const next = left > 1 ? (table[at] as number) & 0xff : 0;
        if (next === HTTP_EVENT_END && !request.hasBody) {
          at += HTTP_END_WORDS;
          left--;
        } else if (next === HTTP_EVENT_BODY && left > 2 && isPlainEnd(table, at + HTTP_BODY_WORDS)) {
          request.takeBody(memory, table[at + HTTP_BODY_OFFSET] as number, table[at + HTTP_BODY_LENGTH] as number);
          at += HTTP_BODY_WORDS + HTTP_END_WORDS;
          left -= 2;
        } else {
          request.beginBody();
          this.#receiving = request;
          this.#paceBytes = 0;
          this.#paceMs = this.server.nowMs;
        }
        this.#serve(request);
      } else if (kind === HTTP_EVENT_BODY) {
        this.#bodyCame(memory, table[at + HTTP_BODY_OFFSET] as number, table[at + HTTP_BODY_LENGTH] as number);
        at += HTTP_BODY_WORDS;
      } else if (kind === HTTP_EVENT_END) {
        const receiving = this.#receiving;
        this.#receiving = null;
        receiving?.endBody(trailersAt(parser, memory, at));
        at += HTTP_END_WORDS + (table[at + HTTP_END_FIELDS] as number) * HTTP_FIELD_WORDS;
        if (this.idle) this.sinceMs = this.server.nowMs;
      } else {
        this.#refused(word >>> 16, table[at + HTTP_ERROR_REASON] as number);
        return;
      }
    }
  }

  #serve(request: HttpRequest): void {
    this.requests++;
    if (request.wantsUpgrade) {
      this.#holds |= HOLD_UPGRADE;
      this.#upgrading = request;
      // Later: when all before it are answered, and what follows the head lies in the backlog.
      request.detach();
      this.#upgradeWaits = true;
      if (this.first === null) this.#enqueue();
      return;
    }
    this.server.handle(request);
  }

  #bodyCame(memory: Buffer, offset: number, length: number): void {
    const receiving = this.#receiving;
    if (receiving === null) return;
    this.#paceBytes += length;
    receiving.pushBody(memory, offset, length);
    if (receiving.isOver && receiving.bytesReceived > UNREAD_BYTES_MAX) this.#closing = true;
  }

  /** The codec can make no sense of what came. */
  #refused(status: number, reason: number): void {
    this.server.counters.refused(reason);
    this.#giveUp(new HttpError(status, reasonText(reason)));
  }

  /** Nothing more is read; of a request whose body is on its way, the handler hears it. */
  #giveUp(error: HttpError): void {
    this.#closing = true;
    this.#backlog = null;
    this.#headBegun = false;
    const receiving = this.#receiving;
    this.#receiving = null;
    if (receiving !== null) receiving.bodyFailed(error);
    else this.#farewell = refusal(error);
    this.#endIfDone();
  }

  #timedOut(what: 'head' | 'body' | 'request'): void {
    this.server.counters.timedOut(what);
    if (what === 'head' && !this.#headBegun) this.#end();
    else this.#giveUp(new HttpError(408, `The ${what} of the request did not come in time`));
  }

  // Order of replies, and the end

  #advance(): void {
    let next = this.first;
    while (next !== null && next.ended) {
      const done: Exchange = next;
      next = done.next;
      this.first = next;
      if (next === null) this.#last = null;
      this.#unanswered--;
      this.answered(done.request, done.keepAlive, done.status);
      if (!done.keepAlive) {
        this.#dropExchanges();
        return;
      }
      next?.takeTurn();
    }
    if (this.first === null && this.#upgradeWaits) this.#enqueue();
  }

  /** What was asked behind the last request is not answered. */
  #dropExchanges(): void {
    const exchange = this.first;
    this.first = null;
    this.#last = null;
    this.#unanswered = 0;
    this.#dropFrom(exchange, null);
    this.#endIfDone();
  }

  #dropFrom(dropped: Exchange | null, cause: Error | null): void {
    for (let exchange = dropped; exchange !== null; exchange = exchange.next) {
      this.server.replied(exchange.request, 0);
      exchange.request.peerGone(cause);
      exchange.gone(cause);
    }
  }

  #keepsAlive(request: HttpRequest): boolean {
    return (
      request.keepAlive &&
      !this.#closing &&
      !this.server.closing &&
      this.requests < this.server.limits.requestsPerConnection &&
      (request !== this.#receiving || this.#keepsUnread(request))
    );
  }

  /** Whether the rest of a body that nobody reads may be waited for. */
  #keepsUnread(request: HttpRequest): boolean {
    if (request.expectsContinue && request.bytesReceived === 0) return false;
    return request.contentLength < 0 || request.contentLength - request.bytesReceived <= UNREAD_BYTES_MAX;
  }

  #endIfDone(): void {
    if (this.#state !== SERVING || !this.#closing || this.first !== null || this.#corked || this.#upgradeWaits) return;
    if (this.#farewell !== '') {
      this.#text += this.#farewell;
      this.#farewell = '';
    }
    this.#end();
  }

  /** Our side ends when all that was said has left. */
  #end(): void {
    this.#flush();
    if (this.#state !== SERVING) return;
    this.#state = LINGERING;
    this.sinceMs = this.server.nowMs;
    this.#backlog = null;
    this.#holds = 0;
    if (this.#peerEnded) {
      this.socket.close();
      return;
    }
    this.socket.shutdown();
    this.#regulate();
  }

  #drop(length: number): void {
    this.#lingered += length;
    if (this.#state === LINGERING && this.#lingered > LINGER_BYTES_MAX) this.destroy(null);
  }

  // Room

  #hold(why: number): void {
    this.#holds |= why;
    this.#regulate();
  }

  #release(why: number): void {
    if ((this.#holds & why) === 0) return;
    this.#holds &= ~why;
    if (this.#holds === 0) this.#enqueue();
  }

  #enqueue(): void {
    if (this.#queued) return;
    this.#queued = true;
    scheduler.enqueue(this);
  }

  /** The socket is read from while there is use for what comes. */
  #regulate(): void {
    const pause = this.#state === SERVING && (this.#holds !== 0 || this.#backlog !== null);
    if (pause === this.#paused || !this.socket.open) return;
    this.#paused = pause;
    if (pause) this.socket.pause();
    else this.socket.resume();
  }

  /** What has come and cannot be parsed now. */
  #keep(memory: Buffer, offset: number, length: number): void {
    const bytes = memory.subarray(offset, offset + length);
    this.#backlog = this.#backlog === null ? Buffer.from(bytes) : Buffer.concat([this.#backlog, bytes]);
    this.#regulate();
    if (this.#holds === 0) this.#enqueue();
  }

  #flush(): WriteResult {
    const text = this.#text;
    if (text === '') return written();
    this.#text = '';
    return this.socket.writable ? this.#sent(this.socket.writeLatin1(text), text.length) : written();
  }

  #sent(result: WriteResult, length: number): WriteResult {
    this.server.counters.bytesOut += length;
    if (result.queued) this.#hold(HOLD_OUTPUT);
    return result;
  }

  // Times

  #isTooSlow(nowMs: number): boolean {
    const { bodyBytesPerSecond, bodyGraceMs } = this.server.limits;
    const elapsedMs = since(this.#paceMs, nowMs);
    if (bodyBytesPerSecond === 0 || elapsedMs < bodyGraceMs || elapsedMs === 0) return false;
    const tooSlow = this.#paceBytes * 1000 < bodyBytesPerSecond * elapsedMs;
    if (!tooSlow && elapsedMs >= 2 * bodyGraceMs) {
      // What was quick once must not be credit for ever.
      this.#paceBytes = 0;
      this.#paceMs = nowMs;
    }
    return tooSlow;
  }

  /** Bytes wait, and none has left for too long. */
  #stalled(nowMs: number): boolean {
    const { writeStallMs } = this.server.limits;
    const queued = this.socket.bytesQueued;
    if (queued === 0 || writeStallMs === 0) {
      this.#stalledMs = -1;
      return false;
    }
    const left = this.socket.bytesWritten - queued;
    if (this.#stalledMs < 0 || left !== this.#leftBytes) {
      this.#leftBytes = left;
      this.#stalledMs = nowMs;
      return false;
    }
    if (since(this.#stalledMs, nowMs) < writeStallMs) return false;
    this.server.counters.timedOut('write');
    this.destroy(new TimeoutError(`The peer has read nothing of a reply for ${writeStallMs} ms`));
    return true;
  }
}

/** The end of a body, without trailers. */
function isPlainEnd(table: Uint32Array, at: number): boolean {
  return ((table[at] as number) & 0xff) === HTTP_EVENT_END && table[at + HTTP_END_FIELDS] === 0;
}

/** Milliseconds of a clock that is a 31-bit number and wraps. */
function since(thenMs: number, nowMs: number): number {
  return (nowMs - thenMs) & 0x3fffffff;
}

/** A reply to what was no request. */
function refusal(error: HttpError): string {
  const body = `${error.message}\n`;
  return `${statusLine(error.status)}${dateField()}Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function notUpgrade(): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_INVALID_STATE',
    'Only a request with Upgrade or CONNECT that was not answered yet can be upgraded',
  );
}
