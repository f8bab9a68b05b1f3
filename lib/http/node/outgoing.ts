// A reply as an http.ServerResponse. It is Node's own class: status, fields and flags are its own, by its own methods.
// Ours is what happens to the bytes, which go to the exchange of the request, not to a socket.
//
// - `write`, `end`, `_storeHeader`, `_writeRaw` and `_flushOutput` are own properties of the response, because Express
//   replaces its prototype. A reply given whole to `end` is one text; what is out of the ordinary goes Node's way and comes
//   back by `_writeRaw`.
// - The exchange keeps the order of pipelined replies, so a response has its socket from the beginning.
// - A reply whose request body is still being read is over only when that is: the connection's next request is behind it.
import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import type { WriteResult } from '../../net/written.js';
import type { Exchange, GoneListener } from '../exchange.js';
import type { ConnectionSocket } from './connection-socket.js';
import { finishLater, gone, leave } from './ending.js';
import { storeHead } from './head.js';
import { type BodyListener, isBeingRead, type NodeRequest, onBodyOver } from './incoming.js';
import type { MessageSettings } from './messages.js';
import { type Callback, nativeHttp, type ResponseInternals } from './native.js';

const REPLY = Symbol('millrace.reply');

/** An http.ServerResponse of ours. */
export type NodeResponse = ServerResponse & ResponseInternals & { [REPLY]: NodeReply };

/** Bytes that are sent with the head as one text; more are left where they lie. */
const JOINED_BYTES_MAX = 4096;

export function makeOutgoing(
  exchange: Exchange,
  request: NodeRequest,
  socket: ConnectionSocket,
  settings: MessageSettings,
): NodeResponse {
  const response = new settings.Response(request, settings.options);
  response[REPLY] = new NodeReply(exchange, request, response, socket, settings.options.rejectNonStandardBodyWrites);
  response.socket = socket as never;
  response.shouldKeepAlive = exchange.request.keepAlive;
  response._keepAliveTimeout = exchange.connection.server.limits.keepAliveMs;
  response.write = write as never;
  response.end = end as never;
  response._storeHeader = storeHeader;
  response._writeRaw = writeRaw;
  response._flushOutput = flushOutput;
  // Not `_expect_continue`: with that Node closes a connection whose client was asked to continue by somebody else than the app.
  if (exchange.request.expectsContinue) response.writeContinue = writeContinue;
  return response;
}

/** Its app has failed, and the reply is somebody else's. */
export function abandon(response: NodeResponse): void {
  process.nextTick(leave, response[REPLY]);
}

// What the response's own methods are

function end(this: NodeResponse, chunk: unknown, encoding?: unknown, callback?: unknown): NodeResponse {
  if (typeof chunk === 'function') return end.call(this, undefined, undefined, chunk);
  if (typeof encoding === 'function') return end.call(this, chunk, undefined, encoding);
  const isData = typeof chunk === 'string' || chunk instanceof Uint8Array;
  if (this.finished || (chunk && !isData)) {
    // An error, or a callback for what has happened already: Node's to tell.
    nativeHttp().end.call(this, chunk, encoding, callback);
    return this;
  }
  const reply = this[REPLY];
  if (reply.rejectsBodies && isData && chunk.length > 0 && !reply.takesBody(chunk.length)) {
    // It throws.
    nativeHttp().write.call(this, chunk, encoding, callback);
  }
  if (typeof callback === 'function') this.once('finish', callback as Callback);
  if (this.destroyed) this.finished = true;
  else if (isData && chunk.length > 0) reply.end(bytesOrText(chunk, encoding));
  else reply.end('');
  return this;
}

function write(this: NodeResponse, chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
  if (typeof encoding === 'function') return write.call(this, chunk, undefined, encoding);
  const { needDrain, write: nativeWrite } = nativeHttp();
  const isData = typeof chunk === 'string' || chunk instanceof Uint8Array;
  if (!isData || this.finished || this.destroyed || needDrain === null) {
    return nativeWrite.call(this, chunk, encoding, callback);
  }
  if (this._header === null) this._implicitHeader();
  if (!this._hasBody) return nativeWrite.call(this, chunk, encoding, callback);
  const wrote = this[REPLY].write(bytesOrText(chunk, encoding), callback as Callback | undefined);
  if (!wrote) this[needDrain] = true;
  return wrote;
}

