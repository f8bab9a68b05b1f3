// A request, as a handler sees it. Nothing of it is made before it is asked for.
//
// - While the handler runs, the head lies where the socket received it, and its places are in the codec's table. When the
//   handler has not answered by then, `detach` copies the head and its places. After a reply that was given at once they are
//   gone: what was not read before throws.
import { Buffer } from 'node:buffer';
import { AbortError } from '../internal/errors.js';
import {
  HTTP_ASTERISK_FORM,
  HTTP_AUTHORITY_FORM,
  HTTP_CHUNKED,
  HTTP_EXPECT_CONTINUE,
  HTTP_EXPECT_OTHER,
  HTTP_FIELD_NAME_CONTENT_TYPE,
  HTTP_FIELD_NAME_COOKIE,
  HTTP_HAS_BODY,
  HTTP_HAS_LENGTH,
  HTTP_HAS_QUERY,
  HTTP_HEAD_AUTHORITY,
  HTTP_HEAD_CONTENT_LENGTH_HIGH,
  HTTP_HEAD_CONTENT_LENGTH_LOW,
  HTTP_HEAD_KIND,
  HTTP_HEAD_METHOD,
  HTTP_HEAD_PATH,
  HTTP_HEAD_TARGET,
  HTTP_HTTP10,
  HTTP_KEEP_ALIVE,
  HTTP_METHOD_HEAD,
  HTTP_METHOD_NAMES,
  HTTP_METHOD_OTHER,
  HTTP_PERCENT_IN_PATH,
  HTTP_UPGRADE,
} from '../internal/http-layout.js';
import type { Operation } from '../internal/operation.js';
import type { SocketAddress } from '../net/address.js';
import type { HttpConnection } from './connection.js';
import { parseCookies } from './cookies/index.js';
import type { Exchange } from './exchange.js';
import { Fields } from './fields/index.js';
import { type FormLimits, Multipart, readFormData } from './forms/index.js';
import { HeadView } from './head-view.js';
import { malformedBody } from './http-errors.js';
import type { Origin } from './proxy/index.js';
import { type BodySource, RequestBody } from './request-body.js';
import { RequestHeaders } from './request-headers.js';
import type { RouteMatch, RouteParameters } from './routing/index.js';
import { type Upgraded, type UpgradeReply, upgradeHead } from './upgrade.js';

const NO_PARAMS: RouteParameters = Object.freeze(Object.create(null));
const UTF8 = (memory: Buffer, offset: number, length: number): string =>
  memory.toString('utf8', offset, offset + length);
const OWN = (memory: Buffer, offset: number, length: number, isOwn: boolean): Buffer => {
  const bytes = memory.subarray(offset, offset + length);
  return isOwn ? bytes : Buffer.from(bytes);
};

/** What few requests are asked for, in one object that is made when the first of it is: there are many requests. */
class Asked {
  target: string | null = null;
  query: URLSearchParams | null = null;
  cookies: Readonly<Record<string, string>> | null = null;
  trailers: Fields | null = null;
  origin: Origin | null = null;
  controller: AbortController | null = null;
}

/**
 * A request. The head is read when it is asked for: take what you want of it in the handler, or be an async one; after a
 * reply that was returned at once, a request that was kept throws `ERR_MILLRACE_HTTP_REQUEST_OVER`.
 */
export class HttpRequest implements BodySource {
  /** For the user: whatever belongs to this request. */
  data: unknown = undefined;
  /** @internal What the routes have found. */
  match: RouteMatch<unknown> | null = null;
  /** @internal */
  exchange: Exchange | null = null;
  /** @internal When it came, in milliseconds of the server's clock. */
  readonly startMs: number;
  /** @internal Somebody else than the handler's result answers it. */
  isTaken = false;
  /** @internal */
  readonly connection: HttpConnection;
  /** Bytes of the body, as far as they are announced: -1 for an unknown number. */
  readonly contentLength: number;
  readonly #kind: number;
  readonly #head: HeadView;
  #body: RequestBody | null = null;
  #path: string | null = null;
  #headers: RequestHeaders | null = null;
  #asked: Asked | null = null;
  #isOver = false;
  #isGone = false;

