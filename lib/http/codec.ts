// The HTTP/1.1 codec of this thread: native/core/http, reached through the addon. The network may be replaced by a fake
// one; the codec is the same then.
//
// One call of `parse` for each chunk that came. What it found lies in `table`, event after event from HTTP_WORD_EVENTS on,
// until the next call; lib/internal/http-layout.ts names the words, native/core/http/events.h says what they mean:
//
//     let at = HTTP_WORD_EVENTS;
//     for (let left = codec.parse(...); left > 0; left--) {
//       switch (table[at] & 0xff) { ... }
//       at += eventWords(table, at);
//     }
//
// Of each request come one Head, Body as often as there is some, and one End, in this order; or an Error, as the last event
// of its connection.
import { Buffer } from 'node:buffer';
import { loadAddon, type NativeHttp } from '../internal/binding.js';
import { checkInteger } from '../internal/errors.js';
import {
  HTTP_BODY_WORDS,
  HTTP_CHUNK_EXTENSION_BYTES_MAX,
  HTTP_DATE_BYTES,
  HTTP_END_FIELDS,
  HTTP_END_WORDS,
  HTTP_ERROR_WORDS,
  HTTP_EVENT_BODY,
  HTTP_EVENT_END,
  HTTP_EVENT_HEAD,
  HTTP_FIELD_NAME_NAMES,
  HTTP_FIELD_WORDS,
  HTTP_FIELDS_MAX,
  HTTP_HEAD_BYTES_MAX,
  HTTP_HEAD_FIELDS,
  HTTP_HEAD_WORDS,
  HTTP_INPUT_IS_ARENA,
  HTTP_METHOD_NAMES,
  HTTP_METHOD_OTHER,
  HTTP_OUTPUT_IS_ARENA,
  HTTP_WORD_ARENAS,
  HTTP_WORD_CONNECTION,
  HTTP_WORD_CONSUMED,
  HTTP_WORD_HEAD_BEGUN,
  HTTP_WORD_LENGTH,
  HTTP_WORD_OFFSET,
  HTTP_WORD_OUT_OFFSET,
  HTTP_WORD_OUT_ROOM,
  HTTP_WORD_REQUESTS_MAX,
  HTTP_WORD_STATIC_BYTES_IN,
  HTTP_WORD_STATIC_KIND,
  HTTP_WORD_STATIC_REPLIES,
  HTTP_WORD_STOP,
  HTTP_WORD_WRITTEN,
  STATIC_ANY_METHOD,
  STATIC_NONE,
} from '../internal/http-layout.js';
import { RecentPaths } from './recent-paths.js';

/** What the codec refuses more of, in bytes and fields. */
export interface CodecLimits {
  /** Of a request line without its CRLF: 414. 1 to 65,000. */
  readonly requestLineBytes: number;
  /** Of a head, from the method to the empty line: 431. 1 to 65,000. */
  readonly headBytes: number;
  /** Of a head, and of trailers: 431. 1 to 4,096. */
  readonly fields: number;
  /** Of all chunk extensions of a body: 413. 0 to 2^30. */
  readonly chunkExtensionBytes: number;
  /** Of trailers with the empty line: 431. 2 to 65,000. */
  readonly trailerBytes: number;
}

/** A whole reply. With `dateOffset` the 29 bytes from there on, in its head, are replaced by the current date. */
export interface StaticReply {
  readonly bytes: Uint8Array;
  readonly dateOffset: number | null;
}

/** What is answered without JavaScript. */
export interface StaticRoute {
  /** In lower case, without a port; null: any. A route of this host comes before one of any. */
  readonly host: string | null;
  /** As it is sent, without a query: compared byte by byte. */
  readonly path: string;
  /**
   * By method; only those that have a number (`methodNumber`). '*' answers every other one, those without a number as
   * well. HEAD needs none where there is one of GET: the head of that is sent.
   */
  readonly replies: ReadonlyMap<string, StaticReply>;
}

const METHOD_NUMBERS: ReadonlyMap<string, number> = new Map(
  HTTP_METHOD_NAMES.map((name, number): [string, number] => [name, number]).filter(
    ([, number]) => number !== HTTP_METHOD_OTHER,
  ),
);
const FIELD_NUMBERS: ReadonlyMap<string, number> = new Map(
  HTTP_FIELD_NAME_NAMES.map((name, number): [string, number] => [name, number]).slice(1),
);

