import { Dictionary } from '../fields/index.js';
import type { Pattern } from './pattern.js';
import { WILDCARD, withSlashes } from './pattern.js';

/**
 * What comes of a request's method and path: `found`; `not-found` (404); `method-not-allowed` (405, with `allow`);
 * `options` (OPTIONS of a path that has no handler for it: 204 with `allow`); `malformed` (400: a percent-encoding is).
 */
export type RouteKind = 'found' | 'not-found' | 'method-not-allowed' | 'options' | 'malformed';

/** Parameters by name; nothing is inherited, so every name is harmless. */
export type RouteParameters = Readonly<Record<string, string>>;

const NONE: RouteParameters = Object.freeze(new Dictionary());

/** What `RouteTable.match` gives. The one of a static route is the same object each time. */
export class RouteMatch<T> {
  readonly kind: RouteKind;
  /** What was given for the route; null unless `found`. */
  readonly handler: T | null;
  /** For 405 and OPTIONS: the methods that the path has, sorted, as Allow wants them; else ''. */
  readonly allow: string;
  /** HEAD, and the handler is that of GET: the body must not be sent. */
  readonly headOfGet: boolean;
  /** @internal */
  readonly route: Pattern | null;
  readonly #path: string;
  readonly #spans: readonly number[];
  #params: RouteParameters | null = null;

  /** @internal @param spans where in the path each parameter begins and ends. */
  constructor(
    kind: RouteKind,
    handler: T | null,
    route: Pattern | null,
    allow: string,
    headOfGet: boolean,
    path: string,
    spans: readonly number[],
  ) {
    this.kind = kind;
    this.handler = handler;
    this.route = route;
    this.allow = allow;
    this.headOfGet = headOfGet;
    this.#path = path;
    this.#spans = spans;
  }

  /** The pattern as it was given: what to name a metric by; '' unless `found`. */
  get pattern(): string {
    return this.route === null ? '' : this.route.text;
  }

  /** The parameters, decoded; made when first asked for. A wildcard without a name is `*`. */
  get params(): RouteParameters {
    if (this.#spans.length === 0) return NONE;
    this.#params ??= this.#makeParams();
    return this.#params;
  }

  /**
   * What the wildcard stands for in `path`, the request's, as it was written: not decoded, so that an encoded slash is
   * still told from a slash. It is what `resolveStatic` takes. '' for a route without a wildcard.
   */
  wildcardOf(path: string): string {
    const segments = this.route?.segments;
    if (segments?.at(-1) !== WILDCARD) return '';
    let at = 0;
    for (let i = 1; i < segments.length; i++) at = path.indexOf('/', at + 1);
    return path.slice(at + 1);
  }

  #makeParams(): RouteParameters {
    const params = new Dictionary();
    const names = this.route?.names ?? [];
    for (let i = 0; i < names.length; i++) {
      const value = this.#path.slice(this.#spans[2 * i], this.#spans[2 * i + 1]);
      params[names[i] as string] = withSlashes(value);
    }
    return params;
  }
}