  /** @internal */
  constructor(connection: HttpConnection, memory: Buffer, words: Uint32Array, at: number) {
    this.connection = connection;
    this.startMs = connection.server.exactMs;
    this.#head = new HeadView(memory, words, at);
    const kind = words[at + HTTP_HEAD_KIND] as number;
    this.#kind = kind;
    if ((kind & (HTTP_HAS_LENGTH | HTTP_CHUNKED)) === 0) this.contentLength = 0;
    else if ((kind & HTTP_CHUNKED) !== 0) this.contentLength = -1;
    else this.contentLength = lengthOf(words, at);
  }

  /** `GET`, `POST`, ...: as it was sent, and case matters (RFC 9110, 9.1). */
  get method(): string {
    const number = this.methodNumber;
    if (number !== HTTP_METHOD_OTHER) return HTTP_METHOD_NAMES[number] as string;
    return this.#head.text(this.#head.word(HTTP_HEAD_METHOD) << 16);
  }

  /** @internal As the codec numbers them. */
  get methodNumber(): number {
    return (this.#kind >>> 8) & 0xff;
  }

  /** What was asked for, as it was sent: `/path?query`; `*`; an absolute URL where a proxy is asked. */
  get target(): string {
    const asked = this.#rest;
    asked.target ??= this.#head.text(this.#head.word(HTTP_HEAD_TARGET));
    return asked.target;
  }

  /** The path, as it was sent: not decoded, without the query. `*` for `OPTIONS *`, '' for CONNECT. */
  get path(): string {
    if (this.#path !== null) return this.#path;
    const length = this.#head.word(HTTP_HEAD_PATH) >>> 16;
    // Most paths of one character are "/".
    if (length === 0) this.#path = (this.#kind & HTTP_AUTHORITY_FORM) === 0 ? '/' : '';
    else if (length === 1 && (this.#kind & HTTP_ASTERISK_FORM) === 0) this.#path = '/';
    else this.#path = this.#head.path;
    return this.#path;
  }

  /** What stands behind the `?`, as it was sent; '' for nothing. */
  get queryString(): string {
    if ((this.#kind & HTTP_HAS_QUERY) === 0) return '';
    const { target } = this;
    return target.slice(target.indexOf('?') + 1);
  }

  /** The query, parsed. */
  get query(): URLSearchParams {
    const asked = this.#rest;
    asked.query ??= new URLSearchParams(this.queryString);
    return asked.query;
  }

  /** What the route's pattern has found, decoded: `/users/:id` gives `params.id`. */
  get params(): RouteParameters {
    return this.match === null ? NO_PARAMS : this.match.params;
  }

  /** The pattern of the route, as it was given; '' where none has matched. */
  get route(): string {
    return this.match === null ? '' : this.match.pattern;
  }

  /** The whole URL, of the parts that the client has sent, or the trusted proxies in front of it. */
  get url(): string {
    const { target } = this;
    if (target.startsWith('/')) return `${this.protocol}://${this.host}${target}`;
    return target === '*' ? `${this.protocol}://${this.host}` : target;
  }

  /** Of the target, or Host: a name or address, and a port where one was sent. '' where there is none (HTTP/1.0). */
  get host(): string {
    return this.connection.server.proxies === null ? this.authority : this.origin.host;
  }

  /** @internal The host that was sent. */
  get authority(): string {
    return this.#head.text(this.#head.word(HTTP_HEAD_AUTHORITY));
  }

  /** `http` or `https`: that of the connection, or what a trusted proxy says. */
  get protocol(): 'http' | 'https' {
    const { server } = this.connection;
    return server.proxies === null ? server.scheme : this.origin.protocol;
  }

  /** Who connected: where there is a proxy, that. @throws SystemError when the connection has gone. */
  get remoteAddress(): SocketAddress {
    return this.connection.socket.remoteAddress;
  }

  /** The address of the client: of who connected, or where `trustProxy` says so, what the proxies tell. */
  get clientAddress(): string {
    return this.origin.address;
  }

  /**
   * Whom the request comes from and what was asked for there: as the connection and Host say, or where `trustProxy` believes
   * those who forwarded it, as they say.
   */
  get origin(): Origin {
    const asked = this.#rest;
    asked.origin ??= this.#findOrigin();
    return asked.origin;
  }

  /** `1.1`, or `1.0`. What is later than 1.1 is read as that (RFC 9110, 2.5). */
  get httpVersion(): string {
    return this.http10 ? '1.0' : '1.1';
  }

  /** The header fields. */
  get headers(): RequestHeaders {
    this.#headers ??= new RequestHeaders(this.#head);
    return this.#headers;
  }

  /** The cookies that were sent; the first one of a name. */
  get cookies(): Readonly<Record<string, string>> {
    const asked = this.#rest;
    asked.cookies ??= parseCookies(this.headers.known(HTTP_FIELD_NAME_COOKIE));
    return asked.cookies;
  }

  /** Content-Type, as it was sent; null without one. */
  get contentType(): string | null {
    return this.headers.known(HTTP_FIELD_NAME_CONTENT_TYPE);
  }

  /** The trailer fields of a chunked body; empty until its end has come. */
  get trailers(): Fields {
    const asked = this.#rest;
    asked.trailers ??= new Fields();
    return asked.trailers;
  }

  /**
   * Aborts when the peer has gone, or ended its side, before it had the whole reply. Made when it is first asked for.
   */
  get signal(): AbortSignal {
    const asked = this.#rest;
    if (asked.controller === null) {
      asked.controller = new AbortController();
      if (this.#isGone) asked.controller.abort(peerGone());
    }
    return asked.controller.signal;
  }

  // The body

  /**
   * The body, to be read piece by piece: `for await (const bytes of request.body)`, or `read()`. While nobody reads, little of
   * it is received.
   */
  get body(): RequestBody {
    this.#body ??= emptyBody(this);
    return this.#body;
  }

  /**
   * The whole body as text, from UTF-8.
   * @throws HttpError 413 above `limits.bodyBytes`; UnexpectedEndError when the peer has gone before its end; MillraceError
   * `ERR_MILLRACE_CONSUMED` when it was read already.
   */
  text(): Operation<string> {
    return this.body.whole(this.#bodyLimit, UTF8);
  }

  /** The whole body, parsed. @throws HttpError 400 for what is no JSON; as `text`. */
  json(): Operation<unknown> {
    return this.body.whole(this.#bodyLimit, parseJson);
  }

  /** The whole body in memory of its own. @throws as `text`. */
  bytes(): Operation<Buffer> {
    return this.body.whole(this.#bodyLimit, OWN);
  }

  /**
   * The whole body of a form, multipart/form-data or url-encoded; its files are in memory.
   * @param limits what a form may cost; the whole of it `limits.bodyBytes` of the server, unless `totalBytes` says more.
   * @throws HttpError 415 for what is no form, 400 for a malformed one, 413 above a limit; as `text`.
   */
  formData(limits: FormLimits = {}): Promise<FormData> {
    return readFormData(this.body, this.contentType, { totalBytes: this.#bodyLimit, ...limits });
  }

  /**
   * The parts of a multipart/form-data body as they come, for files that are larger than memory.
   *
   * @example
   * ```ts
   * const server = serve({
   *   hostname: '127.0.0.1',
   *   async fetch(request) {
   *     let bytes = 0;
   *     for await (const part of request.multipart()) for await (const piece of part) bytes += piece.length;
   *     return `${bytes} bytes`;
   *   },
   * });
   * const body = new FormData();
   * body.append('file', new Blob(['12345']), 'five.txt');
   * console.log(await (await fetch(server.url, { method: 'POST', body })).text()); // 5 bytes
   * await server.close();
   * ```
   * @throws HttpError 415 for another type, 400 for a boundary that is none; the loop throws 400 and 413.
   */
  multipart(limits: FormLimits = {}): Multipart {
    return new Multipart(this.body, this.contentType, limits);
  }

  // Upgrade

  /** Whether another protocol is asked for: Upgrade (RFC 9110, 7.8), or CONNECT. */
  get wantsUpgrade(): boolean {
    return (this.#kind & (HTTP_UPGRADE | HTTP_AUTHORITY_FORM)) !== 0;
  }

  /**
   * Agrees to the other protocol: the socket is yours, and what the handler returns is not sent. The reply, 101 or for CONNECT
   * 200, is sent before; with `status: null` you write it yourself.
   * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` for a request that asks for no other protocol or was answered;
   * `ERR_MILLRACE_SOCKET_CLOSED`; TypeError for headers that cannot be sent.
   */
  upgrade(reply: UpgradeReply = {}): Upgraded {
    const status = reply.status ?? (this.isConnect ? 200 : 101);
    const head = reply.status === null ? '' : upgradeHead(this.headers.get('upgrade') ?? '', status, reply.headers);
    return this.connection.handOver(this, head, status);
  }

  /** @internal */
  get isConnect(): boolean {
    return (this.#kind & HTTP_AUTHORITY_FORM) !== 0;
  }

  /** @internal */
  get isHead(): boolean {
    return this.methodNumber === HTTP_METHOD_HEAD;
  }

  /** @internal */
  get http10(): boolean {
    return (this.#kind & HTTP_HTTP10) !== 0;
  }

  /** @internal */
  get keepAlive(): boolean {
    return (this.#kind & HTTP_KEEP_ALIVE) !== 0;
  }

  /** @internal */
  get expectsContinue(): boolean {
    return (this.#kind & HTTP_EXPECT_CONTINUE) !== 0;
  }

  /** @internal An expectation that nobody here can meet: 417. */
  get expectsMore(): boolean {
    return (this.#kind & HTTP_EXPECT_OTHER) !== 0;
  }

  /** @internal A `%` is in the path. */
  get isEncoded(): boolean {
    return (this.#kind & HTTP_PERCENT_IN_PATH) !== 0;
  }

  /** @internal */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @internal The peer has gone, or ended its side: `signal` has aborted, if it was asked for. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** @internal Somebody answers by the exchange, whatever the handler returns. */
  take(): Exchange {
    this.isTaken = true;
    return this.exchange ?? this.connection.exchange(this);
  }

  /** @internal */
  get hasBody(): boolean {
    return (this.#kind & HTTP_HAS_BODY) !== 0;
  }

  /** @internal Of the table. */
  get wordsEnd(): number {
    return this.#head.end;
  }

  /** @internal */
  get bytesReceived(): number {
    return this.#body === null ? 0 : this.#body.received;
  }

  /** @internal The first turn of the handler is over, and there is no reply yet. */
  detach(): void {
    this.#head.detach();
    this.#body?.detach();
  }

  /** @internal It was answered. */
  over(): void {
    this.#isOver = true;
    this.#head.release();
    this.#body?.discard();
  }

  /** @internal The peer will not have the reply. */
  peerGone(error: Error | null): void {
    if (this.#isGone || this.#isOver) return;
    this.#isGone = true;
    this.#asked?.controller?.abort(error ?? peerGone());
  }

  /** @internal All of the body lies in `memory`. */
  takeBody(memory: Buffer, offset: number, length: number): void {
    this.#body = new RequestBody(this);
    this.#body.inline(memory, offset, length);
  }

  /** @internal The body is on its way. */
  beginBody(): void {
    this.#body = new RequestBody(this);
  }

  /** @internal */
  pushBody(memory: Buffer, offset: number, length: number): void {
    this.#body?.push(memory, offset, length);
  }

  /** @internal @param trailers null without any. */
  endBody(trailers: Fields | null): void {
    if (trailers !== null) this.#rest.trailers = trailers;
    this.#body?.end();
  }

  /** @internal */
  bodyFailed(error: Error): void {
    this.#body?.fail(error);
  }

  /** @internal */
  bodyWanted(): void {
    this.connection.bodyWanted(this);
  }

  /** @internal */
  holdBody(hold: boolean): void {
    this.connection.holdBody(hold);
  }

  get #rest(): Asked {
    this.#asked ??= new Asked();
    return this.#asked;
  }

  #findOrigin(): Origin {
    const { server, socket } = this.connection;
    const { address, family } = socket.remoteAddress;
    const direct = { address: family === 'Unix' ? '' : address, protocol: server.scheme, host: this.authority };
    return server.proxies?.originOf(this.headers, direct) ?? { ...direct, chain: [direct.address] };
  }

  get #bodyLimit(): number {
    return this.connection.server.limits.bodyBytes;
  }
}

function lengthOf(words: Uint32Array, at: number): number {
  const high = words[at + HTTP_HEAD_CONTENT_LENGTH_HIGH] as number;
  return high * 2 ** 32 + (words[at + HTTP_HEAD_CONTENT_LENGTH_LOW] as number);
}

function emptyBody(source: BodySource): RequestBody {
  const body = new RequestBody(source);
  body.end();
  return body;
}

function parseJson(memory: Buffer, offset: number, length: number): unknown {
  try {
    return JSON.parse(memory.toString('utf8', offset, offset + length));
  } catch (error) {
    throw malformedBody(`The body is no JSON: ${(error as Error).message}`, error);
  }
}

/** What the signal of a request aborts with. */
function peerGone(): Error {
  return new AbortError('The peer has gone before it had the whole reply');
}
