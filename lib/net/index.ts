// millrace/net: TCP, Unix domain sockets and UDP.
export type { SocketAddress } from './address.js';
export { Chunk } from './chunk.js';
export { connect } from './connect.js';
export type { ConnectOptions } from './connect-options.js';
export type { Data } from './data.js';
export { type DnsCache, type DnsCacheOptions, dnsCache, type LookupAddress } from './dns-cache.js';
export type { SocketDuplex, SocketDuplexOptions } from './duplex.js';
export { ReadHalf, WriteHalf } from './halves.js';
export type { SocketHandlers } from './handlers.js';
export { listen } from './listen.js';
export type { ListenOptions } from './listen-options.js';
export type { CloseOptions, Listener } from './listener.js';
export type { LookupFunction, LookupOptions, LookupResult } from './lookup.js';
export type { KeepAlive, SocketOptions } from './options.js';
export { ReadLimitError, UnexpectedEndError } from './read-errors.js';
export { Socket } from './socket.js';
export { SocketTimeoutError } from './timeouts.js';
export { bindUdp, connectUdp } from './udp/bind.js';
export { Datagram } from './udp/datagram.js';
export type {
  BindUdpOptions,
  ConnectUdpOptions,
  MembershipOptions,
  UdpHandlers,
  UdpOptions,
  UdpSettings,
} from './udp/options.js';
export { UdpPeer, udpPeer } from './udp/peer.js';
export { type UdpData, type UdpDestination, UdpSocket } from './udp/socket.js';
export type { WebStreams } from './web.js';
export type { WriteResult } from './written.js';
