import { isIP } from 'node:net';
import { checkDelay, checkSignal, type SignalOption } from '../internal/cancel.js';
import { checkFunction, checkInteger, invalidType, outOfRange } from '../internal/errors.js';
import type { Family } from './dns-cache.js';
import { ATTEMPT_DELAY_MS_MIN } from './happy-eyeballs.js';
import type { LookupFunction } from './lookup.js';
import { checkHost, checkSocketOptions } from './options.js';
import type { SocketHandlers, SocketOptions } from './socket.js';

/** What `connect` takes: `port` and perhaps `host`, or `path`. */
export interface ConnectOptions extends SocketHandlers, SocketOptions, SignalOption {
  /** 1 to 65535. */
  port?: number;
  /** A name or an IP address. Default: localhost. */
  host?: string;
  /** A Unix domain socket instead: its file, or an abstract name (Linux) that begins with `\0`. */
  path?: string;
  /** Only the host's IPv4 addresses (4), or only its IPv6 ones (6). Default 0: both. An IP address is what it is. */
  family?: 0 | 4 | 6;
  /** The IP address to connect from. Only addresses of its family are tried then. Default: the kernel chooses. */
  localAddress?: string;
  /** The port to connect from, 1 to 65535. Default 0: the kernel chooses. */
  localPort?: number;
  /** Resolves names in the place of Node's resolver and of the cache: has `dns.lookup`'s signature, or gives a promise. */
  lookup?: LookupFunction;
  /** Milliseconds for all of it: the lookup and every attempt. From 0 to 7.2e10; default: no limit. */
  connectTimeout?: number;
  /** How long an attempt has a host to itself before the next address is tried beside it: from 10 ms on, default 250. */
  attemptDelay?: number;
}

/** @throws TypeError, RangeError naming the option. */
export function checkConnectOptions(options: ConnectOptions): void {
  checkSocketOptions(options);
  checkPlace(options);
  const { family, localAddress, localPort, lookup, connectTimeout, attemptDelay, signal } = options;
  if (family !== undefined) checkFamily(family);
  if (localAddress !== undefined && (typeof localAddress !== 'string' || isIP(localAddress) === 0))
    throw invalidType('options.localAddress', 'an IP address', localAddress);
  if (localPort !== undefined) checkInteger(localPort, 'options.localPort', 0, 65535);
  if (lookup !== undefined) checkFunction(lookup, 'options.lookup');
  if (connectTimeout !== undefined) checkDelay(connectTimeout, 'options.connectTimeout');
  if (attemptDelay !== undefined) {
    checkDelay(attemptDelay, 'options.attemptDelay');
    if (attemptDelay < ATTEMPT_DELAY_MS_MIN)
      throw outOfRange('options.attemptDelay', `at least ${ATTEMPT_DELAY_MS_MIN} milliseconds`, attemptDelay);
  }
  if (signal !== undefined) checkSignal(signal, 'options.signal');
}

function checkPlace({ path, port, host }: ConnectOptions): void {
  if (path === undefined) {
    checkInteger(port, 'options.port', 1, 65535);
    checkHost(host, 'options.host');
    return;
  }
  checkPath(path);
  if (port !== undefined) throw invalidType('options.port', 'left out where there is options.path', port);
  if (host !== undefined) throw invalidType('options.host', 'left out where there is options.path', host);
}

/** A path, or NUL and an abstract name. How long it may be is the system's to say (ENAMETOOLONG). */
export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== 'string' || path === '' || path.indexOf('\0', 1) > 0)
    throw invalidType('options.path', 'a path, or NUL and an abstract name', path);
}

function checkFamily(family: unknown): asserts family is Family {
  if (typeof family !== 'number') throw invalidType('options.family', 'a number', family);
  if (family !== 0 && family !== 4 && family !== 6) throw outOfRange('options.family', '0, 4 or 6', family);
}
