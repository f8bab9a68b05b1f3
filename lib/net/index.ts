// millrace/net: TCP.
export type { SocketAddress } from './address.js';
export { Chunk } from './chunk.js';
export { type ConnectOptions, connect } from './connect.js';
export type { Data } from './data.js';
export type { SocketDuplex, SocketDuplexOptions } from './duplex.js';
export { ReadHalf, WriteHalf } from './halves.js';
export type { SocketHandlers } from './handlers.js';
export { type Listener, type ListenOptions, listen } from './listen.js';
export type { KeepAlive, SocketOptions } from './options.js';
export { ReadLimitError, UnexpectedEndError } from './read-errors.js';
export { Socket } from './socket.js';
export { SocketTimeoutError } from './timeouts.js';
export type { WriteResult } from './written.js';
