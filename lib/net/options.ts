// What `listen` and `connect` have in common: checked once, and set at each socket's opening. And the same as methods.
import { constants } from 'node:os';
import { border } from '../internal/border.js';
import { checkDelay } from '../internal/cancel.js';
import { checkInteger, checkObject, invalidType, outOfRange, type SystemError } from '../internal/errors.js';
import {
  SOCKET_OPTION_KEEP_ALIVE,
  SOCKET_OPTION_KEEP_ALIVE_COUNT,
  SOCKET_OPTION_KEEP_ALIVE_IDLE,
  SOCKET_OPTION_KEEP_ALIVE_INTERVAL,
  SOCKET_OPTION_LINGER,
  SOCKET_OPTION_NO_DELAY,
  SOCKET_OPTION_RECEIVE_BUFFER,
  SOCKET_OPTION_SEND_BUFFER,
} from '../internal/layout.js';
import type { SocketHandlers } from './handlers.js';
import { systemError } from './system-error.js';

/** How the kernel finds out that a silent peer has gone (tcp(7)). What is left out is the system's. */
export interface KeepAlive {
  /** Seconds of silence before the first probe: 1 to 32,767. Linux: 7,200. */
  idle?: number;
  /** Seconds between two probes: 1 to 32,767. Linux: 75. */
  interval?: number;
  /** Probes without an answer after which the connection has failed with ETIMEDOUT: 1 to 127. Linux: 9. */
  count?: number;
}

export interface SocketOptions {
  /**
   * Bytes that may wait to be sent before a write is told to wait; and of received ones before reading pauses. 1 to 2^30,
   * default 65,536.
   */
  highWaterMark?: number;
  /** Bytes at which the writes that wait are done, and `drain` is called. 0 to `highWaterMark`, default a quarter of it. */
  lowWaterMark?: number;
  /** Bytes that wait to be sent above which a write throws, because nobody heeds the high watermark. Default 16 MiB. */
  writeLimit?: number;
  /** Keep our side open when the peer has ended its own. Default: false. */
  allowHalfOpen?: boolean;
  /** TCP: send small writes at once, without waiting for more (no Nagle). Default: true. */
  noDelay?: boolean;
  /** TCP: have the kernel ask silent peers whether they are there. Default: false. */
  keepAlive?: boolean | KeepAlive;
  /**
   * Seconds that closing waits in the kernel for what was sent to be acknowledged (SO_LINGER, socket(7)): 0 to 65,535. 0
   * makes every close a reset. Above 0 the close may hold up the whole thread for that long: rather `shutdown()` and
   * wait for the peer's end. Default: off.
   */
  linger?: number;
  /** The kernel's buffer for what we send, in bytes: 1 to 2^30. Linux takes twice that, within its limits. */
  sendBufferSize?: number;
  /** The kernel's buffer for what we receive, in bytes: 1 to 2^30. */
  receiveBufferSize?: number;
  /** Milliseconds without a byte either way after which the socket is timed out; 0 (default): never. */
  idleTimeout?: number;
  /** Milliseconds for which bytes wait to be sent and none leaves, after which it is timed out; 0 (default): never. */
  writeTimeout?: number;
}

export const HIGH_WATER_MARK = 64 * 1024;
export const WRITE_LIMIT = 16 * 1024 * 1024;
const BUFFER_BYTES_MAX = 2 ** 30;
const SECONDS_MAX = 32_767;

const HANDLERS: readonly (keyof SocketHandlers)[] = ['open', 'data', 'drain', 'end', 'timeout', 'error', 'close'];

/** What a socket is made with, and the kernel hears nothing of. */
export type SocketLimits = Pick<SocketOptions, 'highWaterMark' | 'lowWaterMark' | 'writeLimit' | 'allowHalfOpen'>;

export function checkLimits(options: SocketLimits): void {
  const { highWaterMark = HIGH_WATER_MARK, lowWaterMark, writeLimit } = options;
  checkInteger(highWaterMark, 'options.highWaterMark', 1, 2 ** 30);
  if (lowWaterMark !== undefined) checkInteger(lowWaterMark, 'options.lowWaterMark', 0, highWaterMark);
  if (writeLimit !== undefined) checkInteger(writeLimit, 'options.writeLimit', 1, 2 ** 31 - 1);
  checkBoolean(options.allowHalfOpen, 'options.allowHalfOpen');
}

/** Checks what `listen` and `connect` have in common. */
export function checkSocketOptions(options: SocketHandlers & SocketOptions): void {
  checkHandlers(options, 'options');
  checkLimits(options);
  const { sendBufferSize, receiveBufferSize } = options;
  checkBoolean(options.noDelay, 'options.noDelay');
  if (options.keepAlive !== undefined) checkKeepAlive(options.keepAlive, 'options.keepAlive');
  if (options.linger !== undefined) checkInteger(options.linger, 'options.linger', 0, 65_535);
  if (sendBufferSize !== undefined) checkBufferSize(sendBufferSize, 'options.sendBufferSize');
  if (receiveBufferSize !== undefined) checkBufferSize(receiveBufferSize, 'options.receiveBufferSize');
  if (options.idleTimeout !== undefined) checkDelay(options.idleTimeout, 'options.idleTimeout');
  if (options.writeTimeout !== undefined) checkDelay(options.writeTimeout, 'options.writeTimeout');
}