function storeHeader(this: NodeResponse, firstLine: string, headers: unknown): void {
  this[REPLY].decideKeepAlive();
  const native = nativeHttp();
  const set = native.outHeaders !== null && headers === this[native.outHeaders];
  const isPlain = headers === undefined || headers === null || (typeof headers === 'object' && !Array.isArray(headers));
  if (isPlain && (set || native.outHeaders !== null)) {
    const given = (headers ?? undefined) as Record<string, unknown> | undefined;
    if (storeHead(this as never, firstLine, given, set)) return;
  }
  native.storeHeader.call(this, firstLine, headers);
}

/** What Node's own methods have to send. Node keeps the head in `outputData` where it cannot stand in front of text. */
function writeRaw(this: NodeResponse, data: unknown, encoding: unknown, callback?: unknown): boolean {
  const reply = this[REPLY];
  const then = typeof encoding === 'function' ? encoding : callback;
  let wrote = reply.flush();
  wrote = reply.push(bytesOrText(data as string | Uint8Array, encoding), then as Callback | null) && wrote;
  return wrote;
}

/** There is never anything left in there. For `_flush`, by which a response is told to go on. */
function flushOutput(): boolean {
  return true;
}

function writeContinue(this: NodeResponse, callback?: Callback): void {
  this[REPLY].exchange.sendContinue();
  this._sent100 = true;
  if (typeof callback === 'function') process.nextTick(callback);
}

/** Text of which each code unit is a byte, or bytes. */
function bytesOrText(chunk: string | Uint8Array, encoding: unknown): string | Uint8Array {
  if (typeof chunk !== 'string') return chunk;
  if (encoding === 'latin1' || encoding === 'binary') return latin1(chunk);
  if (encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8') {
    return Buffer.byteLength(chunk) === chunk.length ? chunk : Buffer.from(chunk);
  }
  return Buffer.from(chunk, encoding as BufferEncoding);
}

/** As Node encodes it: what is no Latin-1 loses its upper bits. */
function latin1(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) return Buffer.from(text, 'latin1').toString('latin1');
  }
  return text;
}

/** The way of a response's bytes. */
export class NodeReply implements GoneListener, BodyListener {
  readonly exchange: Exchange;
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly socket: ConnectionSocket;
  /** To write a body where there is none is an error. */
  readonly rejectsBodies: boolean;
  #callbacks: Callback[] | null = null;
  /** The last write has to wait. */
  #waits: WriteResult | null = null;
  #ended = false;
  #sentBytes = 0;

  constructor(
    exchange: Exchange,
    request: NodeRequest,
    response: NodeResponse,
    socket: ConnectionSocket,
    rejectsBodies: boolean,
  ) {
    this.exchange = exchange;
    this.request = request;
    this.response = response;
    this.socket = socket;
    this.rejectsBodies = rejectsBodies;
    exchange.onGone = this;
  }

  /** All has been handed to the exchange. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** What the connection allows goes into the head. */
  decideKeepAlive(): void {
    const { exchange } = this;
    exchange.connection.decideKeepAlive(exchange);
    if (!exchange.keepAlive) this.response.shouldKeepAlive = false;
  }

  /** Whether the reply has a body, which its head says: made, if need be, for a whole body of so many bytes. */
  takesBody(lengthBytes: number): boolean {
    const { response } = this;
    if (response._header === null) {
      response._contentLength = lengthBytes;
      response._implicitHeader();
    }
    return response._hasBody;
  }

  /** The last of the body, and all of it where nothing was written before. */
  end(body: string | Uint8Array): void {
    const { response } = this;
    if (response._header === null) {
      response._contentLength = body.length;
      response._implicitHeader();
    }
    const { length } = body;
    const head = response._headerSent ? '' : (response._header as string);
    this.#checkLength(length, true);
    response._headerSent = true;
    response.finished = true;
    if (!response._hasBody) this.push(head, null);
    else if (response.chunkedEncoding) this.#lastChunks(head, body);
    else if (typeof body === 'string') this.push(head + body, null);
    else if (length <= JOINED_BYTES_MAX) this.push(head + latin1Of(body), null);
    else {
      this.push(head, null);
      this.push(body, null);
    }
    this.ended();
  }

