import { MillraceError } from '../internal/errors.js';

/**
 * What a receiver gets once its channel is closed and drained. A symbol, because `undefined` may be a message.
 *
 * @example
 * ```ts
 * const [sender, receiver] = channel<string>(8);
 * sender.trySend('only one');
 * sender.close();
 * console.log(await receiver.recv()); // only one
 * console.log((await receiver.recv()) === CLOSED); // true
 * ```
 */
export const CLOSED: unique symbol = Symbol('millrace.closed');
export type Closed = typeof CLOSED;

/** What `tryRecv` gives while nothing has come and something still may. */
export const EMPTY: unique symbol = Symbol('millrace.empty');
export type Empty = typeof EMPTY;

export function channelClosed(action: string): MillraceError {
  return new MillraceError('ERR_MILLRACE_CHANNEL_CLOSED', `${action}: the channel is closed`);
}

export function syncClosed(action: string): MillraceError {
  return new MillraceError('ERR_MILLRACE_SYNC_CLOSED', `${action}: it is closed`);
}

export function released(what: string): MillraceError {
  return new MillraceError('ERR_MILLRACE_PERMIT_RELEASED', `${what} was released already`);
}