/** The number of a method (case matters), HTTP_METHOD_OTHER for one that has none. */
export function methodNumber(method: string): number {
  return METHOD_NUMBERS.get(method) ?? HTTP_METHOD_OTHER;
}

/** The number of a field name in lower case, 0 (HTTP_FIELD_NAME_OTHER) for one that has none. */
export function fieldNumber(name: string): number {
  return FIELD_NUMBERS.get(name) ?? 0;
}

/** The words of the event at `at`, which is where the next one begins. */
export function eventWords(table: Uint32Array, at: number): number {
  switch ((table[at] as number) & 0xff) {
    case HTTP_EVENT_HEAD:
      return HTTP_HEAD_WORDS + ((table[at + HTTP_HEAD_FIELDS] as number) & 0xffff) * HTTP_FIELD_WORDS;
    case HTTP_EVENT_BODY:
      return HTTP_BODY_WORDS;
    case HTTP_EVENT_END:
      return HTTP_END_WORDS + (table[at + HTTP_END_FIELDS] as number) * HTTP_FIELD_WORDS;
    default:
      return HTTP_ERROR_WORDS;
  }
}

const NOTHING = new Uint8Array(0);

export class Codec {
  /** What the last call of `parse` found. */
  readonly table: Uint32Array;
  /** A head or trailers that came in pieces (HTTP_IN_SCRATCH), until the next call of `parse`. */
  readonly scratch: Buffer;
  readonly paths = new RecentPaths();
  readonly #native: NativeHttp;
  /** What C++ knows without being given it; nothing until `useArenas`. */
  #received: Uint8Array = NOTHING;
  #sends: Uint8Array = NOTHING;

  constructor(native: NativeHttp) {
    this.#native = native;
    this.table = new Uint32Array(native.table);
    this.scratch = Buffer.from(native.scratch);
  }

