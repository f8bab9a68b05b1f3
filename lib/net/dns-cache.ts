// What Node's resolver said about names, for a few seconds. One for each thread.
//
// getaddrinfo tells no TTL, so every answer is kept for the same short time. Failures are not kept: a name that is just
// being made must not be unknown for longer than it is. Lookups of one name at the same time are one lookup; a lookup
// cannot be called back, so when nobody waits for it any more, its answer is kept all the same.
import { checkDelay } from '../internal/cancel.js';
import { now } from '../internal/clock.js';
import { checkInteger, checkObject, invalidType } from '../internal/errors.js';

/** An address of a host, as `dns.lookup` with `all` gives it. */
export interface LookupAddress {
  address: string;
  /** 4 or 6. */
  family: number;
}

/** 0 is both. */
export type Family = 0 | 4 | 6;

export type Answer = (error: Error | null, addresses: readonly LookupAddress[]) => void;

/** Asks for all addresses of `host`. */
export type Resolver = (host: string, family: Family, answer: Answer) => void;

export interface DnsCacheOptions {
  /** For how long an answer is used. 0 switches the cache off: every lookup asks. Default 5,000. */
  ttlMs?: number;
  /** Names that are kept; the one that was looked up the longest ago goes first. 1 to 2^20, default 1,000. */
  max?: number;
}

export const DNS_TTL_MS = 5_000;
export const DNS_NAMES_MAX = 1_000;

interface Entry {
  readonly addresses: readonly LookupAddress[];
  readonly expiresMs: number;
}

/** Node's own: `getaddrinfo`, which heeds /etc/hosts and nsswitch.conf. */
function askNode(host: string, family: Family, answer: Answer): void {
  const ask = (dns: typeof import('node:dns')): void =>
    dns.lookup(host, { all: true, family }, (error, addresses) => answer(error, addresses ?? []));
  import('node:dns').then(ask).catch((error) => answer(error, []));
}

/**
 * The addresses that `connect` and `listen` have looked up in this thread: `dnsCache`. Only what Node's resolver said is
 * kept, never the answers of a `lookup` function of one's own.
 */
export class DnsCache {
  /** In the order of the last lookup. */
  readonly #entries = new Map<string, Entry>();
  readonly #asked = new Map<string, Set<Answer>>();
  #resolver: Resolver = askNode;
  #ttlMs = DNS_TTL_MS;
  #max = DNS_NAMES_MAX;

  /** Names that are kept now. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Sets what is given, and leaves the rest. What is kept already keeps the time that it was given.
   *
   * @example
   * ```ts
   * dnsCache.configure({ ttlMs: 0 }); // off
   * dnsCache.configure({ ttlMs: 30_000, max: 100 });
   * console.log(dnsCache.size); // 0
   * ```
   * @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) naming the option.
   */
  configure(options: DnsCacheOptions): void {
    checkObject(options, 'options');
    const { ttlMs, max } = options;
    if (ttlMs !== undefined) checkDelay(ttlMs, 'options.ttlMs');
    if (max !== undefined) checkInteger(max, 'options.max', 1, 2 ** 20);
    this.#ttlMs = ttlMs ?? this.#ttlMs;
    this.#max = max ?? this.#max;
    if (this.#ttlMs === 0) this.#entries.clear();
    this.#evict();
  }

  /**
   * Forgets what is known of `host`, or of all names. A lookup under way is answered, but its answer is not kept.
   * @throws TypeError (`ERR_INVALID_ARG_TYPE`) if `host` is not a string.
   */
  clear(host?: string): void {
    if (host !== undefined && typeof host !== 'string') throw invalidType('host', 'a host name', host);
    if (host === undefined) {
      this.#entries.clear();
      this.#asked.clear();
      return;
    }
    for (const family of [0, 4, 6] as const) {
      this.#entries.delete(keyOf(host, family));
      this.#asked.delete(keyOf(host, family));
    }
  }

  /** What is known of `host`; null when the resolver must be asked. @internal */
  find(host: string, family: Family): readonly LookupAddress[] | null {
    const key = keyOf(host, family);
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#entries.delete(key);
    if (now() >= entry.expiresMs) return null;
    this.#entries.set(key, entry);
    return entry.addresses;
  }

  /** Asks, or joins who has asked. @returns what forgets `answer`. @internal */
  ask(host: string, family: Family, answer: Answer): () => void {
    const key = keyOf(host, family);
    const joined = this.#ttlMs === 0 ? undefined : this.#asked.get(key);
    const waiting = joined ?? new Set();
    waiting.add(answer);
    if (joined === undefined) this.#begin(key, host, family, waiting);
    return () => void waiting.delete(answer);
  }

  /** Tests: asks `resolver` instead of Node's. @internal */
  useResolver(resolver: Resolver | null): void {
    this.#resolver = resolver ?? askNode;
    this.clear();
  }

  #begin(key: string, host: string, family: Family, waiting: Set<Answer>): void {
    if (this.#ttlMs > 0) this.#asked.set(key, waiting);
    this.#resolver(host, family, (error, addresses) => {
      // After `clear` it is somebody else's or nobody's: then the answer is not kept.
      if (this.#asked.get(key) === waiting) {
        this.#asked.delete(key);
        if (error === null && addresses.length > 0) this.#keep(key, addresses);
      }
      for (const answer of waiting) answer(error, addresses);
    });
  }

  #keep(key: string, addresses: readonly LookupAddress[]): void {
    if (this.#ttlMs === 0) return;
    this.#entries.delete(key);
    this.#entries.set(key, { addresses, expiresMs: now() + this.#ttlMs });
    this.#evict();
  }

  #evict(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#max) return;
      this.#entries.delete(key);
    }
  }
}

/** Names are the same whatever their case (RFC 1035, section 2.3.3). */
function keyOf(host: string, family: Family): string {
  return `${family} ${host.toLowerCase()}`;
}

/**
 * This thread's cache of looked-up names. getaddrinfo tells no TTL: an answer is used for 5 seconds, unless configured
 * otherwise; failures are not kept.
 */
export const dnsCache = new DnsCache();
