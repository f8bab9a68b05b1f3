// The headers of a request as a WHATWG Headers. One field is looked up where it was received; for all else the real thing
// is made, once.
import { isToken } from '../fields/index.js';
import type { RequestHeaders } from '../request-headers.js';
import { derive, natives } from './natives.js';

export class LightHeaders implements Headers {
  readonly #fields: RequestHeaders;
  #native: Headers | null = null;

  constructor(fields: RequestHeaders) {
    this.#fields = fields;
  }

  get(name: string): string | null {
    // What is no token is an error, and the platform's to find.
    if (this.#native !== null || typeof name !== 'string' || !isToken(name)) return this.native.get(name);
    return this.#fields.get(name);
  }

  has(name: string): boolean {
    if (this.#native !== null || typeof name !== 'string' || !isToken(name)) return this.native.has(name);
    return this.#fields.has(name);
  }

  append(name: string, value: string): void {
    this.native.append(name, value);
  }

  delete(name: string): void {
    this.native.delete(name);
  }

  set(name: string, value: string): void {
    this.native.set(name, value);
  }

  getSetCookie(): string[] {
    return this.native.getSetCookie();
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, thisArgument?: unknown): void {
    this.native.forEach((value, name) => {
      callback.call(thisArgument, value, name, this);
    });
  }

  entries(): ReturnType<Headers['entries']> {
    return this.native.entries();
  }

  keys(): ReturnType<Headers['keys']> {
    return this.native.keys();
  }

  values(): ReturnType<Headers['values']> {
    return this.native.values();
  }

  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.native.entries();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Headers {
    return this.native;
  }

  /** @internal */
  get native(): Headers {
    this.#native ??= new (natives().Headers)([...this.#fields]);
    return this.#native;
  }
}

export function deriveHeaders(): void {
  derive(LightHeaders, natives().Headers);
}
