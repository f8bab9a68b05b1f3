import { checkSignal, type SignalOption } from '../internal/cancel.js';
import { checkFunction, checkInteger, invalidType } from '../internal/errors.js';
import { checkPath } from './connect-options.js';
import type { SocketHandlers } from './handlers.js';
import type { Listener } from './listener.js';
import { checkBoolean, checkHost, checkSocketOptions, type SocketOptions } from './options.js';

/** What `listen` takes: `port` and `host`, or `path`, or `fd`. */
export interface ListenOptions extends SocketHandlers, SocketOptions, SignalOption {
  /** 0 to 65535; 0 (default) takes a free one, which `listener.port` tells. */
  port?: number;
  /** The address to listen on, or a name that has one. Default: all addresses, `::` where there is IPv6. */
  host?: string;
  /** A Unix domain socket instead: its file, or an abstract name (Linux) that begins with `\0`. */
  path?: string;
  /** Who may connect to the socket file of `path`: 1 to 0o777. Default: what the umask leaves. */
  mode?: number;
  /** A listening descriptor instead, which this process has inherited or detached; it belongs to the listener then. */
  fd?: number;
  /** Connections that the kernel keeps for us before we accept them: 1 to 65535. Default 511, as in Node. */
  backlog?: number;
  /** With `::`: IPv6 connections only. Default: false. */
  ipv6Only?: boolean;
  /** Let several listeners, in other threads or processes, share the port (SO_REUSEPORT, socket(7)). Default: false. */
  reusePort?: boolean;
  /** Accepting pauses while so many sockets of this listener are open: 1 to 2^31 - 1. Default: no limit. */
  maxConnections?: number;
  /** The listener is closing or was detached; called once. Tell the sockets (`listener.sockets()`) what to do. */
  closing?(listener: Listener): void;
  /** Something went wrong with accepting (EMFILE); it goes on by itself. Without this it is a process warning. */
  listenError?(error: Error): void;
}

export const CONNECTIONS_MAX = 2 ** 31 - 1;

const OF_NO_FILE = ['port', 'host', 'ipv6Only', 'reusePort'] as const;
const OF_NO_DESCRIPTOR = [...OF_NO_FILE, 'path', 'mode', 'backlog'] as const;

/** @throws TypeError, RangeError naming the option. */
export function checkListenOptions(options: ListenOptions): void {
  checkSocketOptions(options);
  const { port, host, path, mode, fd, backlog, maxConnections, closing, listenError, signal } = options;
  if (port !== undefined) checkInteger(port, 'options.port', 0, 65535);
  checkHost(host, 'options.host');
  if (path !== undefined) checkPath(path);
  if (mode !== undefined) checkInteger(mode, 'options.mode', 1, 0o777);
  if (fd !== undefined) checkInteger(fd, 'options.fd', 0, 2 ** 31 - 1);
  if (backlog !== undefined) checkInteger(backlog, 'options.backlog', 1, 65535);
  checkBoolean(options.ipv6Only, 'options.ipv6Only');
  checkBoolean(options.reusePort, 'options.reusePort');
  if (maxConnections !== undefined) checkInteger(maxConnections, 'options.maxConnections', 1, CONNECTIONS_MAX);
  if (closing !== undefined) checkFunction(closing, 'options.closing');
  if (listenError !== undefined) checkFunction(listenError, 'options.listenError');
  if (signal !== undefined) checkSignal(signal, 'options.signal');
  if (fd !== undefined) checkLeftOut(options, OF_NO_DESCRIPTOR, 'options.fd');
  else if (path !== undefined) checkLeftOut(options, OF_NO_FILE, 'options.path');
  if (mode !== undefined && (path === undefined || path.startsWith('\0')))
    throw invalidType('options.mode', "left out where options.path is no file's", mode);
}

function checkLeftOut(options: ListenOptions, names: readonly (keyof ListenOptions)[], where: string): void {
  for (const name of names) {
    const value = options[name];
    if (value !== undefined && value !== false)
      throw invalidType(`options.${name}`, `left out where there is ${where}`, value);
  }
}
