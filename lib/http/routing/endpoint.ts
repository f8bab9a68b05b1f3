// What stands at the end of a pattern: a handler for each method, or one for all of them.
import { MillraceError, shown } from '../../internal/errors.js';
import { isToken } from '../fields/index.js';
import { RouteMatch } from './match.js';
import { type Pattern, WILDCARD, withSlashes } from './pattern.js';

/** Handlers by method, in capital letters; `*` is for every other method. */
export type MethodTable<T> = { readonly [method: string]: T };

/** What a pattern may lead to: a handler for all methods, a static reply for GET and HEAD, or one by method. */
export type RouteTarget<T> = T | MethodTable<T>;

/** What the methods of a handler for all of them are called in Allow. */
const USUAL_METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

export class Endpoint<T> {
  readonly pattern: Pattern;
  readonly isStatic: boolean;
  readonly #methods = new Map<string, RouteMatch<T>>();
  readonly #others: RouteMatch<T> | null;

  /** @throws MillraceError `ERR_MILLRACE_HTTP_ROUTE` naming the pattern. */
  constructor(pattern: Pattern, target: RouteTarget<T>) {
    this.pattern = pattern;
    this.isStatic = pattern.names.length === 0;
    const table = methodsOf(pattern, target);
    const others = table.get('*');
    this.#others = others === undefined ? null : this.#found(others, false);
    for (const [method, handler] of table) if (method !== '*') this.#methods.set(method, this.#found(handler, false));
    const get = table.get('GET');
    if (get !== undefined && !table.has('HEAD')) this.#methods.set('HEAD', this.#found(get, true));
  }

  /** The match that is given for a static pattern, and copied for one with parameters. */
  find(method: string): RouteMatch<T> | null {
    return this.#methods.get(method) ?? this.#others;
  }

  /** Adds the methods that it has a handler for. */
  addMethods(methods: Set<string>): void {
    methods.add('OPTIONS');
    for (const method of this.#methods.keys()) methods.add(method);
    if (this.#others !== null) for (const method of USUAL_METHODS) methods.add(method);
  }

  /** Handlers by method; `*` is for every other one. HEAD is there where GET is. */
  handlers(): Map<string, T> {
    const handlers = new Map<string, T>();
    for (const [method, { handler }] of this.#methods) if (handler !== null) handlers.set(method, handler);
    if (this.#others !== null && this.#others.handler !== null) handlers.set('*', this.#others.handler);
    return handlers;
  }

  #found(handler: T, headOfGet: boolean): RouteMatch<T> {
    return new RouteMatch('found', handler, this.pattern, '', headOfGet, '', NO_SPANS);
  }
}

const NO_SPANS: readonly number[] = [];

function methodsOf<T>(pattern: Pattern, target: RouteTarget<T>): Map<string, T> {
  if (target === null || target === undefined) throw wrong(pattern, `has no handler; got ${shown(target)}`);
  if (typeof target === 'function') return new Map([['*', target as T]]);
  if (!isPlainObject(target)) return new Map([['GET', target as T]]);
  const methods = Object.entries(target as MethodTable<T>).filter(([, handler]) => handler !== undefined);
  if (methods.length === 0) throw wrong(pattern, 'has no methods');
  for (const [method, handler] of methods) {
    if (method !== '*' && (!isToken(method) || method !== method.toUpperCase())) {
      throw wrong(pattern, `has ${shown(method)} for a method; methods are written in capital letters`);
    }
    if (handler === null) throw wrong(pattern, `has no handler for ${method}; got null`);
  }
  return new Map(methods);
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function wrong(pattern: Pattern, what: string): MillraceError {
  return new MillraceError('ERR_MILLRACE_HTTP_ROUTE', `The route ${shown(pattern.text)} ${what}`);
}

/** The path of a static pattern as a request writes it: what is not allowed in a path is encoded (RFC 3986, 3.3). */
export function encodedPath(pattern: Pattern): string {
  const segments = pattern.segments.map((segment) => (typeof segment === 'string' ? encodeSegment(segment) : ''));
  return `/${segments.join('/')}`;
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(withSlashes(segment)).replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
}

export function hasWildcard(pattern: Pattern): boolean {
  return pattern.segments.at(-1) === WILDCARD;
}
