// The platform's own classes, as they were before anything of ours took their place. Loaded when the first app is adapted:
// to touch them loads all of undici.
export interface Natives {
  readonly Request: typeof Request;
  readonly Response: typeof Response;
  readonly Headers: typeof Headers;
  readonly fetch: typeof fetch;
}

let taken: Natives | null = null;

export function natives(): Natives {
  taken ??= {
    Request: globalThis.Request,
    Response: globalThis.Response,
    Headers: globalThis.Headers,
    fetch: globalThis.fetch,
  };
  return taken;
}

/** Makes `light` a kind of `native`: by its prototype, so that `instanceof` holds; what it has not is the native's. */
export function derive(light: { prototype: object }, native: { prototype: object }): void {
  Object.setPrototypeOf(light.prototype, native.prototype);
}

/** Has `names` of a light object answered by the native one that stands for it. */
export function delegate<T>(prototype: object, names: readonly (keyof T)[], native: (light: never) => T): void {
  for (const name of names) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: never) {
        return native(this)[name];
      },
    });
  }
}
