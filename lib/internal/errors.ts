// Every error that Millrace throws. Codes are stable: programs may switch on them; messages may change.

/** The codes of {@link MillraceError} that are not Node's own. */
export type MillraceErrorCode =
  | 'ERR_MILLRACE_ADDON'
  | 'ERR_MILLRACE_BACKEND'
  | 'ERR_MILLRACE_BUFFER_FOREIGN'
  | 'ERR_MILLRACE_BUFFER_RELEASED'
  | 'ERR_MILLRACE_CHANNEL_CLOSED'
  | 'ERR_MILLRACE_CHANNEL_LAGGED'
  | 'ERR_MILLRACE_CHUNK_DEAD'
  | 'ERR_MILLRACE_CONSUMED'
  | 'ERR_MILLRACE_HTTP'
  | 'ERR_MILLRACE_HTTP_BODY'
  | 'ERR_MILLRACE_HTTP_BODY_LIMIT'
  | 'ERR_MILLRACE_HTTP_FILE'
  | 'ERR_MILLRACE_HTTP_MEDIA_TYPE'
  | 'ERR_MILLRACE_HTTP_ROUTE'
  | 'ERR_MILLRACE_HTTP_REPLY'
  | 'ERR_MILLRACE_HTTP_REQUEST_OVER'
  | 'ERR_MILLRACE_INVALID_STATE'
  | 'ERR_MILLRACE_NOT_IN_FIBER'
  | 'ERR_MILLRACE_NOT_IN_TASK'
  | 'ERR_MILLRACE_PERMIT_RELEASED'
  | 'ERR_MILLRACE_READ_LIMIT'
  | 'ERR_MILLRACE_SCOPE_ENDED'
  | 'ERR_MILLRACE_SOCKET_CLOSED'
  | 'ERR_MILLRACE_SOCKET_LIMIT'
  | 'ERR_MILLRACE_SYNC_CLOSED'
  | 'ERR_MILLRACE_TIMEOUT'
  | 'ERR_MILLRACE_TLS'
  | 'ERR_MILLRACE_TLS_TRUNCATED'
  | 'ERR_MILLRACE_UNEXPECTED_END'
  | 'ERR_MILLRACE_YIELD';

/** An error of Millrace's own, told apart by its stable `code`. */
export class MillraceError extends Error {
  readonly code: string;

  constructor(code: MillraceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MillraceError';
    this.code = code;
  }
}

/** An error of the operating system: `code` is Node's own (`ECONNREFUSED`), `errno` the negative number. */
export class SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly address?: string;
  readonly port?: number;

  constructor(code: string, errno: number, syscall: string, detail: string, address?: string, port?: number) {
    const where = address === undefined ? '' : port === undefined ? ` ${address}` : ` ${address}:${port}`;
    super(`${syscall} ${code}${where}: ${detail}`);
    this.name = 'SystemError';
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (address !== undefined) this.address = address;
    if (port !== undefined) this.port = port;
  }
}

/** What a cancelled operation throws. `code` is `ABORT_ERR`, as in Node; the reason given to `abort` is the `cause`. */
export class AbortError extends Error {
  readonly code = 'ABORT_ERR';

  constructor(message = 'The operation was cancelled', reason?: unknown) {
    super(message, reason === undefined ? undefined : { cause: reason });
    this.name = 'AbortError';
  }
}

/** A time limit ran out. `code` is `ERR_MILLRACE_TIMEOUT`. */
export class TimeoutError extends Error {
  readonly code = 'ERR_MILLRACE_TIMEOUT';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TimeoutError';
  }
}

/** All that could be tried has failed: `errors` tells each, `code` is that of the first one, as Node has it. */
export class AllFailedError extends AggregateError {
  readonly code: string | undefined;

  constructor(errors: readonly Error[], message: string) {
    super(errors, message);
    this.name = 'AggregateError';
    this.code = (errors[0] as { code?: string } | undefined)?.code;
  }
}

/**
 * The AbortError for `reason`. Cancelling must stay cheap when a hundred thousand tasks are cancelled at once, so it
 * carries no stack: the stack of a cancellation is where the program happened to wait, which the task dump tells.
 */
export function abortError(reason: unknown): Error {
  if (reason instanceof AbortError || reason instanceof TimeoutError) return reason;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new AbortError(undefined, reason);
  Error.stackTraceLimit = limit;
  return error;
}

/** How an argument's value is shown in a message: short, never throwing. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return value.name === '' ? 'a function' : `function ${value.name}`;
    case 'symbol':
      return value.toString();
    case 'object': {
      if (value === null) return 'null';
      if (Array.isArray(value)) return `an array of ${value.length}`;
      const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
      return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object';
    }
    default:
      return String(value);
  }
}

export function checkFunction(value: unknown, name: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value);
}

export function checkObject(value: unknown, name: string): asserts value is object {
  if (value === null || typeof value !== 'object') throw invalidType(name, 'an object', value);
}

/** A TypeError with Node's own code. */
export function invalidType(name: string, expected: string, value: unknown): TypeError {
  const error = new TypeError(`${name} must be ${expected}; got ${shown(value)}`) as TypeError & { code: string };
  error.code = 'ERR_INVALID_ARG_TYPE';
  return error;
}

/** A RangeError with Node's own code. */
export function outOfRange(name: string, expected: string, value: unknown): RangeError {
  const error = new RangeError(`${name} must be ${expected}; got ${shown(value)}`) as RangeError & { code: string };
  error.code = 'ERR_OUT_OF_RANGE';
  return error;
}

export function checkInteger(value: unknown, name: string, min: number, max: number): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(name, `an integer from ${min} to ${max}`, value);
  }
}
