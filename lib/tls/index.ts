// millrace/tls: TLS over TCP and Unix domain sockets.
export { connect } from './connect.js';
export { createSecureContext, SecureContext, type TlsContextOptions } from './context.js';
export type { TlsHandlers } from './handlers.js';
export { HandshakeTimeoutError, TruncatedError } from './handshake-errors.js';
export { listen } from './listen.js';
export type { TlsListener } from './listener.js';
export type {
  ConnectOptions,
  ListenOptions,
  TlsClientOptions,
  TlsOptions,
  TlsServerOptions,
  UpgradeOptions,
} from './options.js';
export type { CheckServerIdentity } from './peer-identity.js';
export type { SniOption } from './sni.js';
export { TlsSocket } from './socket.js';
export { upgrade } from './upgrade.js';
