// What net.Socket's `connect` takes, as our own `connect` takes it.
import type { LookupFunction as NodeLookup, SocketConnectOpts } from 'node:net';
import { invalidType } from '../internal/errors.js';
import type { ConnectOptions } from './connect-options.js';
import type { LookupFunction } from './lookup.js';

/** As net.Socket's: options, a port (also as text) with perhaps a host, or a path. */
export type ConnectTarget = SocketConnectOpts | number | string;

/** Options of a net.Socket that its `connect` may be given too. */
export interface StreamSettings {
  noDelay?: boolean | undefined;
  keepAlive?: boolean | undefined;
  keepAliveInitialDelay?: number | undefined;
  timeout?: number | undefined;
}

interface Place extends StreamSettings {
  path?: string | null;
  port?: number | string;
  host?: string | null;
  family?: number | null;
  localAddress?: string | null;
  localPort?: number | null;
  lookup?: NodeLookup | null;
}

/** @throws TypeError */
export function placeOf(target: ConnectTarget, host: string | undefined): Place {
  if (typeof target === 'object' && target !== null) return target as Place;
  if (typeof target === 'string' && !isPort(target)) return { path: target };
  if (typeof target !== 'number' && typeof target !== 'string')
    throw invalidType('options', 'an object, a port or a path', target);
  return host === undefined ? { port: target } : { port: target, host };
}

/** @throws TypeError, RangeError naming the option, when they are checked. */
export function connectOptions({ path, port, host, family, localAddress, localPort, lookup }: Place): ConnectOptions {
  if (path) return { path };
  return {
    port: typeof port === 'string' && isPort(port) ? Number(port) : (port as number),
    ...(host ? { host } : {}),
    ...(family ? { family: family as 4 | 6 } : {}),
    ...(localAddress ? { localAddress } : {}),
    ...(localPort ? { localPort } : {}),
    ...(lookup ? { lookup: lookup as LookupFunction } : {}),
  };
}

function isPort(text: string): boolean {
  return /^\d+$/.test(text);
}
