import { checkSignal, type SignalOption } from '../../internal/cancel.js';
import { checkFunction, checkInteger, checkObject, invalidType, outOfRange } from '../../internal/errors.js';
import {
  DATAGRAM_BYTES_MAX,
  DATAGRAM_OPTION_BROADCAST,
  DATAGRAM_OPTION_MULTICAST_LOOP,
  DATAGRAM_OPTION_MULTICAST_TTL,
  DATAGRAM_OPTION_RECEIVE_BUFFER,
  DATAGRAM_OPTION_SEND_BUFFER,
  DATAGRAM_OPTION_TTL,
} from '../../internal/layout.js';
import type { LookupFunction } from '../lookup.js';
import { checkBoolean, checkHost } from '../options.js';
import type { Datagram } from './datagram.js';
import type { UdpSocket } from './socket.js';

/** Called with the socket's events. What one of them throws destroys the socket and goes to `error`. */
export interface UdpHandlers {
  /** A datagram has come; it is on loan until the handler returns. Without this handler, `receive` gets it. */
  message?(socket: UdpSocket, datagram: Datagram): void;
  /**
   * The network told an error: nobody listens at the peer's port (`ECONNREFUSED`, on connected sockets), there is no route
   * (`ENETUNREACH`), a broadcast was not allowed (`EACCES`). The socket lives on. `error.address` and `error.port` tell
   * the destination where it is known. Without this handler `receive` throws it, in its turn.
   */
  error?(socket: UdpSocket, error: Error): void;
  /** What waited to be sent has left down to the low watermark, after a `send` that was told to wait. */
  drain?(socket: UdpSocket): void;
  /** The last thing. `lostDatagrams` were given to `send`, and the kernel never took them. */
  close?(socket: UdpSocket, lostDatagrams: number): void;
}

/** What can be set at any time with `setOptions`. */
export interface UdpSettings {
  /** Allow sending to broadcast addresses. Default: false. */
  broadcast?: boolean;
  /** Hops that a datagram may take, 1 to 255. Default: the system's, 64. */
  ttl?: number;
  /** The same for multicast, 0 to 255. Default: 1, the local network. */
  multicastTtl?: number;
  /** Whether what is sent to a group comes back to receivers on this machine. Default: true. */
  multicastLoop?: boolean;
  /** The interface, by its name or one of its addresses, that multicast leaves through. Default: the system's. */
  multicastInterface?: string;
  /** Bytes of the kernel's buffer for what was received. The kernel has a limit, and counts its own overhead. */
  receiveBufferSize?: number;
  /** Bytes of the kernel's buffer for what is to be sent. */
  sendBufferSize?: number;
}

export interface UdpOptions extends UdpHandlers, UdpSettings {
  /** Longer datagrams are truncated, and `datagram.truncated` tells. 1 to 65,535 (default): nothing is truncated. */
  maxDatagramBytes?: number;
  /**
   * Bytes that may wait to be sent because the kernel has no room, before a `send` is told to wait; and of received ones
   * before receiving pauses and the kernel drops what comes. Each datagram counts 64 more. Default: 256 KiB.
   */
  highWaterMark?: number;
  /** What must be left of them before it goes on. 0 to `highWaterMark`, default a quarter of it. */
  lowWaterMark?: number;
  /** Bytes that wait to be sent above which `send` throws, because nobody heeds the high watermark. Default: 16 MiB. */
  sendLimit?: number;
}

/** Which host, and how its name is resolved. */
export interface HostOptions extends SignalOption {
  /** Only the host's IPv4 addresses (4), or only its IPv6 ones (6). Default 0: both, in the resolver's order. */
  family?: 0 | 4 | 6;
  /** Resolves names in the place of Node's resolver and of the cache: has `dns.lookup`'s signature, or gives a promise. */
  lookup?: LookupFunction;
}

export interface BindUdpOptions extends UdpOptions, HostOptions {
  /** 0 to 65535; 0 (default) takes a free one, which `socket.port` tells. */
  port?: number;
  /** The address to bind to, or a name that has one. Default: all addresses, `::` where there is IPv6. */
  host?: string;
  /** With `::`: IPv6 only. Default: false. */
  ipv6Only?: boolean;
  /** Let several sockets have the port, of which one, or for multicast each, gets a datagram. Default: false. */
  reuseAddr?: boolean;
  /** Let several sockets, in other threads or processes, share the port; the kernel spreads the peers. Default: false. */
  reusePort?: boolean;
}

