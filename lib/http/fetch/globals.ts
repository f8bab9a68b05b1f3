// What takes the place of the platform's globals, so that apps that never heard of us are quick: `new Response('text')` in
// an app is the light one, and a light Request can be given wherever a Request can. See docs/decisions.
import { deriveHeaders } from './headers.js';
import { deriveRequest, LightRequest, toNative } from './light-request.js';
import { LightResponse } from './light-response.js';
import { derive, natives } from './natives.js';
import { limitReads } from './whole-reads.js';

type RequestInput = ConstructorParameters<typeof Request>[0];

let isPrepared = false;
let isOverridden = false;

/** Makes the light classes kinds of the platform's. */
export function prepareClasses(): void {
  if (isPrepared) return;
  isPrepared = true;
  natives();
  deriveHeaders();
  deriveRequest();
  derive(LightResponse, natives().Response);
}

export function overrideGlobals(): void {
  if (isOverridden) return;
  isOverridden = true;
  const { Request: NativeRequest, fetch: nativeFetch } = natives();
  class MillraceRequest extends NativeRequest {
    constructor(input: RequestInput, init?: RequestInit) {
      super(toNative(input), init);
      // Its body is that of a request of ours, unless `init` has another.
      const isOurs = input instanceof LightRequest && this.body !== null && (init?.body ?? null) === null;
      if (isOurs) limitReads(this, input.limitBytes);
    }

    /** What the platform itself has made is one too, and what we have received. */
    static override [Symbol.hasInstance](value: unknown): boolean {
      // biome-ignore lint/complexity/noThisInStatic: a class that extends this one has instances of its own
      if (this !== MillraceRequest) return Function.prototype[Symbol.hasInstance].call(this, value);
      return value instanceof NativeRequest;
    }
  }
  Object.defineProperty(MillraceRequest, 'name', { value: 'Request' });
  const replace = (name: string, value: unknown): void => {
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, enumerable: false, value });
  };
  replace('Request', MillraceRequest);
  replace('Response', LightResponse);
  replace('fetch', (input: RequestInput, init?: RequestInit) => nativeFetch(toNative(input), init));
}
