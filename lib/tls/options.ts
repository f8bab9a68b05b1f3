// The options of `connect`, `listen` and `upgrade`, checked and made into settings.
import { Buffer } from 'node:buffer';
import { isIP } from 'node:net';
import { checkDelay, checkSignal, type SignalOption } from '../internal/cancel.js';
import { checkFunction, invalidType } from '../internal/errors.js';
import type { ConnectOptions as NetConnectOptions } from '../net/connect-options.js';
import type { SocketHandlers } from '../net/handlers.js';
import type { ListenOptions as NetListenOptions } from '../net/listen-options.js';
import {
  checkBoolean,
  checkLimits,
  HIGH_WATER_MARK,
  lowWaterMarkOf,
  type SocketLimits,
  type SocketOptions,
  WRITE_LIMIT,
} from '../net/options.js';
import { contextOf, type SecureContext, type TlsContextOptions } from './context.js';
import { checkHandlers, HANDLERS, type TlsHandlers } from './handlers.js';
import type { TlsListener } from './listener.js';
import type { CheckServerIdentity } from './peer-identity.js';
import { checkSni, type SniOption } from './sni.js';
import type { TlsSettings } from './socket.js';

/** What both sides have. */
export interface TlsOptions extends TlsContextOptions, TlsHandlers {
  /** Keys, certificates and rules that were read before, in the place of the options that describe them. */
  secureContext?: SecureContext;
  /** Application protocols, the preferred one first (ALPN, RFC 7301). A server that knows none of a client's refuses it. */
  alpnProtocols?: readonly string[];
  /** A peer whose certificate is not in order is refused. Default: true. */
  rejectUnauthorized?: boolean;
  /** Milliseconds for the handshake; from 0 (no limit) to 7.2e10, default 30,000. */
  handshakeTimeout?: number;
}

export interface TlsClientOptions extends TlsOptions {
  /** The name to ask the server for (SNI), which its certificate has to be for. Default: `host`, if that is a name. */
  servername?: string;
  /** An earlier connection's `session` (handler `newSession`): shortens the handshake if the server still knows it. */
  session?: Uint8Array;
  /** Gives an Error for a certificate that is not the server's. Default: that of node:tls, by RFC 6125. */
  checkServerIdentity?: CheckServerIdentity;
}

export interface TlsServerOptions extends TlsOptions {
  /** Ask clients for a certificate. With `rejectUnauthorized` those without a good one are refused. Default: false. */
  requestCert?: boolean;
  /** Other certificates for other names: see {@link SniOption}. */
  sni?: SniOption;
}

/** `connect`'s: those of `connect` of `millrace/net`, and those of TLS. */
export interface ConnectOptions extends TlsClientOptions, Omit<NetConnectOptions, keyof SocketHandlers> {}

/** `listen`'s: those of `listen` of `millrace/net`, and those of TLS. */
export interface ListenOptions extends TlsServerOptions, Omit<NetListenOptions, keyof SocketHandlers | 'closing'> {
  /** The listener is closing or was detached; called once. Tell the sockets (`listener.sockets()`) what to do. */
  closing?(listener: TlsListener): void;
  /**
   * A connection was refused, or gone, before its handshake had ended. That happens all the time, and concerns nobody
   * but that client: without this handler it is only counted.
   */
  handshakeError?(error: Error, remoteAddress: string | null): void;
}

export interface UpgradeOptions extends TlsClientOptions, Omit<TlsServerOptions, keyof TlsOptions>, SignalOption {
  /** Be the server of the handshake. Default: false, the client. */
  server?: boolean;
  /** Bytes that were read from the socket already and belong to the handshake. */
  head?: Uint8Array;
  highWaterMark?: number;
  lowWaterMark?: number;
  writeLimit?: number;
  allowHalfOpen?: boolean;
}

const HANDSHAKE_TIMEOUT_MS = 30_000;
const ALPN_BYTES_MAX = 255;
/** The plain socket of a connection refuses nothing by itself: ciphertext must not be lost. */
const NO_LIMIT = 2 ** 31 - 1;

/** What the plain socket is made with. */
export function netOptionsOf<O extends TlsOptions & SocketOptions>(options: O): Omit<O, keyof TlsHandlers> {
  const own = { ...options, writeLimit: NO_LIMIT } as unknown as Record<string, unknown>;
  for (const name of HANDLERS) delete own[name];
  return own as unknown as Omit<O, keyof TlsHandlers>;
}

export function clientSettings(options: TlsClientOptions & SocketLimits, host: string | undefined): TlsSettings {
  const { servername, session, checkServerIdentity } = options;
  if (servername !== undefined && (typeof servername !== 'string' || servername === '' || isIP(servername) !== 0)) {
    throw invalidType('options.servername', 'a host name, not an IP address', servername);
  }
  if (session !== undefined && !(session instanceof Uint8Array)) {
    throw invalidType('options.session', 'a Buffer', session);
  }
  if (checkServerIdentity !== undefined) checkFunction(checkServerIdentity, 'options.checkServerIdentity');
  const name = servername ?? (host !== undefined && isIP(host) === 0 ? host : '');
  return {
    ...commonSettings(options),
    server: false,
    requestCert: false,
    selectContext: false,
    servername: name,
    session: session === undefined ? null : Buffer.from(session),
    identity: { hostname: servername ?? host ?? 'localhost', check: checkServerIdentity ?? null },
  };
}

export function serverSettings(options: TlsServerOptions & SocketLimits): TlsSettings {
  checkBoolean(options.requestCert, 'options.requestCert');
  if (options.sni !== undefined) checkSni(options.sni);
  return {
    ...commonSettings(options),
    server: true,
    requestCert: options.requestCert === true,
    selectContext: options.sni !== undefined,
    servername: '',
    session: null,
    identity: null,
  };
}

function commonSettings(options: TlsOptions & SocketLimits) {
  checkHandlers(options, 'options');
  checkBoolean(options.rejectUnauthorized, 'options.rejectUnauthorized');
  checkLimits(options);
  const { alpnProtocols = [], handshakeTimeout = HANDSHAKE_TIMEOUT_MS, highWaterMark = HIGH_WATER_MARK } = options;
  checkAlpn(alpnProtocols);
  checkDelay(handshakeTimeout, 'options.handshakeTimeout');
  return {
    context: contextOf(options),
    rejectUnauthorized: options.rejectUnauthorized !== false,
    alpnProtocols: [...alpnProtocols],
    handshakeTimeout,
    handlers: options,
    highWaterMark,
    lowWaterMark: lowWaterMarkOf(highWaterMark, options.lowWaterMark),
    writeLimit: options.writeLimit ?? WRITE_LIMIT,
    allowHalfOpen: options.allowHalfOpen === true,
  };
}

function checkAlpn(protocols: readonly string[]): void {
  if (!Array.isArray(protocols)) throw invalidType('options.alpnProtocols', 'an array of strings', protocols);
  for (const [i, name] of protocols.entries()) {
    const fits = typeof name === 'string' && name !== '' && name.length <= ALPN_BYTES_MAX && /^[\0-\xff]*$/.test(name);
    if (!fits) throw invalidType(`options.alpnProtocols[${i}]`, 'a string of 1 to 255 Latin-1 characters', name);
  }
}

export function checkSignalOption(signal: SignalOption['signal']): void {
  if (signal !== undefined) checkSignal(signal, 'options.signal');
}
