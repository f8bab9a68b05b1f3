// Keys, certificates and protocol rules: what many connections have in common. Node builds it (its parsing of keys, its
// root certificates, its ticket keys), whichever engine uses it.
import type { Buffer } from 'node:buffer';
import {
  createSecureContext as createNodeContext,
  type SecureContext as NodeContext,
  type SecureContextOptions,
} from 'node:tls';
import { checkObject, invalidType } from '../internal/errors.js';

type Material = string | Buffer;

/** Keys, certificates and rules. PEM text or a Buffer; `pfx` is PKCS #12. */
export interface TlsContextOptions {
  /** The certificate, followed by those of its issuers. Several for several kinds of key. */
  cert?: Material | Material[];
  /** The private key of `cert`. */
  key?: Material | Material[];
  /** What an encrypted `key` or `pfx` is opened with. */
  passphrase?: string;
  /** Key and certificates in one (PKCS #12). */
  pfx?: Material | Material[];
  /** Who may have issued the peer's certificate. Default: Node's root certificates. */
  ca?: Material | Material[];
  /** Certificates that were revoked. */
  crl?: Material | Material[];
  /** Default: Node's, TLSv1.2. */
  minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  /** Default: TLSv1.3. */
  maxVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  /** In OpenSSL's notation. Default: Node's. */
  ciphers?: string;
  /** A server's order of ciphers counts, not the client's. Default: true. */
  honorCipherOrder?: boolean;
  /** Curves for the key exchange, in order of preference: 'X25519:P-256'. */
  ecdhCurve?: string;
  /** Signature algorithms, in order of preference. */
  sigalgs?: string;
  /**
   * 48 bytes that session tickets are sealed with. Servers that share them resume each other's sessions. Default: random
   * ones for each context.
   */
  ticketKeys?: Buffer;
  /** How long a session can be resumed, in seconds. Default: 300. */
  sessionTimeout?: number;
  /** Sessions are resumed only among servers with the same one. Default: 'millrace'. */
  sessionIdContext?: string;
}

const NAMES: readonly (keyof TlsContextOptions)[] = [
  'cert',
  'key',
  'passphrase',
  'pfx',
  'ca',
  'crl',
  'minVersion',
  'maxVersion',
  'ciphers',
  'honorCipherOrder',
  'ecdhCurve',
  'sigalgs',
  'ticketKeys',
  'sessionTimeout',
  'sessionIdContext',
];

/** Made by {@link createSecureContext}; serves any number of connections at a time. */
export class SecureContext {
  /** @internal Never given to a node:tls socket of anybody else: the engine has its callbacks on it. */
  readonly node: NodeContext;
  /** @internal Whether an engine has put its callbacks on it. */
  prepared = false;

  /** @internal */
  constructor(options: TlsContextOptions) {
    const given: Record<string, unknown> = {};
    for (const name of NAMES) if (options[name] !== undefined) given[name] = options[name];
    given.sessionIdContext ??= 'millrace';
    given.honorCipherOrder ??= true;
    this.node = createNodeContext(given as SecureContextOptions);
  }

  /** The 48 bytes that its session tickets are sealed with. Secret. */
  get ticketKeys(): Buffer {
    return (this.node.context as { getTicketKeys(): Buffer }).getTicketKeys();
  }
}

/**
 * Reads keys and certificates, for `secureContext`, `sni` and `setSecureContext`. That is costly: do it once.
 *
 * @example
 * ```ts
 * const context = createSecureContext({ minVersion: 'TLSv1.3' });
 * ```
 * @throws Node's errors: what OpenSSL says of a key or certificate (`ERR_OSSL_...`), `ERR_TLS_INVALID_PROTOCOL_VERSION`,
 * TypeError.
 */
export function createSecureContext(options: TlsContextOptions = {}): SecureContext {
  checkObject(options, 'options');
  return new SecureContext(options);
}

/** `value` as a context: one already, or the options of one. */
export function toSecureContext(value: SecureContext | TlsContextOptions, name: string): SecureContext {
  if (value instanceof SecureContext) return value;
  if (value === null || typeof value !== 'object') {
    throw invalidType(name, 'a SecureContext or the options of one', value);
  }
  return new SecureContext(value);
}

let plainContext: SecureContext | null = null;

/** The context that `options` name or describe. All that describe none share one. */
export function contextOf(options: TlsContextOptions & { secureContext?: SecureContext }): SecureContext {
  const { secureContext } = options;
  if (secureContext !== undefined) {
    if (!(secureContext instanceof SecureContext)) {
      throw invalidType('options.secureContext', 'a SecureContext', secureContext);
    }
    return secureContext;
  }
  if (NAMES.some((name) => options[name] !== undefined)) return new SecureContext(options);
  plainContext ??= new SecureContext({});
  return plainContext;
}