export function checkHandlers(handlers: SocketHandlers, name: string): void {
  checkObject(handlers, name);
  for (const key of HANDLERS) {
    const handler = handlers[key];
    if (handler !== undefined && typeof handler !== 'function')
      throw invalidType(`${name}.${key}`, 'a function', handler);
  }
}

export function checkBoolean(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(name, 'a boolean', value);
}

export function checkHost(value: unknown, name: string): asserts value is string | undefined {
  if (value !== undefined && (typeof value !== 'string' || value === ''))
    throw invalidType(name, 'a host name or IP address', value);
}

export function checkKeepAlive(value: boolean | KeepAlive, name: string): void {
  if (typeof value === 'boolean') return;
  if (value === null || typeof value !== 'object') throw invalidType(name, 'a boolean or an object', value);
  const { idle, interval, count } = value;
  if (idle !== undefined) checkInteger(idle, `${name}.idle`, 1, SECONDS_MAX);
  if (interval !== undefined) checkInteger(interval, `${name}.interval`, 1, SECONDS_MAX);
  if (count !== undefined) checkInteger(count, `${name}.count`, 1, 127);
}

/** The marks that `options` stand for. @throws RangeError where the low one is above the high one. */
export function lowWaterMarkOf(highWaterMark: number, lowWaterMark: number | undefined): number {
  const low = lowWaterMark ?? highWaterMark >>> 2;
  if (low > highWaterMark) throw outOfRange('lowWaterMark', `at most highWaterMark (${highWaterMark})`, low);
  return low;
}

export function checkBufferSize(value: unknown, name: string): asserts value is number {
  checkInteger(value, name, 1, BUFFER_BYTES_MAX);
}

/** Sets what `options` name; what is TCP's alone has no effect on a Unix socket. @throws SystemError */
export function applyOptions(handle: number, options: SocketOptions): void {
  const { noDelay, keepAlive, linger, sendBufferSize, receiveBufferSize } = options;
  if (linger !== undefined) setOption(handle, SOCKET_OPTION_LINGER, linger);
  if (sendBufferSize !== undefined) setOption(handle, SOCKET_OPTION_SEND_BUFFER, sendBufferSize);
  if (receiveBufferSize !== undefined) setOption(handle, SOCKET_OPTION_RECEIVE_BUFFER, receiveBufferSize);
  try {
    if (noDelay !== undefined) setOption(handle, SOCKET_OPTION_NO_DELAY, noDelay ? 1 : 0);
    if (keepAlive !== undefined) setKeepAlive(handle, keepAlive);
  } catch (error) {
    const { errno } = error as SystemError;
    if (errno !== -constants.errno.ENOTSUP && errno !== -constants.errno.EOPNOTSUPP) throw error;
  }
}

export function setKeepAlive(handle: number, keepAlive: boolean | KeepAlive): void {
  if (typeof keepAlive === 'boolean') {
    setOption(handle, SOCKET_OPTION_KEEP_ALIVE, keepAlive ? 1 : 0);
    return;
  }
  const { idle, interval, count } = keepAlive;
  // The times first: probes begin by what is set when they are switched on.
  if (idle !== undefined) setOption(handle, SOCKET_OPTION_KEEP_ALIVE_IDLE, idle);
  if (interval !== undefined) setOption(handle, SOCKET_OPTION_KEEP_ALIVE_INTERVAL, interval);
  if (count !== undefined) setOption(handle, SOCKET_OPTION_KEEP_ALIVE_COUNT, count);
  setOption(handle, SOCKET_OPTION_KEEP_ALIVE, 1);
}

export function getKeepAlive(handle: number): false | Required<KeepAlive> {
  if (getOption(handle, SOCKET_OPTION_KEEP_ALIVE) === 0) return false;
  return {
    idle: getOption(handle, SOCKET_OPTION_KEEP_ALIVE_IDLE),
    interval: getOption(handle, SOCKET_OPTION_KEEP_ALIVE_INTERVAL),
    count: getOption(handle, SOCKET_OPTION_KEEP_ALIVE_COUNT),
  };
}

export function setOption(handle: number, option: number, value: number): void {
  const error = border.open().setOption(handle, option, value);
  if (error < 0) throw systemError(error, 'setsockopt');
}

export function getOption(handle: number, option: number): number {
  const value = border.open().getOption(handle, option);
  if (value < 0 && (option !== SOCKET_OPTION_LINGER || value < -1)) throw systemError(value, 'getsockopt');
  return value;
}
