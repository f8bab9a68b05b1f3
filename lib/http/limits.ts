// Every limit of a server, in one place. The defaults are safe for a server that faces the internet.
import { checkInteger, checkObject, outOfRange, shown } from '../internal/errors.js';
import { HTTP_CHUNK_EXTENSION_BYTES_MAX, HTTP_FIELDS_MAX, HTTP_HEAD_BYTES_MAX } from '../internal/http-layout.js';

const COUNT_MAX = 2 ** 31 - 1;
/** The empty line that ends them is one of them. */
const TRAILER_BYTES_MIN = 2;
const MS_MAX = 2 ** 30;

/** What a peer may cost. All are checked when the server is made; 0 switches a time limit off. */
export interface HttpLimits {
  /** Bytes of the request line; 414 above. 64 to `headBytes`, default 8,192, or `headBytes` if that is less. */
  requestLineBytes: number;
  /** Bytes of the request line and all fields; 431 above. 64 to 65,000, default 16,384. */
  headBytes: number;
  /** Fields of a head, and of trailers; 431 above. 1 to 4,096, default 100. */
  fields: number;
  /** Bytes of a body that `text`, `json`, `bytes` and `formData` read; 413 above. 0 to 2^31 - 1, default 1 MiB. */
  bodyBytes: number;
  /** Bytes of all chunk extensions of one body; 413 above. 0 to 2^30, default 16 KiB. */
  chunkExtensionBytes: number;
  /** Bytes of the trailers of one body, with the empty line that ends them; 431 above. 2 to 65,000, default 16 KiB. */
  trailerBytes: number;
  /** Milliseconds for a head, from its first byte, or from the connection's beginning; 408. Default 10,000. */
  headMs: number;
  /** Bytes a second that a body has to bring, as a mean, once `bodyGraceMs` are over; 408 below. 0: none. Default 1,024. */
  bodyBytesPerSecond: number;
  /** Milliseconds for which a body may be slow. Default 5,000. */
  bodyGraceMs: number;
  /** Milliseconds for a whole request, head and body; 408. Default 300,000. */
  requestMs: number;
  /** Milliseconds that a connection may be idle between requests; it is closed then. Default 65,000. */
  keepAliveMs: number;
  /** Milliseconds for which bytes of a reply wait and none leaves; the connection is reset then. Default 30,000. */
  writeStallMs: number;
  /** Requests of one connection that are handled at the same time; more wait. 1 to 1,024, default 16. */
  pipelineDepth: number;
  /** Connections; accepting pauses above. 1 to 2^31 - 1, which is the default. */
  connections: number;
  /** Requests of one connection, after which it is closed. 1 to 2^31 - 1, which is the default. */
  requestsPerConnection: number;
  /** Requests whose handlers have not answered yet; more are queued. 1 to 2^31 - 1, default 10,000. */
  concurrentRequests: number;
  /** Requests that wait for a handler; more are refused with 503 and Retry-After. 0 to 2^31 - 1, default 1,000. */
  queuedRequests: number;
}

export const DEFAULT_LIMITS: Readonly<HttpLimits> = {
  requestLineBytes: 8192,
  headBytes: 16_384,
  fields: 100,
  bodyBytes: 1024 * 1024,
  chunkExtensionBytes: 16_384,
  trailerBytes: 16_384,
  headMs: 10_000,
  bodyBytesPerSecond: 1024,
  bodyGraceMs: 5_000,
  requestMs: 300_000,
  keepAliveMs: 65_000,
  writeStallMs: 30_000,
  pipelineDepth: 16,
  connections: COUNT_MAX,
  requestsPerConnection: COUNT_MAX,
  concurrentRequests: 10_000,
  queuedRequests: 1_000,
};

const RANGES: Readonly<Record<keyof HttpLimits, readonly [min: number, max: number]>> = {
  requestLineBytes: [64, HTTP_HEAD_BYTES_MAX],
  headBytes: [64, HTTP_HEAD_BYTES_MAX],
  fields: [1, HTTP_FIELDS_MAX],
  bodyBytes: [0, COUNT_MAX],
  chunkExtensionBytes: [0, HTTP_CHUNK_EXTENSION_BYTES_MAX],
  trailerBytes: [TRAILER_BYTES_MIN, HTTP_HEAD_BYTES_MAX],
  headMs: [0, MS_MAX],
  bodyBytesPerSecond: [0, COUNT_MAX],
  bodyGraceMs: [0, MS_MAX],
  requestMs: [0, MS_MAX],
  keepAliveMs: [0, MS_MAX],
  writeStallMs: [0, MS_MAX],
  pipelineDepth: [1, 1024],
  connections: [1, COUNT_MAX],
  requestsPerConnection: [1, COUNT_MAX],
  concurrentRequests: [1, COUNT_MAX],
  queuedRequests: [0, COUNT_MAX],
};

/** The limits of a server: the defaults with what is given. @throws TypeError, RangeError naming the limit. */
export function limitsOf(given: Partial<HttpLimits> | undefined): HttpLimits {
  const limits: HttpLimits = { ...DEFAULT_LIMITS };
  if (given === undefined) return limits;
  checkObject(given, 'options.limits');
  for (const [name, value] of Object.entries(given)) {
    const range = RANGES[name as keyof HttpLimits] as readonly [number, number] | undefined;
    if (range === undefined) throw outOfRange('options.limits', `made of ${Object.keys(RANGES).join(', ')}`, name);
    if (value === undefined) continue;
    checkInteger(value, `options.limits.${name}`, range[0], range[1]);
    limits[name as keyof HttpLimits] = value;
  }
  if (given.requestLineBytes === undefined) {
    limits.requestLineBytes = Math.min(limits.requestLineBytes, limits.headBytes);
  }
  if (limits.requestLineBytes > limits.headBytes) {
    throw outOfRange(
      'options.limits.requestLineBytes',
      `at most headBytes (${shown(limits.headBytes)})`,
      limits.requestLineBytes,
    );
  }
  return limits;
}
