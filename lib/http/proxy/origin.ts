import { checkObject, outOfRange } from '../../internal/errors.js';
import type { RequestFields } from '../fields/index.js';
import { addressOf, forwardedHops, type Hop, xForwardedHops } from './forwarded.js';
import { type Trust, type TrustProxy, trustOf } from './trust.js';

/** How a server believes proxies. */
export interface ProxyOptions {
  /** Which are believed. */
  readonly trust: TrustProxy;
  /**
   * Which fields they speak with: `x-forwarded` (default): X-Forwarded-For, -Proto, -Host; `forwarded`: Forwarded (RFC 7239). Only one
   * of both is ever read: a proxy that writes one passes on what a stranger has written into the other.
   */
  readonly fields?: 'x-forwarded' | 'forwarded';
}

/** Whom a request comes from, and what was asked for there. */
export interface Origin {
  /** The client's IP address, or that of the last hop that is known. A Unix socket without a proxy's word: ''. */
  readonly address: string;
  readonly protocol: 'http' | 'https';
  /** As in Host, with the port if there is one. */
  readonly host: string;
  /** All addresses from the one that connected to the client's. */
  readonly chain: readonly string[];
}

/**
 * Finds out whom a request comes from behind proxies that are believed.
 *
 * Goes from the one who connects towards the client: while who speaks is believed, whom he speaks for counts. So what a stranger has
 * written into the fields himself never does, however much of it there is.
 *
 * @example
 * ```ts
 * const proxies = new ProxyTrust({ trust: ['loopback', '10.0.0.0/8'] });
 * const fields = new Map([['x-forwarded-for', '6.6.6.6, 203.0.113.9, 10.0.0.7']]);
 * console.log(proxies.originOf(fields, { address: '127.0.0.1', protocol: 'http', host: 'a.example' }).address); // 203.0.113.9
 * ```
 */
export class ProxyTrust {
  readonly #trust: Trust | null;
  readonly #hopsOf: (fields: RequestFields) => Hop[];

  /** @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) naming the option. */
  constructor(options: TrustProxy | ProxyOptions) {
    const { trust, fields = 'x-forwarded' } = isOptions(options) ? options : { trust: options };
    if (fields !== 'x-forwarded' && fields !== 'forwarded') {
      throw outOfRange('trustProxy.fields', "'x-forwarded' or 'forwarded'", fields);
    }
    this.#trust = trustOf(trust, 'trustProxy');
    this.#hopsOf = fields === 'forwarded' ? forwardedHops : xForwardedHops;
  }

  /** Nobody is believed: there is nothing to look for. */
  get isNone(): boolean {
    return this.#trust === null;
  }

  /**
   * @param fields the request's.
   * @param direct of the connection: its peer's address ('' for a Unix socket), whether it is TLS, the request's Host.
   */
  originOf(fields: RequestFields, direct: Omit<Origin, 'chain'>): Origin {
    let { address, protocol, host } = direct;
    address = addressOf(address) ?? address;
    const chain = [address];
    if (this.#trust === null) return { address, protocol, host, chain };
    for (const [hop, said] of this.#hopsOf(fields).entries()) {
      if (!this.#trust(address, hop)) break;
      protocol = said.protocol ?? protocol;
      host = said.host ?? host;
      // Whom it spoke for is not known: who spoke before him, less so.
      if (said.address === null) break;
      address = said.address;
      chain.push(address);
    }
    return { address, protocol, host, chain };
  }
}

function isOptions(options: TrustProxy | ProxyOptions): options is ProxyOptions {
  if (typeof options !== 'object' || Array.isArray(options)) return false;
  checkObject(options, 'trustProxy');
  return true;
}
