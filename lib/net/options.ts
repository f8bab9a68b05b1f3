import { checkInteger, checkObject, invalidType } from '../internal/errors.js';
import type { SocketHandlers, SocketOptions } from './socket.js';

const HANDLERS: readonly (keyof SocketHandlers)[] = ['open', 'data', 'drain', 'end', 'error', 'close'];

/** Checks what `listen` and `connect` have in common. */
export function checkSocketOptions(options: SocketHandlers & SocketOptions): void {
  checkObject(options, 'options');
  for (const name of HANDLERS) {
    const handler = options[name];
    if (handler !== undefined && typeof handler !== 'function')
      throw invalidType(`options.${name}`, 'a function', handler);
  }
  if (options.highWaterMark !== undefined) checkInteger(options.highWaterMark, 'options.highWaterMark', 1, 2 ** 30);
  if (options.writeLimit !== undefined) checkInteger(options.writeLimit, 'options.writeLimit', 1, 2 ** 31 - 1);
  checkBoolean(options.allowHalfOpen, 'options.allowHalfOpen');
}

export function checkBoolean(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(name, 'a boolean', value);
}

export function checkHost(value: unknown, name: string): asserts value is string | undefined {
  if (value !== undefined && (typeof value !== 'string' || value === ''))
    throw invalidType(name, 'a host name or IP address', value);
}
