// What encrypts and decrypts for a TlsSocket. There are two: over the OpenSSL that Node exports to addons
// (native-engine.ts), and over node:tls where that cannot be had (node-engine.ts). Neither knows a socket.
import type { Buffer } from 'node:buffer';
import type { SecureContext } from './context.js';

/** Whom an engine works for. The engine calls it while it is given something, or (node:tls) later. */
export interface EngineHost {
  /** Ciphertext for the peer, on loan until this returns. */
  onCipher(bytes: Uint8Array): void;
  /** What the peer said, on loan until this returns. */
  onPlaintext(memory: Buffer, offset: number, length: number): void;
  /** The handshake has ended well; certificates were not judged yet unless the engine does so. */
  onSecured(): void;
  /** The peer has sent close_notify. */
  onEnded(): void;
  /** The transport has ended, and there was no close_notify. */
  onTruncated(): void;
  /** Nothing more comes. An alert for the peer was given to `onCipher` before. */
  onFailed(error: Error): void;
  /** Our close_notify was given to `onCipher`. */
  onCloseNotifySent(): void;
  /** A session that a later connection can resume. */
  onSession(session: Buffer): void;
  /** A server: which context for this name ('' if the client told none)? Answered by `select`. */
  onWantsContext(servername: string): void;
  /** What the engine held of our writes has been given to `onCipher`. */
  onFlushed(): void;
}

export interface EngineOptions {
  readonly server: boolean;
  readonly context: SecureContext;
  /** A server asks for the client's certificate. */
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  /** A server asks its host for the context. */
  readonly selectContext: boolean;
  readonly servername: string;
  readonly alpnProtocols: readonly string[];
  readonly session: Buffer | null;
}

/** What a handshake has led to. */
export interface HandshakeInfo {
  readonly protocol: string;
  readonly cipher: { readonly name: string; readonly standardName: string; readonly version: string };
  readonly alpnProtocol: string | null;
  readonly servername: string | null;
  readonly reused: boolean;
}

export interface TlsEngine {
  /** Bytes of our writes that it holds. */
  readonly held: number;
  start(): void;
  receive(memory: Buffer, offset: number, length: number): void;
  /** The transport has ended. */
  end(): void;
  /** Reads of `bytes` are over when this returns. */
  write(bytes: Uint8Array, offset: number, length: number): void;
  /** Sends close_notify after all that was written. */
  shutdown(): void;
  select(context: SecureContext | null): void;
  info(): HandshakeInfo;
  /** What is wrong with the peer's certificate; null for nothing, or where there is none. */
  verifyError(): Error | null;
  /** In DER, the peer's own first. */
  peerCertificates(): Buffer[];
  /** Frees what it holds. Calls its host no more. */
  destroy(): void;
}