  /** A piece of the body. */
  write(body: string | Uint8Array, callback: Callback | null | undefined): boolean {
    const { response } = this;
    const { length } = body;
    const head = response._headerSent ? '' : (response._header as string);
    response._headerSent = true;
    if (response.chunkedEncoding) {
      return length === 0 ? this.push(head, callback) : this.#writeChunk(head, body, callback);
    }
    this.#checkLength(length, false);
    this.#sentBytes += length;
    if (typeof body === 'string') return this.push(head + body, callback);
    if (head !== '') this.push(head, null);
    return this.push(body, callback);
  }

  /** Sends what Node's own methods have kept. */
  flush(): boolean {
    const { response } = this;
    const kept = response.outputData;
    if (kept.length === 0) return true;
    response.outputData = [];
    response.outputSize = 0;
    let wrote = true;
    for (const { data, encoding, callback } of kept) {
      wrote = this.push(bytesOrText(data, encoding), callback) && wrote;
    }
    return wrote;
  }

  /** @returns false when the writer should wait for 'drain'. */
  push(data: string | Uint8Array, callback: Callback | null | undefined): boolean {
    const { exchange } = this;
    if (exchange.ended) {
      if (typeof callback === 'function') process.nextTick(callback, exchange.connection.goneError());
      return false;
    }
    this.socket.touch();
    const result = exchange.raw(data, this.response.statusCode);
    if (!result.queued) {
      if (typeof callback === 'function') process.nextTick(callback);
      return true;
    }
    if (typeof callback === 'function') {
      this.#callbacks ??= [];
      this.#callbacks.push(callback);
    }
    if (this.#waits !== result) {
      this.#waits = result;
      result.then(
        () => this.#drained(result),
        (error: unknown) => this.#lost(error as Error),
      );
    }
    return false;
  }

  /** The app has said all that it has to say. */
  ended(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { exchange, response, request } = this;
    this.flush();
    if (exchange.ended) return;
    exchange.status = response.statusCode;
    if (!exchange.request.hasBody || !isBeingRead(request)) exchange.endRaw(!response._last);
    else onBodyOver(request, this);
    if (this.#waits === null) finishLater(this);
  }

  bodyOver(): void {
    this.exchange.endRaw(!this.response._last);
  }

  exchangeGone(): void {
    process.nextTick(gone, this);
  }

  #drained(result: WriteResult): void {
    if (this.#waits !== result) return;
    this.#waits = null;
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    if (callbacks !== null) for (const callback of callbacks) callback();
    if (this.#ended) finishLater(this);
    else this.response._flush();
  }

  /** Who waits for a write that will not leave is told so. */
  #lost(error: Error): void {
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    if (callbacks !== null) for (const callback of callbacks) callback(error);
  }

  #writeChunk(head: string, body: string | Uint8Array, callback: Callback | null | undefined): boolean {
    const { length } = body;
    const begin = `${head}${length.toString(16)}\r\n`;
    if (typeof body === 'string') return this.push(`${begin}${body}\r\n`, callback);
    if (length <= JOINED_BYTES_MAX) return this.push(`${begin}${latin1Of(body)}\r\n`, callback);
    this.push(begin, null);
    // The end of a chunk may be gathered with what follows: whether to wait, the body says.
    const wrote = this.push(body, callback);
    return this.push('\r\n', null) && wrote;
  }

  #lastChunks(head: string, body: string | Uint8Array): void {
    const last = `0\r\n${this.response._trailer}\r\n`;
    if (body.length === 0) {
      this.push(head + last, null);
    } else {
      this.#writeChunk(head, body, null);
      this.push(last, null);
    }
  }

  /** A reply that is not as long as it says would be taken for the beginning of the next one. */
  #checkLength(length: number, isLast: boolean): void {
    const { response } = this;
    const said = response._contentLength;
    if (typeof said !== 'number' || !response._hasBody || response.chunkedEncoding) return;
    const total = this.#sentBytes + length;
    if (isLast ? total === said : total <= said) return;
    const error = wrongLength(total, said);
    if (response.strictContentLength) throw error;
    this.exchange.abort(error);
  }
}

function wrongLength(total: number, said: number): Error {
  const error = new Error(
    `Response body's content-length of ${total} byte(s) does not match the content-length of ${said} byte(s) set in header`,
  );
  return Object.assign(error, { code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH' });
}

function latin1Of(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1');
}
