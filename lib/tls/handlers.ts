import type { Buffer } from 'node:buffer';
import { checkObject, invalidType } from '../internal/errors.js';
import type { Chunk } from '../net/chunk.js';
import type { SocketTimeoutError } from '../net/timeouts.js';
import type { TlsSocket } from './socket.js';

/** Called with the socket's events, as those of `millrace/net`. What one of them throws destroys the socket. */
export interface TlsHandlers {
  /** The handshake has ended well. */
  open?(socket: TlsSocket): void;
  /** Bytes have come, decrypted. The chunk is on loan until the handler returns. Without this handler, `read` gets them. */
  data?(socket: TlsSocket, chunk: Chunk): void;
  /** At most `lowWaterMark` bytes wait to be sent, after a write that was told to wait. Once for each crossing. */
  drain?(socket: TlsSocket): void;
  /** The peer has ended its side with close_notify. Unless `allowHalfOpen`, ours is ended too. */
  end?(socket: TlsSocket): void;
  /** A client: the server has given a session, for the `session` option of a later `connect`. May come more than once. */
  newSession?(socket: TlsSocket, session: Buffer): void;
  /** `idleTimeout` or `writeTimeout` ran out: you decide. Without this handler the socket is destroyed with the error. */
  timeout?(socket: TlsSocket, error: SocketTimeoutError): void;
  /** Something failed; `close` follows. Without this handler, the reads and writes that wait are thrown the error. */
  error?(socket: TlsSocket, error: Error): void;
  /** The last thing. `lostBytes` were written and never sent. */
  close?(socket: TlsSocket, lostBytes: number): void;
}

export const HANDLERS: readonly (keyof TlsHandlers)[] = [
  'open',
  'data',
  'drain',
  'end',
  'newSession',
  'timeout',
  'error',
  'close',
];

export function checkHandlers(handlers: TlsHandlers, name: string): void {
  checkObject(handlers, name);
  for (const key of HANDLERS) {
    const handler = handlers[key];
    if (handler !== undefined && typeof handler !== 'function') {
      throw invalidType(`${name}.${key}`, 'a function', handler);
    }
  }
}
