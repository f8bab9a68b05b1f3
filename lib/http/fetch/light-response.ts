// A Response that costs little where its body is text or bytes: it keeps what it was made of, and becomes the platform's own
// when something is asked for that only that can do.
//
// - The fields are checked and put into lines when it is made, which is what the platform does too, and what sending needs.
//   Once `headers` was asked for, that object has the last word.
// - A stream that `body` gave is remembered: frameworks make a new Response of the body of another one, to change its
//   headers, and the text need not go through a stream for that.
import { Buffer } from 'node:buffer';
import { MillraceError } from '../../internal/errors.js';
import { SENDS, sendEmpty, sendResponse, sendWhole } from '../answer.js';
import type { Exchange } from '../exchange.js';
import {
  CONNECTION,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  DATE,
  FieldName,
  KEEP_ALIVE,
  TRANSFER_ENCODING,
} from '../fields/field-name.js';
import { Fields } from '../fields/index.js';
import { natives } from './natives.js';

type BodyInit = ConstructorParameters<typeof Response>[0];
type LightBody = string | Uint8Array | null;
/** What a Response can be made with, as far as it is looked at here. */
interface Init {
  readonly status?: unknown;
  readonly statusText?: unknown;
  readonly headers?: unknown;
}

const TEXT_TYPE = 'content-type: text/plain;charset=UTF-8\r\n';
const FRAMING = CONTENT_LENGTH | TRANSFER_ENCODING | CONNECTION | KEEP_ALIVE;
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The light responses whose text or bytes a stream gives. */
const sources = new WeakMap<ReadableStream, LightResponse>();

/** Which of the fields that matter `linesOf` has found. */
let known = 0;

export class LightResponse {
  #body: LightBody = null;
  #status = 200;
  #statusText = '';
  #lines = '';
  #known = 0;
  #headers: Headers | null = null;
  #native: Response | null = null;
  #used = false;

