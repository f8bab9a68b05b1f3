// Replies whose body is a file: conditional requests, ranges, and proof that the bytes are those that were announced.
import { checkObject, invalidType } from '../internal/errors.js';
import type { RangeLimits } from './conditional/index.js';
import { Fields, type FieldsInit } from './fields/index.js';
import {
  contentTypeOf,
  type DirectoryOptions,
  FilePieces,
  FileSource,
  planFile,
  StaticDirectory,
} from './files/index.js';
import { HttpError } from './http-errors.js';
import { Reply } from './reply.js';
import type { HttpRequest } from './request.js';

/** How a file is sent. */
export interface FileOptions {
  /** Content-Type. Default: by the file's name. */
  readonly type?: string;
  /** An entity tag in place of the one made of size and time of change; false: none. */
  readonly etag?: string | false;
  /** Send Last-Modified. Default: true. */
  readonly lastModified?: boolean;
  /** Heed Range (RFC 9110, 14). Default: true, with at most as many ranges as {@link RangeLimits} has by default. */
  readonly ranges?: boolean | RangeLimits;
  /** The value of Cache-Control. Default: none. */
  readonly cacheControl?: string;
  /** Further fields. */
  readonly headers?: FieldsInit;
}

/**
 * The reply for a file: 200, 206 with one range or several, 304, 412 or 416, as the request's fields ask (RFC 9110, 13 and 14).
 * Its size does not matter: pieces of it are read as the peer takes them. A file that changes while it is sent ends the
 * connection: a short body is never called complete.
 *
 * @example
 * ```ts
 * const server = serve({
 *   hostname: '127.0.0.1',
 *   fetch: (request) => sendFile(request, 'package.json', { cacheControl: 'no-cache' }),
 * });
 * const response = await fetch(server.url, { headers: { range: 'bytes=0-0' } });
 * console.log(response.status, await response.text()); // 206 {
 * await server.close();
 * ```
 * @param path whatever it is, it is sent: never give a path that a client made. {@link serveFiles} is for that.
 * @throws HttpError 404 for what is no file, 403 for what must not be read; errors of the system (EMFILE, EIO); TypeError.
 */
export async function sendFile(request: HttpRequest, path: string, options: FileOptions = {}): Promise<Reply> {
  if (typeof path !== 'string' || path === '') throw invalidType('path', 'the path of a file', path);
  checkObject(options, 'options');
  // The request may be over when the file is open.
  const asked = askedOf(request);
  return replyWith(asked, await FileSource.open(path), path, options);
}

/** Which files of a directory are sent, and how. */
export interface DirectoryFileOptions extends DirectoryOptions, Omit<FileOptions, 'type' | 'etag'> {}

/**
 * A handler that serves the files below `root`, for a route that ends with a wildcard; without a route, by the whole path. GET
 * and HEAD only. Nothing that a client sends leads out of the directory.
 *
 * @example
 * ```ts
 * const server = serve({ hostname: '127.0.0.1', routes: { '/code/*': serveFiles('lib') } });
 * const response = await fetch(`${server.url}/code/index.ts`);
 * console.log(response.status, response.headers.get('accept-ranges')); // 200 bytes
 * await server.close();
 * ```
 * @throws TypeError, RangeError naming the argument.
 */
export function serveFiles(root: string, options: DirectoryFileOptions = {}): (request: HttpRequest) => Promise<Reply> {
  const directory = new StaticDirectory(root, options);
  return async (request) => {
    const asked = askedOf(request);
    if (asked.method !== 'GET' && asked.method !== 'HEAD') {
      throw new HttpError(405, undefined, { headers: { Allow: 'GET, HEAD' } });
    }
    const { path, queryString } = request;
    const below = request.match === null ? path.slice(1) : request.match.wildcardOf(path);
    const found = await directory.resolve(below, path, queryString);
    if (found.kind === 'redirect') return Reply.redirect(found.location, 308);
    return replyWith(asked, found.source, found.name, options);
  };
}

interface Asked {
  readonly method: string;
  readonly fields: ReadonlyMap<string, string>;
}

const HEEDED = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range'];

function askedOf(request: HttpRequest): Asked {
  const fields = new Map<string, string>();
  for (const name of HEEDED) {
    const value = request.headers.get(name);
    if (value !== null) fields.set(name, value);
  }
  return { method: request.method, fields: fields as ReadonlyMap<string, string> };
}

async function replyWith(asked: Asked, source: FileSource, name: string, options: FileOptions): Promise<Reply> {
  const { type, headers, ...planned } = options;
  try {
    const request = { get: (field: string) => asked.fields.get(field) ?? null };
    const plan = planFile(asked.method, request, source, { ...planned, type: type ?? contentTypeOf(name) });
    const fields = plan.fields;
    for (const [field, value] of new Fields(headers)) fields.append(field, value);
    if (plan.status !== 304) fields.set('Content-Length', plan.length);
    if (plan.sections.length === 0) {
      await source.close();
      return new Reply(null, { status: plan.status, headers: fields });
    }
    return new Reply(new FilePieces(source, plan), { status: plan.status, headers: fields });
  } catch (error) {
    await source.close();
    throw error;
  }
}