  /** The arenas of this thread's sockets, which most input is in: C++ takes them as they are, unless they are a fake's. */
  useArenas(received: Uint8Array, sends: Uint8Array): void {
    if (received === this.#received) return;
    if (this.#native.isArena(received) === HTTP_INPUT_IS_ARENA) this.#received = received;
    if (this.#native.isArena(sends) === HTTP_OUTPUT_IS_ARENA) this.#sends = sends;
  }

  /** A server's handle. @throws TypeError, RangeError for a limit that is out of its range. */
  server(limits: CodecLimits): number {
    const { requestLineBytes, headBytes, fields, chunkExtensionBytes, trailerBytes } = limits;
    checkInteger(requestLineBytes, 'limits.requestLineBytes', 1, HTTP_HEAD_BYTES_MAX);
    checkInteger(headBytes, 'limits.headBytes', 1, HTTP_HEAD_BYTES_MAX);
    checkInteger(fields, 'limits.fields', 1, HTTP_FIELDS_MAX);
    checkInteger(chunkExtensionBytes, 'limits.chunkExtensionBytes', 0, HTTP_CHUNK_EXTENSION_BYTES_MAX);
    checkInteger(trailerBytes, 'limits.trailerBytes', 2, HTTP_HEAD_BYTES_MAX);
    return this.#native.server(requestLineBytes, headBytes, fields, chunkExtensionBytes, trailerBytes);
  }

  /** Replaces what is answered without JavaScript, as a whole; from the next call of `parse` on. The index in `routes` is
   * what a Head names. @throws RangeError for a method that has no number, or a date that is not in the head. */
  setStatic(server: number, routes: readonly StaticRoute[] | null): void {
    const flat = new FlatTable(routes ?? []);
    this.#native.setStatic(server, flat.words, flat.bytes);
  }

  /** The handle becomes stale; connections that are attached go on, without static routes. */
  dropServer(server: number): void {
    this.#native.dropServer(server);
  }

  /** A connection's handle. @throws MillraceError `ERR_MILLRACE_SOCKET_LIMIT` when there are 2^18. */
  attach(server: number): number {
    return this.#native.attach(server);
  }

  /** Frees what the codec holds for a connection. */
  detach(connection: number): void {
    this.#native.detach(connection);
  }

  /**
   * Takes bytes of a connection; the number of events. Of `length` bytes `consumed` were taken, for the reason that `stop`
   * tells (HTTP_STOP_*): the others have to be given again. At most `requestsMax` Head events come. With `outRoom` static
   * routes are answered: `written` bytes lie in `output` from `outOffset` on, before whatever the events ask for.
   * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` for a connection that is not attached.
   */
  parse(
    connection: number,
    input: Uint8Array,
    offset: number,
    length: number,
    requestsMax: number,
    output: Uint8Array = NOTHING,
    outOffset = 0,
    outRoom = 0,
  ): number {
    const { table } = this;
    table[HTTP_WORD_CONNECTION] = connection;
    table[HTTP_WORD_OFFSET] = offset;
    table[HTTP_WORD_LENGTH] = length;
    table[HTTP_WORD_REQUESTS_MAX] = requestsMax;
    table[HTTP_WORD_OUT_OFFSET] = outOffset;
    table[HTTP_WORD_OUT_ROOM] = outRoom;
    const isReceived = input === this.#received;
    const isSent = output === this.#sends;
    table[HTTP_WORD_ARENAS] = (isReceived ? HTTP_INPUT_IS_ARENA : 0) | (isSent ? HTTP_OUTPUT_IS_ARENA : 0);
    return isReceived && (isSent || outRoom === 0) ? this.#native.parse() : this.#native.parse(input, output);
  }

  get consumed(): number {
    return this.table[HTTP_WORD_CONSUMED] as number;
  }

  get written(): number {
    return this.table[HTTP_WORD_WRITTEN] as number;
  }

  /** Requests that were answered without an event. */
  get staticReplies(): number {
    return this.table[HTTP_WORD_STATIC_REPLIES] as number;
  }

  /** Bytes of their heads. */
  get staticBytesIn(): number {
    return this.table[HTTP_WORD_STATIC_BYTES_IN] as number;
  }

  /** The method's number of all of them in the low 8 bits, and the first digit of their status above. */
  get staticKind(): number {
    return this.table[HTTP_WORD_STATIC_KIND] as number;
  }

  /** Part of a head has come, and its end has not. */
  get headBegun(): boolean {
    return this.table[HTTP_WORD_HEAD_BEGUN] !== 0;
  }

  get stop(): number {
    return this.table[HTTP_WORD_STOP] as number;
  }

  /** What is left of the body that is being read is decoded and checked, but not told; End is. */
  skipBody(connection: number): void {
    this.#native.skipBody(connection);
  }

  /** Connections that are attached, for tests. */
  get connections(): number {
    return this.#native.connections();
  }
}

/** Static routes as C++ takes them: StaticRouteWord and StaticReplyWord of events.h. */
class FlatTable {
  readonly words: Uint32Array;
  readonly bytes: Buffer;
  readonly #words: number[] = [];
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(routes: readonly StaticRoute[]) {
    for (const route of routes) this.#add(route);
    this.words = Uint32Array.from(this.#words);
    this.bytes = Buffer.concat(this.#parts);
  }

  #add({ host, path, replies }: StaticRoute): void {
    if (host === null) this.#words.push(STATIC_NONE, 0);
    else this.#addBytes(Buffer.from(host, 'latin1'));
    this.#addBytes(Buffer.from(path, 'latin1'));
    this.#words.push(replies.size);
    for (const [method, { bytes, dateOffset }] of replies) {
      const number = method === '*' ? STATIC_ANY_METHOD : methodNumber(method);
      if (number === HTTP_METHOD_OTHER) throw new RangeError(`the method ${method} has no number`);
      if (dateOffset !== null) checkInteger(dateOffset, 'dateOffset', 0, bytes.length - HTTP_DATE_BYTES);
      this.#words.push(number);
      this.#addBytes(bytes);
      this.#words.push(dateOffset ?? STATIC_NONE);
    }
  }

  #addBytes(bytes: Uint8Array): void {
    this.#words.push(this.#length, bytes.length);
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }
}

let codec: Codec | null = null;

/** This thread's codec; made when it is first asked for. */
export function openCodec(): Codec {
  codec ??= new Codec(loadAddon().openHttp());
  return codec;
}
