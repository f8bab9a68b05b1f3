import { checkInteger, MillraceError, type MillraceErrorCode } from '../internal/errors.js';
import { reasonPhrase } from './status.js';

/** What an {@link HttpError} may be made with besides its status and message. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Default: `ERR_MILLRACE_HTTP`. */
  code?: MillraceErrorCode;
  /** Whether the peer may read the message. Default: true for 4xx, false for 5xx. */
  expose?: boolean;
  /** Fields of the reply that tells of it, as `{ 'retry-after': '10' }`. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * A failure that has a status: thrown by a handler it becomes that reply. Of 5xx the peer is told the status alone, unless
 * `expose` says otherwise: messages of the server's own failures are not for strangers.
 *
 * @example
 * ```ts
 * const error = new HttpError(404, 'No such user');
 * console.log(error.status, error.expose, error.message); // 404 true No such user
 * ```
 */
export class HttpError extends MillraceError {
  /** 400 to 599. */
  readonly status: number;
  /** Whether the peer may read the message. */
  readonly expose: boolean;
  /** Fields of the reply that tells of it. */
  readonly headers: Readonly<Record<string, string>> | undefined;

  /**
   * @param status an integer from 400 to 599.
   * @param message default: the status' reason phrase.
   * @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) for another status.
   */
  constructor(status: number, message?: string, options: HttpErrorOptions = {}) {
    checkInteger(status, 'status', 400, 599);
    super(options.code ?? 'ERR_MILLRACE_HTTP', message ?? (reasonPhrase(status) || `Status ${status}`), options);
    this.name = 'HttpError';
    this.status = status;
    this.expose = options.expose ?? status < 500;
    this.headers = options.headers;
  }

  /** What the peer is told: the message, or the reason phrase alone. */
  get publicMessage(): string {
    return this.expose ? this.message : reasonPhrase(this.status) || `Status ${this.status}`;
  }
}

/** The body is not what its type promises: 400. */
export function malformedBody(message: string, cause?: unknown): HttpError {
  return new HttpError(400, message, {
    code: 'ERR_MILLRACE_HTTP_BODY',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A body, or a part of it, is larger than allowed: 413. */
export function bodyTooLarge(what: string, limit: number): HttpError {
  return new HttpError(413, `${what} is over the limit of ${limit}`, { code: 'ERR_MILLRACE_HTTP_BODY_LIMIT' });
}

/** A body of another type than was asked for: 415. */
export function unsupportedType(expected: string, got: string | null | undefined): HttpError {
  const what = got === null || got === undefined || got === '' ? 'no Content-Type' : JSON.stringify(got.slice(0, 80));
  return new HttpError(415, `The body must be ${expected}; got ${what}`, { code: 'ERR_MILLRACE_HTTP_MEDIA_TYPE' });
}

/** A TypeError whose code says that what was given cannot stand in a reply. */
export function invalidField(message: string): TypeError {
  const error = new TypeError(message) as TypeError & { code: string };
  error.code = 'ERR_MILLRACE_HTTP_FIELD';
  return error;
}