export interface ConnectUdpOptions extends UdpOptions, HostOptions {
  /** 1 to 65535. */
  port: number;
  /**
   * An IP address, or a name: its first address to which there is a route. `localhost` is `::1` first; UDP cannot tell
   * that a server listens on `127.0.0.1` only. Default: 127.0.0.1.
   */
  host?: string;
  /** The address to send from. Default: the system's choice. */
  localAddress?: string;
  /** The port to send from. Default: 0, a free one. */
  localPort?: number;
}

/** Of a group: which network it is joined on, and whose datagrams are wanted. */
export interface MembershipOptions {
  /** The interface, by its name or one of its addresses. Default: the system's choice. */
  interface?: string;
  /** Only from this IP address (source-specific multicast, RFC 4607). Default: from anybody. */
  source?: string;
}

export const HIGH_WATER_MARK = 256 * 1024;
export const SEND_LIMIT = 16 * 1024 * 1024;

/** The setting's number at the border, and how it is checked. */
export const SETTINGS: readonly [
  name: Exclude<keyof UdpSettings, 'multicastInterface'>,
  option: number,
  min: number,
  max: number,
][] = [
  ['broadcast', DATAGRAM_OPTION_BROADCAST, 0, 1],
  ['ttl', DATAGRAM_OPTION_TTL, 1, 255],
  ['multicastTtl', DATAGRAM_OPTION_MULTICAST_TTL, 0, 255],
  ['multicastLoop', DATAGRAM_OPTION_MULTICAST_LOOP, 0, 1],
  ['receiveBufferSize', DATAGRAM_OPTION_RECEIVE_BUFFER, 1, 2 ** 30],
  ['sendBufferSize', DATAGRAM_OPTION_SEND_BUFFER, 1, 2 ** 30],
];

const HANDLERS: readonly (keyof UdpHandlers)[] = ['message', 'error', 'drain', 'close'];

export function checkSettings(settings: UdpSettings): void {
  checkObject(settings, 'options');
  for (const [name, , min, max] of SETTINGS) {
    const value = settings[name];
    if (value === undefined) continue;
    if (name === 'broadcast' || name === 'multicastLoop') checkBoolean(value, `options.${name}`);
    else checkInteger(value, `options.${name}`, min, max);
  }
  checkInterface(settings.multicastInterface, 'options.multicastInterface');
}

export function checkUdpOptions(options: UdpOptions): void {
  checkSettings(options);
  for (const name of HANDLERS) {
    const handler = options[name];
    if (handler !== undefined && typeof handler !== 'function')
      throw invalidType(`options.${name}`, 'a function', handler);
  }
  if (options.maxDatagramBytes !== undefined)
    checkInteger(options.maxDatagramBytes, 'options.maxDatagramBytes', 1, DATAGRAM_BYTES_MAX);
  if (options.highWaterMark !== undefined) checkInteger(options.highWaterMark, 'options.highWaterMark', 1, 2 ** 30);
  if (options.lowWaterMark !== undefined)
    checkInteger(options.lowWaterMark, 'options.lowWaterMark', 0, options.highWaterMark ?? HIGH_WATER_MARK);
  if (options.sendLimit !== undefined) checkInteger(options.sendLimit, 'options.sendLimit', 1, 2 ** 30);
}

export function checkHostOptions({ host, family, lookup, signal }: HostOptions & { host?: string }): void {
  checkHost(host, 'options.host');
  if (family !== undefined && family !== 0 && family !== 4 && family !== 6)
    throw outOfRange('options.family', '0, 4 or 6', family);
  if (lookup !== undefined) checkFunction(lookup, 'options.lookup');
  if (signal !== undefined) checkSignal(signal, 'options.signal');
}

export function checkInterface(value: unknown, name: string): void {
  if (value !== undefined && (typeof value !== 'string' || value === '' || value.includes('\0')))
    throw invalidType(name, 'the name or an address of an interface', value);
}
