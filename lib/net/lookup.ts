// From a host to its addresses: as it is when it is one, the loopback's for localhost, else by the user's own function or
// by Node's resolver through the cache.
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { SystemError, shown } from '../internal/errors.js';
import { Operation, PENDING } from '../internal/operation.js';
import { dnsCache, type Family, type LookupAddress } from './dns-cache.js';

/** What a `lookup` function is given, as Node gives it. */
export interface LookupOptions {
  family: Family;
  hints: number;
  all: true;
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
}

/** What a `lookup` function answers: addresses, or one. */
export type LookupResult = string | LookupAddress | readonly (string | LookupAddress)[];

/** Node's own signature; or it returns a promise and does not call back. */
export type LookupFunction = (
  hostname: string,
  options: LookupOptions,
  callback: (error: Error | null, addresses?: LookupResult, family?: number) => void,
) => PromiseLike<LookupResult> | void;

const LOOPBACK_6: LookupAddress = { address: '::1', family: 6 };
const LOOPBACK_4: LookupAddress = { address: '127.0.0.1', family: 4 };
let loopback: readonly LookupAddress[] | null = null;

/** As the system sorts them (RFC 6724): what cannot be reached comes last, and so does its error. */
function loopbackAddresses(): readonly LookupAddress[] {
  loopback ??= hasLoopback6() ? [LOOPBACK_6, LOOPBACK_4] : [LOOPBACK_4, LOOPBACK_6];
  return loopback;
}

function hasLoopback6(): boolean {
  try {
    return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));
  } catch {
    // Where it must not be asked (Android), it is tried.
    return true;
  }
}

/** `localhost` and all under it are this host and nobody is asked (RFC 6761, section 6.3). */
const LOCALHOST = /^(?:.+\.)?localhost\.?$/i;

/** The addresses of `host` where they are known without waiting; else null. */
export function knownAddresses(host: string, family: Family, custom: boolean): readonly LookupAddress[] | null {
  const literal = isIP(host);
  if (literal !== 0) return [{ address: host, family: literal }];
  if (custom) return null;
  if (LOCALHOST.test(host)) {
    return loopbackAddresses().filter((address) => family === 0 || address.family === family);
  }
  return dnsCache.find(host, family);
}

/** Asks for the addresses of a host; at least one. */
export class Lookup extends Operation<readonly LookupAddress[]> {
  readonly #host: string;
  readonly #family: Family;
  readonly #forget: () => void;

  constructor(host: string, family: Family, custom: LookupFunction | undefined) {
    super();
    this.#host = host;
    this.#family = family;
    this.#forget =
      custom === undefined
        ? dnsCache.ask(host, family, (error, addresses) => this.#answered(error, addresses))
        : this.#askCustom(custom);
  }

  get kind(): string {
    return 'net.lookup';
  }

  /** A lookup cannot be called back: its answer is not waited for any more. */
  protected onCancel(): void {
    this.#forget();
  }

  /** Whoever made it looks at once whether it has failed. */
  protected override unobserved(): void {}

  #askCustom(custom: LookupFunction): () => void {
    const controller = new AbortController();
    const options: LookupOptions = { family: this.#family, hints: 0, all: true, signal: controller.signal };
    try {
      const promise = custom(this.#host, options, (error, found) => this.#answeredBy(error, found));
      if (typeof (promise as PromiseLike<unknown> | undefined)?.then === 'function') {
        (promise as PromiseLike<LookupResult>).then(
          (found) => this.#answeredBy(null, found),
          (error) => this.reject(error),
        );
      }
    } catch (error) {
      this.reject(error);
    }
    return () => controller.abort();
  }

  #answeredBy(error: unknown, found: unknown): void {
    if (error !== null && error !== undefined) {
      this.reject(error);
      return;
    }
    const list = Array.isArray(found) ? (found as unknown[]) : found === undefined || found === null ? [] : [found];
    const addresses: LookupAddress[] = [];
    for (const item of list) {
      const address = typeof item === 'string' ? item : (item as Partial<LookupAddress> | null)?.address;
      const actual = typeof address === 'string' ? isIP(address) : 0;
      if (actual === 0) {
        this.reject(invalidAddress(this.#host, address));
        return;
      }
      // It may give others than it was asked for.
      if (this.#family === 0 || this.#family === actual) addresses.push({ address: address as string, family: actual });
    }
    this.#answered(null, addresses);
  }

  #answered(error: Error | null, addresses: readonly LookupAddress[]): void {
    if (this.state !== PENDING) return;
    if (error !== null) this.reject(error);
    else if (addresses.length === 0) this.reject(notFound(this.#host));
    else this.fulfill(addresses);
  }
}

/** As `dns.lookup` has it. */
function notFound(host: string): SystemError {
  return new SystemError('ENOTFOUND', -3008, 'getaddrinfo', 'unknown node or service', host);
}

function invalidAddress(host: string, address: unknown): TypeError {
  const error = new TypeError(`options.lookup must give IP addresses; for ${host} it gave ${shown(address)}`);
  return Object.assign(error, { code: 'ERR_INVALID_IP_ADDRESS' });
}
