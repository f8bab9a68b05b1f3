// From a request to its handler, by routes that are compiled once and replaced as a whole.
import { checkFunction, invalidType } from '../internal/errors.js';
import { type Answer, isAnswer } from './answer.js';
import { HttpError } from './http-errors.js';
import { Reply } from './reply.js';
import type { HttpRequest } from './request.js';
import { type Routes, RouteTable } from './routing/index.js';
import type { HttpServer } from './server.js';
import type { Handler } from './server-core.js';

/** What a route leads to: a handler, or the reply itself. */
export type RouteValue = Handler | string | Uint8Array | Reply | Response;

export interface RoutingOptions {
  /** Handlers and static replies by pattern: `/users/:id`, `/files/*path`; see {@link Routes}. */
  routes?: Routes<RouteValue>;
  /** The same for certain hosts: `api.example.com`, `*.example.com`. They go before `routes`. */
  hosts?: { readonly [host: string]: Routes<RouteValue> };
  /** Answers what no route has. Without it: 404. */
  fetch?: Handler;
}

/** A handler for all that `options` say. @throws TypeError, MillraceError `ERR_MILLRACE_HTTP_ROUTE`. */
export function dispatcher(options: RoutingOptions): { handler: Handler; table: RouteTable<RouteValue> | null } {
  const { routes, hosts, fetch } = options;
  if (fetch !== undefined) checkFunction(fetch, 'options.fetch');
  if (routes === undefined && hosts === undefined) {
    if (fetch === undefined) throw invalidType('options', 'with fetch, routes or hosts', options);
    return { handler: fetch, table: null };
  }
  const table = new RouteTable<RouteValue>({ ...(routes && { routes }), ...(hosts && { hosts }) });
  for (const { pattern, handlers } of table.entries()) {
    for (const [method, value] of handlers) checkValue(value, `options.routes[${JSON.stringify(pattern)}].${method}`);
  }
  return { handler: (request, server) => route(table, fetch, request, server), table };
}

function route(
  table: RouteTable<RouteValue>,
  fetch: Handler | undefined,
  request: HttpRequest,
  server: HttpServer,
): ReturnType<Handler> {
  const match = table.match(request.method, request.authority, request.path, request.isEncoded);
  switch (match.kind) {
    case 'found': {
      request.match = match;
      const value = match.handler as RouteValue;
      return typeof value === 'function' ? value(request, server) : fresh(value);
    }
    case 'options':
      return new Reply(null, { status: 204, headers: { Allow: match.allow } });
    case 'method-not-allowed':
      if (fetch !== undefined && match.allow === '') return fetch(request, server);
      throw new HttpError(405, undefined, { headers: { Allow: match.allow } });
    case 'malformed':
      throw new HttpError(400, 'The path is not percent-encoded as it should be');
    default:
      if (fetch !== undefined) return fetch(request, server);
      throw new HttpError(404);
  }
}

/** A Response can be read once. */
function fresh(value: string | Uint8Array | Reply | Response): Answer {
  return value instanceof Response ? value.clone() : value;
}

function checkValue(value: unknown, name: string): void {
  if (typeof value !== 'function' && !isAnswer(value)) {
    throw invalidType(name, 'a function, a string, a Uint8Array, a Reply or a Response', value);
  }
}
