// millrace/net: TCP.
export { Chunk } from './chunk.js';
export { type ConnectOptions, connect } from './connect.js';
export type { SocketDuplex, SocketDuplexOptions } from './duplex.js';
export { type Listener, type ListenOptions, listen } from './listen.js';
export { type Data, Socket, type SocketAddress, type SocketHandlers, type SocketOptions } from './socket.js';
