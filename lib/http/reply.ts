// What a handler may answer with when a string is not enough.
import { Buffer } from 'node:buffer';
import { checkObject, invalidType, shown } from '../internal/errors.js';
import { type CookieOptions, serializeCookie } from './cookies/index.js';
import { Fields, type FieldsInit } from './fields/index.js';
import { invalidField } from './http-errors.js';
import type { ReplyWriter } from './reply-writer.js';
import { checkStatus, hasNoBody } from './status.js';

/** Bytes, or text, which is sent as UTF-8. */
export type Piece = string | Uint8Array;

/** Writes a body piece by piece. What it throws ends the connection, so that no short body is taken for a whole one. */
export type BodyProducer = (writer: ReplyWriter) => Promise<unknown> | Generator<unknown, unknown, unknown> | undefined;

/** What a reply's body may be: whole, or what gives or writes it piece by piece. */
export type ReplyBody = Piece | null | AsyncIterable<Piece> | Iterable<Piece> | ReadableStream<Piece> | BodyProducer;

/** What a reply has besides its body. */
export interface ReplyInit {
  /** 200 to 599. Default: 200. */
  status?: number;
  /** Names and values; of Set-Cookie a list. Names and values that could end a line throw. */
  headers?: FieldsInit;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const HTML_TYPE = 'text/html; charset=utf-8';

/**
 * A reply: a status, fields and a body. Made once, sent once for each time that a handler returns it; one whose body is a
 * string or bytes may be kept and returned again and again.
 *
 * Content-Length, Transfer-Encoding, Connection and Date are seen to. A Content-Length of yours is believed where the body
 * comes in pieces, and then it is checked.
 *
 * @example
 * ```ts
 * const reply = new Reply('made', { status: 201, headers: { Location: '/things/7' } });
 * console.log(reply.status, reply.headers.get('location')); // 201 /things/7
 * ```
 */
export class Reply {
  readonly status: number;
  /** To be added to until it is returned. */
  readonly headers: Fields;
  readonly body: ReplyBody;

  /** @throws TypeError (`ERR_INVALID_ARG_TYPE`, `ERR_MILLRACE_HTTP_FIELD`), RangeError naming what is wrong. */
  constructor(body: ReplyBody = null, init: ReplyInit = {}) {
    checkBody(body);
    checkObject(init, 'init');
    const { status = 200, headers } = init;
    checkStatus(status, 'init.status');
    // 205 has an empty one (RFC 9110, 15.3.6).
    if (body !== null && (hasNoBody(status) || status === 205)) {
      throw invalidType('body', `null with status ${status}, which has none`, body);
    }
    this.status = status;
    this.headers = new Fields(headers);
    this.body = body;
  }

  /**
   * Adds a cookie.
   * @throws TypeError, RangeError for what a browser would drop: see {@link serializeCookie}.
   */
  cookie(name: string, value: string, options?: CookieOptions): this {
    this.headers.append('Set-Cookie', serializeCookie(name, value, options));
    return this;
  }

  /**
   * JSON, as `application/json; charset=utf-8` unless `headers` say another type.
   *
   * @example
   * ```ts
   * console.log(Reply.json({ ok: true }).body); // {"ok":true}
   * ```
   * @throws TypeError for what JSON cannot say: undefined, a function, a cycle, a bigint.
   */
  static json(value: unknown, init?: ReplyInit): Reply {
    const text = JSON.stringify(value);
    if (text === undefined) throw invalidType('value', 'something that JSON can say', value);
    return withType(new Reply(text, init), JSON_TYPE);
  }

  /** HTML, as `text/html; charset=utf-8`. Nothing in it is escaped. */
  static html(text: string, init?: ReplyInit): Reply {
    if (typeof text !== 'string') throw invalidType('text', 'a string', text);
    return withType(new Reply(text, init), HTML_TYPE);
  }

  /**
   * Sends the client elsewhere. @param status 301, 302 (default), 303, 307 or 308.
   * @throws TypeError for what is no URL reference; RangeError for another status.
   */
  static redirect(location: string | URL, status = 302): Reply {
    if (![301, 302, 303, 307, 308].includes(status)) {
      const error = new RangeError(`status must be 301, 302, 303, 307 or 308; got ${shown(status)}`);
      throw Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
    }
    if (typeof location !== 'string' && !(location instanceof URL)) {
      throw invalidType('location', 'a string or a URL', location);
    }
    return new Reply(null, { status, headers: { Location: reference(String(location)) } });
  }

  /**
   * A body that is written piece by piece, in chunks unless `headers` say its length.
   *
   * @example
   * ```ts
   * const reply = Reply.stream(async (writer) => {
   *   for (let i = 0; i < 3; i++) await writer.write(`line ${i}\n`);
   * });
   * console.log(reply.status); // 200
   * ```
   */
  static stream(producer: BodyProducer, init?: ReplyInit): Reply {
    if (typeof producer !== 'function') throw invalidType('producer', 'a function', producer);
    return new Reply(producer, init);
  }
}

/** @internal Sent as it is. */
export interface PreparedHead {
  readonly fields: string;
  /** Date is among them. */
  readonly dated: boolean;
  /** Content-Length, where it was set. */
  readonly length: number | null;
  readonly closes: boolean;
}

function withType(reply: Reply, type: string): Reply {
  if (!reply.headers.has('content-type')) reply.headers.set('Content-Type', type);
  return reply;
}

/** As a URL reference is sent: what is no ASCII is percent-encoded. */
function reference(location: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  if (/[\u0000-\u001f\u007f]/.test(location)) {
    throw invalidField(`location must not contain control characters; got ${shown(location)}`);
  }
  return location.replace(/[^\u0021-\u007e]+/g, (part) => encodeURI(Buffer.from(part).toString()));
}

function checkBody(body: unknown): void {
  if (body === null || typeof body === 'string' || typeof body === 'function' || body instanceof Uint8Array) return;
  if (typeof body === 'object' && (Symbol.asyncIterator in body || Symbol.iterator in body)) return;
  throw invalidType('body', 'a string, a Uint8Array, null, an (async) iterable, a stream or a function', body);
}
