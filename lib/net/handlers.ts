import type { Chunk } from './chunk.js';
import type { Socket } from './socket.js';
import type { SocketTimeoutError } from './timeouts.js';

/** Called with the socket's events. What one of them throws destroys the socket and goes to `error`. */
export interface SocketHandlers {
  /** The connection stands: accepted, or connected. */
  open?(socket: Socket): void;
  /** Bytes have come. The chunk is on loan until the handler returns. Without this handler, `read` gets the bytes. */
  data?(socket: Socket, chunk: Chunk): void;
  /** At most `lowWaterMark` bytes wait to be sent, after a write that was told to wait. Once for each crossing. */
  drain?(socket: Socket): void;
  /** The peer has ended its side. Unless `allowHalfOpen`, ours is ended too. */
  end?(socket: Socket): void;
  /** `idleTimeout` or `writeTimeout` ran out: you decide. Without this handler the socket is destroyed with the error. */
  timeout?(socket: Socket, error: SocketTimeoutError): void;
  /** Something failed; `close` follows. Without this handler, the reads and writes that wait are thrown the error. */
  error?(socket: Socket, error: Error): void;
  /** The last thing. `lostBytes` were written and never sent. */
  close?(socket: Socket, lostBytes: number): void;
}

export type DataHandler = NonNullable<SocketHandlers['data']>;
