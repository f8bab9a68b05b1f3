import { checkObject } from '../../internal/errors.js';
import { Endpoint, encodedPath, type RouteTarget } from './endpoint.js';
import { HostTable } from './hosts.js';
import { RouteMatch } from './match.js';
import { decodePath, parsePattern } from './pattern.js';
import { RouteTree } from './tree.js';

/**
 * Routes by pattern. A pattern is a path whose segments are text, `:name` (one segment, not empty) or, at the end, `*` or
 * `*name` (whatever follows, also nothing, slashes too). Text goes before a parameter, that before a wildcard. Paths are
 * compared with regard to case, to slashes at the end, and after percent-decoding.
 */
export type Routes<T> = { readonly [pattern: string]: RouteTarget<T> };

export interface RouteTableOptions<T> {
  /** Routes of every host. */
  readonly routes?: Routes<T>;
  /**
   * Routes of certain hosts: `api.example.com`, or `*.example.com` for whatever is below it. They go before `routes`; the
   * longer name before the shorter. Without port.
   */
  readonly hosts?: { readonly [host: string]: Routes<T> };
}

/** One route, as `entries` tells it. */
export interface RouteEntry<T> {
  /** '' for every host; may begin with `*.`. */
  readonly host: string;
  readonly pattern: string;
  /** The path as requests write it, percent-encoded; null for a pattern with parameters. */
  readonly path: string | null;
  /** By method; `*` is for every other one. HEAD is there where GET is. */
  readonly handlers: ReadonlyMap<string, T>;
}

const NOTHING: readonly number[] = [];
const NOT_FOUND = new RouteMatch<never>('not-found', null, null, '', false, '', NOTHING);
const MALFORMED = new RouteMatch<never>('malformed', null, null, '', false, '', NOTHING);

/**
 * A table of routes, compiled once and never changed: to replace routes is to take another table.
 *
 * `T` is whatever a route leads to. A function answers every method; an object without a class is a table of methods; all
 * else (a string, a `Response`) is a static reply, which answers GET and HEAD.
 *
 * @example
 * ```ts
 * const table = new RouteTable<() => string>({
 *   routes: {
 *     '/users/:id': { GET: () => 'a user', DELETE: () => 'gone' },
 *     '/files/*path': () => 'a file',
 *   },
 * });
 * console.log(table.match('GET', '', '/users/7').params.id); // 7
 * console.log(table.match('POST', '', '/users/7').allow); // DELETE, GET, HEAD, OPTIONS
 * console.log(table.match('GET', '', '/files/a/b').params.path); // a/b
 * ```
 */
export class RouteTable<T> {
  readonly #hosts: HostTable<RouteTree<T>>;

  /** @throws MillraceError `ERR_MILLRACE_HTTP_ROUTE` naming the pattern, or both where two stand for the same requests. */
  constructor(options: RouteTableOptions<T>) {
    checkObject(options, 'options');
    const { routes = {}, hosts = {} } = options;
    checkObject(hosts, 'options.hosts');
    this.#hosts = new HostTable(treeOf(routes, '', 'options.routes'));
    for (const [host, table] of Object.entries(hosts)) {
      this.#hosts.add(host, treeOf(table, host, `options.hosts[${JSON.stringify(host)}]`));
    }
  }

  /**
   * Looks up a request. Nothing is allocated for a static route.
   *
   * @param method in capital letters.
   * @param host the value of Host, with or without port; '' for none. Without regard to case.
   * @param path the path as it was sent, without query; `*` for OPTIONS of the server as a whole.
   * @param encoded whether there is a `%` in the path, where that is known.
   */
  match(method: string, host: string, path: string, encoded: boolean = path.includes('%')): RouteMatch<T> {
    let decoded = path;
    if (encoded) {
      const text = decodePath(path);
      if (text === null) return MALFORMED;
      decoded = text;
    }
    const trees = this.#hosts.find(host);
    for (let i = 0; i < trees.length; i++) {
      const match = (trees[i] as RouteTree<T>).find(method, decoded);
      if (match !== null) return match;
    }
    return refused(trees, method, decoded);
  }

  /** All routes: what a server prepares static replies from, and lists for people. */
  entries(): RouteEntry<T>[] {
    return this.#hosts.all().flatMap(([host, tree]) =>
      tree.endpoints.map((endpoint) => ({
        host,
        pattern: endpoint.pattern.text,
        path: endpoint.isStatic ? encodedPath(endpoint.pattern) : null,
        handlers: endpoint.handlers(),
      })),
    );
  }
}

/** The methods as Allow wants them: sorted, so that a reply is the same each time. */
export function allowOf(methods: Iterable<string>): string {
  return [...methods].sort().join(', ');
}

function refused<T>(trees: readonly RouteTree<T>[], method: string, path: string): RouteMatch<T> {
  const methods = new Set<string>();
  if (path === '*' && method === 'OPTIONS') {
    methods.add('OPTIONS');
    for (const { endpoints } of trees) for (const endpoint of endpoints) endpoint.addMethods(methods);
  } else {
    for (const tree of trees) tree.addMethods(path, methods);
  }
  if (methods.size === 0) return NOT_FOUND;
  const kind = method === 'OPTIONS' ? 'options' : 'method-not-allowed';
  return new RouteMatch<T>(kind, null, null, allowOf(methods), false, '', NOTHING);
}

function treeOf<T>(routes: Routes<T>, host: string, name: string): RouteTree<T> {
  checkObject(routes, name);
  const tree = new RouteTree<T>();
  for (const [text, target] of Object.entries(routes)) tree.add(new Endpoint(parsePattern(text), target), host);
  tree.compress();
  return tree;
}
