// The forms of net.Server's `listen`.
import { invalidType } from '../../internal/errors.js';
import type { ServeOptions } from '../server.js';

type Place = Pick<
  ServeOptions,
  'port' | 'hostname' | 'unix' | 'fd' | 'backlog' | 'ipv6Only' | 'reusePort' | 'signal' | 'mode'
>;

/** As net.Server's, as far as it means something here. */
export interface ListenTarget {
  port?: number | string | undefined;
  host?: string | undefined;
  path?: string | undefined;
  fd?: number | undefined;
  backlog?: number | undefined;
  ipv6Only?: boolean | undefined;
  reusePort?: boolean | undefined;
  readableAll?: boolean | undefined;
  writableAll?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface ListenCall {
  readonly place: Place;
  readonly listener: (() => void) | null;
}

const PORT_MAX = 65_535;
const OWNER_ONLY = 0o600;
const READABLE_BY_ALL = 0o044;
const WRITABLE_BY_ALL = 0o022;

/** `listen([port[, host[, backlog]]][, callback])`, `listen(path[, backlog][, callback])`, `listen(options[, callback])`. */
export function listenCall(values: readonly unknown[]): ListenCall {
  const last = values.at(-1);
  const listener = typeof last === 'function' ? (last as () => void) : null;
  const [first, ...rest] = listener === null ? values : values.slice(0, -1);
  const backlog = rest.find((value) => typeof value === 'number') as number | undefined;
  if (typeof first === 'object' && first !== null) return { place: placeOf(first as ListenTarget), listener };
  if (typeof first === 'string' && !isNumber(first)) return { place: placeOf({ path: first, backlog }), listener };
  const host = typeof rest[0] === 'string' ? rest[0] : undefined;
  return { place: placeOf({ port: (first ?? 0) as number, host, backlog }), listener };
}

function placeOf(target: ListenTarget): Place {
  const { port, host, path, fd, backlog, ipv6Only, reusePort, signal } = target;
  const place: Place = {};
  if (path !== undefined && path !== null) {
    if (typeof path !== 'string') throw invalidType('options.path', 'a string', path);
    place.unix = path;
    if (target.readableAll || target.writableAll) {
      place.mode = OWNER_ONLY | (target.readableAll ? READABLE_BY_ALL : 0) | (target.writableAll ? WRITABLE_BY_ALL : 0);
    }
  } else if (typeof fd === 'number') {
    place.fd = fd;
  } else {
    place.port = portOf(port);
    if (host) place.hostname = host;
    if (ipv6Only !== undefined) place.ipv6Only = ipv6Only;
    if (reusePort !== undefined) place.reusePort = reusePort;
  }
  if (backlog !== undefined && backlog > 0) place.backlog = backlog;
  if (signal !== undefined) place.signal = signal;
  return place;
}

function portOf(port: unknown): number {
  if (port === undefined || port === null) return 0;
  const number = typeof port === 'string' && port.trim() !== '' ? Number(port) : port;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= PORT_MAX) return number;
  const error = new RangeError(`options.port should be >= 0 and < 65536. Received ${String(port)}.`);
  throw Object.assign(error, { code: 'ERR_SOCKET_BAD_PORT' });
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number(text) >= 0;
}