  constructor(body?: BodyInit, init?: ResponseInit) {
    const { status = 200, statusText = '', headers } = (init ?? {}) as Init;
    const content = contentOf(body);
    const isLight =
      content !== undefined &&
      isStatus(status) &&
      typeof statusText === 'string' &&
      REASON.test(statusText) &&
      (content === null || !isNullBodyStatus(status));
    if (!isLight) {
      // A stream, a form, a blob; or an error, which the platform finds.
      this.#native = new (natives().Response)(body, init);
      this.#headers = this.#native.headers;
      return;
    }
    this.#body = content;
    this.#status = status;
    this.#statusText = statusText;
    this.#lines = headers === undefined || headers === null ? '' : linesOf(headers);
    this.#known = this.#lines === '' ? 0 : known;
    // A stream has no type, whatever is known to be in it.
    if (typeof body === 'string' && (this.#known & CONTENT_TYPE) === 0) this.#lines += TEXT_TYPE;
  }

  static json(value: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError('The value is not JSON serializable');
    const response = new LightResponse(text, init);
    if (response.#native !== null) return natives().Response.json(value, init);
    // What was added for text is not what it is.
    if ((response.#known & CONTENT_TYPE) === 0) {
      response.#lines = `${response.#lines.slice(0, -TEXT_TYPE.length)}content-type: application/json\r\n`;
    }
    return response as unknown as Response;
  }

  static redirect(url: string | URL, status?: number): Response {
    return natives().Response.redirect(url, (status ?? 302) as never);
  }

  static error(): Response {
    return natives().Response.error();
  }

  /** What the platform itself has made is one too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a class that extends this one has instances of its own
    if (this !== LightResponse) return Function.prototype[Symbol.hasInstance].call(this, value);
    return (
      typeof value === 'object' &&
      value !== null &&
      Object.prototype.isPrototypeOf.call(natives().Response.prototype, value)
    );
  }

  get status(): number {
    return this.#native === null ? this.#status : this.#native.status;
  }

  get statusText(): string {
    return this.#native === null ? this.#statusText : this.#native.statusText;
  }

  get ok(): boolean {
    const { status } = this;
    return status >= 200 && status < 300;
  }

  get headers(): Headers {
    if (this.#headers === null) {
      const headers = new (natives().Headers)();
      for (const [name, value] of pairsOf(this.#lines)) headers.append(name, value);
      this.#headers = headers;
    }
    return this.#headers;
  }

  get type(): Response['type'] {
    return this.#native === null ? 'default' : this.#native.type;
  }

  get url(): string {
    return '';
  }

  get redirected(): boolean {
    return false;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#native === null && this.#body === null) return null;
    const { body } = this.native;
    if (body !== null && this.#body !== null) sources.set(body, this);
    return body;
  }

  get bodyUsed(): boolean {
    return this.#native === null ? this.#used : this.#native.bodyUsed;
  }

  async text(): Promise<string> {
    if (this.#native !== null) return this.#native.text();
    const body = this.#take();
    const text = body instanceof Uint8Array ? Buffer.from(body).toString() : (body ?? '');
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  async json(): Promise<unknown> {
    return this.#native === null ? JSON.parse(await this.text()) : this.#native.json();
  }

  async bytes(): Promise<Uint8Array> {
    if (this.#native !== null) return new Uint8Array(await this.#native.arrayBuffer());
    const body = this.#take();
    return new Uint8Array(typeof body === 'string' ? Buffer.from(body) : (body ?? []));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#native === null ? ((await this.bytes()).buffer as ArrayBuffer) : this.#native.arrayBuffer();
  }

  async blob(): Promise<Blob> {
    return this.native.blob();
  }

  async formData(): Promise<FormData> {
    return this.native.formData();
  }

  clone(): Response {
    if (this.#native !== null || this.#used) {
      const native = this.native.clone();
      // Its headers are what ours have become.
      const { status, statusText, body } = native;
      return new LightResponse(body, { status, statusText, headers: this.headers }) as unknown as Response;
    }
    const { status, statusText, headers } = this;
    return new LightResponse(this.#body as BodyInit, { status, statusText, headers }) as unknown as Response;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Response {
    return this.native;
  }

  /** @internal */
  [SENDS](exchange: Exchange): void {
    if (this.bodyUsed) throw new MillraceError('ERR_MILLRACE_CONSUMED', 'The body of this Response was read already');
    if (this.#native !== null && this.#body === null) {
      sendResponse(exchange, this as unknown as Response);
      return;
    }
    exchange.reason = this.#statusText;
    const body = this.#body;
    const isPlain = this.#headers === null && (this.#known & FRAMING) === 0;
    if (isPlain && exchange.connection.server.compression === null) {
      exchange.send(this.#status, this.#lines, body, (this.#known & DATE) !== 0);
      return;
    }
    const fields = new Fields(this.#headers ?? pairsOf(this.#lines));
    if (body === null) sendEmpty(exchange, this.#status, fields);
    else sendWhole(exchange, this.#status, fields, body);
  }

  /** @internal The platform's own. */
  get native(): Response {
    if (this.#native === null) {
      const { status, statusText } = this;
      this.#native = new (natives().Response)(this.#body as BodyInit, {
        status,
        statusText,
        headers: this.headers,
      });
      if (this.#used) this.#native.body?.cancel().catch(() => {});
    }
    return this.#native;
  }

  /** @internal The text or bytes that it has, as long as nobody has begun to read them; undefined without. */
  get content(): LightBody | undefined {
    return this.bodyUsed ? undefined : (this.#body ?? undefined);
  }

  #take(): LightBody {
    if (this.#used && this.#body !== null) throw new TypeError('Body is unusable: Body has already been read');
    this.#used = this.#body !== null;
    return this.#body;
  }
}
Object.defineProperty(LightResponse, 'name', { value: 'Response' });

/** What is kept of a body; undefined for what is the platform's to make. */
function contentOf(body: unknown): LightBody | undefined {
  if (typeof body === 'string') return body;
  if (body === null || body === undefined) return null;
  // The caller's to write over.
  if (body instanceof Uint8Array) return new Uint8Array(body);
  if (body instanceof ReadableStream && !body.locked) return sources.get(body)?.content;
  return undefined;
}

function isStatus(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599;
}

function isNullBodyStatus(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Lines of what headers can be made of. @throws TypeError for what is none. */
function linesOf(headers: unknown): string {
  known = 0;
  let lines = '';
  if (typeof headers !== 'object' || headers === null) throw new TypeError('headers must be an object');
  if (Symbol.iterator in headers) {
    for (const pair of headers as Iterable<readonly [string, string]>) {
      if (pair.length !== 2) throw new TypeError('headers must be pairs of a name and a value');
      lines += line(pair[0], pair[1]);
    }
  } else {
    for (const name of Object.keys(headers)) lines += line(name, (headers as Record<string, unknown>)[name]);
  }
  return lines;
}

function line(name: string, value: unknown): string {
  const field = FieldName.of(name);
  known |= field.bit;
  return `${field.prefix}${field.check(typeof value === 'string' ? value : String(value))}\r\n`;
}

function* pairsOf(lines: string): Generator<[string, string], void, undefined> {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    yield [lines.slice(start, colon), lines.slice(colon + 2, end)];
    start = end + 2;
  }
}
