// Who the peer says it is: its certificates, and whether a server's fits the name that was asked for.
import type { Buffer } from 'node:buffer';
import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';
import { shown } from '../internal/errors.js';
import type { TlsEngine } from './engine.js';

/** As node:tls's: gives an error for what does not fit. */
export type CheckServerIdentity = (hostname: string, certificate: PeerCertificate) => Error | undefined;

export interface IdentityCheck {
  readonly hostname: string;
  /** Default: Node's. */
  readonly check: CheckServerIdentity | null;
}

export class PeerIdentity {
  readonly #engine: TlsEngine;
  #certificates: Buffer[] | null = null;

  constructor(engine: TlsEngine) {
    this.#engine = engine;
  }

  /** In DER, the peer's own first. */
  get certificates(): Buffer[] {
    this.#certificates ??= this.#engine.peerCertificates();
    return this.#certificates;
  }

  check({ hostname, check }: IdentityCheck): Error | null {
    const certificate = legacyCertificate(this.certificates, check !== null);
    if (certificate === null) return null;
    try {
      const error: unknown = (check ?? checkServerIdentity)(hostname, certificate);
      if (error === undefined || error === null) return null;
      return error instanceof Error ? error : new Error(`checkServerIdentity gave ${shown(error)}`);
    } catch (error) {
      return error instanceof Error ? error : new Error(`checkServerIdentity threw ${shown(error)}`);
    }
  }
}

/** As getPeerCertificate of node:tls; null for no certificate. */
export function legacyCertificate(chain: readonly Buffer[], detailed: boolean): PeerCertificate | null {
  const [own] = chain;
  if (own === undefined) return null;
  if (!detailed) return legacyOf(own);
  const certificates = chain.map(legacyOf) as DetailedPeerCertificate[];
  for (const [i, certificate] of certificates.entries()) {
    const issuer = certificates[i + 1];
    if (issuer !== undefined) certificate.issuerCertificate = issuer;
  }
  return certificates[0] as DetailedPeerCertificate;
}

function legacyOf(der: Buffer): PeerCertificate {
  return new X509Certificate(der).toLegacyObject() as unknown as PeerCertificate;
}
