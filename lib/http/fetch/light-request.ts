// A request as a WHATWG Request. It is one by its prototype; what apps ask for all the time is answered from the request that
// was received, and the platform's own Request is made when something else is wanted. From then on it has the body.
import { Buffer } from 'node:buffer';
import type { HttpRequest } from '../request.js';
import { LightHeaders } from './headers.js';
import { delegate, derive, natives } from './natives.js';
import { bodyStream } from './request-stream.js';
import { urlOf } from './url.js';
import { limitReads } from './whole-reads.js';

const EMPTY = Buffer.alloc(0);
/** Methods that a Request cannot be made with. */
const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK'];

export class LightRequest {
  readonly #request: HttpRequest;
  #method = '';
  #url = '';
  #headers: LightHeaders | null = null;
  #native: Request | null = null;
  #stream: ReadableStream<Uint8Array> | null = null;
  #used = false;

  constructor(request: HttpRequest) {
    this.#request = request;
  }

  get method(): string {
    if (this.#method === '') this.#method = this.#request.method;
    return this.#method;
  }

  get url(): string {
    if (this.#url === '') {
      const request = this.#request;
      this.#url = urlOf(request.protocol, request.host, request.target);
    }
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= new LightHeaders(this.#request.headers);
    return this.#headers;
  }

  get signal(): AbortSignal {
    return this.#native === null ? this.#request.signal : this.#native.signal;
  }

  get bodyUsed(): boolean {
    return this.#native === null ? this.#used : this.#native.bodyUsed;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#hasBody ? this.native.body : null;
  }

  async text(): Promise<string> {
    if (this.#native !== null) return this.#native.text();
    if (!this.#hasBody) return '';
    this.#use();
    const text = await this.#request.text();
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  async json(): Promise<unknown> {
    return this.#native === null ? JSON.parse(await this.text()) : this.#native.json();
  }

  async bytes(): Promise<Uint8Array> {
    if (this.#native !== null) return new Uint8Array(await this.#native.arrayBuffer());
    const bytes = await this.#bytes();
    // Of its own memory: the bytes may lie in a pool.
    return new Uint8Array(bytes);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#native === null ? ((await this.bytes()).buffer as ArrayBuffer) : this.#native.arrayBuffer();
  }

  async blob(): Promise<Blob> {
    if (this.#native !== null) return this.#native.blob();
    const type = this.#request.contentType ?? '';
    return new Blob([await this.#bytes()], { type });
  }

  async formData(): Promise<FormData> {
    if (this.#native !== null) return this.#native.formData();
    this.#use();
    return this.#request.formData();
  }

  clone(): Request {
    return this.native.clone();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Request {
    return this.native;
  }

  /** @internal Of a body that is read whole. */
  get limitBytes(): number {
    return this.#request.connection.server.limits.bodyBytes;
  }

  /** @internal The platform's own. */
  get native(): Request {
    if (this.#native === null) {
      const request = this.#request;
      const { method } = this;
      const init: RequestInit & { duplex: 'half' } = {
        method: FORBIDDEN_METHODS.includes(method) ? 'GET' : method,
        headers: this.headers,
        signal: request.signal,
        duplex: 'half',
      };
      if (this.#hasBody) {
        this.#stream = this.#used ? new ReadableStream() : bodyStream(request.body);
        init.body = this.#stream;
      }
      const native = new (natives().Request)(this.url, init);
      this.#native = this.#stream === null ? native : limitReads(native, this.limitBytes);
      // What was read is gone: the platform's own says so then.
      if (this.#used) this.#native.body?.cancel().catch(() => {});
    }
    return this.#native;
  }

  get #hasBody(): boolean {
    const { method } = this;
    return this.#request.hasBody && method !== 'GET' && method !== 'HEAD';
  }

  async #bytes(): Promise<Buffer> {
    if (!this.#hasBody) return EMPTY;
    this.#use();
    return this.#request.bytes();
  }

  /** A body without bytes can be read as often as one likes. */
  #use(): void {
    if (!this.#hasBody) return;
    if (this.#used) throw unusable();
    this.#used = true;
  }
}

function unusable(): TypeError {
  return new TypeError('Body is unusable: Body has already been read');
}

/** To what it stands for; everything else as it is. */
export function toNative<T>(value: T | LightRequest): T | Request {
  return value instanceof LightRequest ? value.native : value;
}

export function deriveRequest(): void {
  derive(LightRequest, natives().Request);
  delegate<Request>(
    LightRequest.prototype,
    ['cache', 'credentials', 'destination', 'integrity', 'mode', 'redirect', 'referrer', 'referrerPolicy', 'keepalive'],
    (light: LightRequest) => light.native,
  );
  Object.defineProperty(LightRequest.prototype, 'duplex', { configurable: true, enumerable: true, value: 'half' });
}
