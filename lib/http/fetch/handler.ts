// From a request of ours to an app in the style of the Fetch standard.
import { checkFunction, checkObject, invalidType } from '../../internal/errors.js';
import type { HttpRequest } from '../request.js';
import { type HttpServer, type ServeOptions, serve } from '../server.js';
import type { Handler } from '../server-core.js';
import { overrideGlobals, prepareClasses } from './globals.js';
import { LightRequest } from './light-request.js';

/** What an app answers with. */
export type FetchResult = Response | PromiseLike<Response>;

/** A `fetch` of Hono's, or of any app for WinterTC's runtimes. */
// biome-ignore lint/suspicious/noExplicitAny: what apps take for their environment is their own affair
export type FetchFunction = (request: Request, env: any, context: any) => FetchResult;

/** An app: its `fetch`, or an object that has it, like a Hono app or a module's default export. */
export type FetchApp = FetchFunction | { readonly fetch: FetchFunction };

/** The second argument of an app's `fetch`, unless the option `env` gives another: Hono's `c.env`. */
export interface FetchEnv {
  readonly server: HttpServer;
}

export interface FetchHandlerOptions {
  /** The second argument of the app's `fetch`. Default: `{ server }`. */
  env?: unknown;
  /**
   * Whether `Request`, `Response` and `fetch` of `globalThis` are replaced by quicker ones that are otherwise the same. Default:
   * true. Without it the app is given the platform's own Requests.
   */
  overrideGlobals?: boolean;
}

/** The third argument of an app's `fetch`: Hono's `c.executionCtx`. */
export class FetchContext {
  /** For Hono's type. */
  readonly props: Record<string, unknown> = {};
  /** What was received: for its addresses, or to upgrade it. */
  readonly request: HttpRequest;

  /** @internal */
  constructor(request: HttpRequest) {
    this.request = request;
  }

  /** Work that goes on when the reply has been given. What it fails with is told as a handler's failure. */
  waitUntil(work: PromiseLike<unknown>): void {
    const { request } = this;
    // It may want to look at the request yet.
    if (!request.isOver) request.detach();
    Promise.resolve(work).catch((error: unknown) => request.connection.server.tellError(error, request));
  }

  /** Does nothing: what an app throws is answered with 500 here. */
  passThroughOnException(): void {}
}

/**
 * A handler for `serve` that has requests answered by an app in the style of the Fetch standard, like Hono's: its `fetch` is
 * given a `Request` and gives a `Response`, or a promise of one.
 *
 * What it throws, or its promise is rejected with, is answered by the server's `error`, or with 500.
 *
 * @example
 * ```ts
 * const app = { fetch: (request: Request) => new Response(`You asked for ${new URL(request.url).pathname}`) };
 * const server = serve({ hostname: '127.0.0.1', fetch: fetchHandler(app) });
 * const response = await fetch(`${server.url}/this`);
 * console.log(await response.text()); // You asked for /this
 * await server.close();
 * ```
 * @throws TypeError naming the argument.
 */
export function fetchHandler(app: FetchApp, options: FetchHandlerOptions = {}): Handler {
  const handle = functionOf(app);
  checkObject(options, 'options');
  const { env, overrideGlobals: overrides = true } = options;
  if (typeof overrides !== 'boolean') throw invalidType('options.overrideGlobals', 'a boolean', overrides);
  prepareClasses();
  if (overrides) overrideGlobals();
  let given: unknown = env;
  return (request, server) => {
    given ??= { server } satisfies FetchEnv;
    const light = new LightRequest(request);
    return handle((overrides ? light : light.native) as unknown as Request, given, new FetchContext(request));
  };
}

/**
 * Serves an app in the style of the Fetch standard: `serve` with {@link fetchHandler}.
 *
 * @example
 * ```ts
 * const server = serveFetch(() => Response.json({ ok: true }), { hostname: '127.0.0.1' });
 * const response = await fetch(server.url);
 * console.log(await response.json()); // { ok: true }
 * await server.close();
 * ```
 * @throws as these do.
 */
export function serveFetch(app: FetchApp, options: Omit<ServeOptions, 'fetch'> & FetchHandlerOptions = {}): HttpServer {
  const { env, overrideGlobals: overrides, ...rest } = options;
  const given: FetchHandlerOptions = { env };
  if (overrides !== undefined) given.overrideGlobals = overrides;
  return serve({ ...rest, fetch: fetchHandler(app, given) });
}

function functionOf(app: FetchApp): FetchFunction {
  if (typeof app === 'function') return app;
  checkObject(app, 'app');
  checkFunction(app.fetch, 'app.fetch');
  return (request, env, context) => app.fetch(request, env, context);
}
