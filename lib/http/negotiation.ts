// Proactive negotiation (RFC 9110, 12): which of what the server has the client likes best.
import { parseWeighted, type Weighted } from './fields/index.js';

/** Content codings that the server can make. `deflate` is none of them: clients disagree about what it is. */
export type Coding = 'br' | 'gzip';

const CODINGS: readonly Coding[] = ['br', 'gzip'];

/**
 * The content coding to send, by Accept-Encoding (RFC 9110, 12.5.3): the one with the highest weight, of several the one that stands
 * first in `offers`. None is sent where the client prefers that.
 *
 * @example
 * ```ts
 * console.log(preferredCoding('gzip, deflate, br')); // br
 * console.log(preferredCoding('gzip;q=0.8, identity')); // identity
 * console.log(preferredCoding('identity;q=0')); // null
 * ```
 * @param offers best first; default: br, gzip.
 * @returns `null` if nothing that can be made is acceptable, not even `identity`: 406, or send what there is.
 */
export function preferredCoding(
  accept: string | null | undefined,
  offers: readonly Coding[] = CODINGS,
): Coding | 'identity' | null {
  // Without the field all are acceptable, but who does not ask may not understand.
  if (accept === null || accept === undefined) return 'identity';
  const members = parseWeighted(accept);
  const any = members.find(({ value }) => value === '*');
  let best: Coding | null = null;
  let bestQuality = 0;
  for (const offer of offers) {
    const quality = codingQuality(members, offer) ?? any?.quality ?? 0;
    if (quality > bestQuality) {
      best = offer;
      bestQuality = quality;
    }
  }
  // Not named, `identity` is always acceptable; only `*;q=0` takes that from it. Then a coding is preferred.
  const named = members.find(({ value }) => value === 'identity');
  const identity = named === undefined ? (any?.quality === 0 ? 0 : null) : named.quality;
  if (best === null) return identity === 0 ? null : 'identity';
  return identity !== null && identity > bestQuality ? 'identity' : best;
}

function codingQuality(members: readonly Weighted[], coding: Coding): number | undefined {
  return members.find(({ value }) => value === coding || value === `x-${coding}`)?.quality;
}

/**
 * The media type to send, by Accept (RFC 9110, 12.5.1): the one with the highest weight, of several the one that stands first in
 * `offers`. For each the most specific range counts.
 *
 * @example
 * ```ts
 * console.log(preferredType('text/*, application/json;q=0.5', ['application/json', 'text/html'])); // text/html
 * ```
 * @param offers essences (`type/subtype`), best first.
 * @returns null if none is acceptable.
 */
export function preferredType(accept: string | null | undefined, offers: readonly string[]): string | null {
  if (accept === null || accept === undefined) return offers[0] ?? null;
  const ranges = parseWeighted(accept);
  return bestOf(offers, (offer) => mostSpecific(ranges, offer.toLowerCase(), typeRank));
}

/**
 * The language to send, by Accept-Language (RFC 9110, 12.5.4; RFC 4647, 3.3.1: a range stands for all tags that begin with it).
 *
 * @example
 * ```ts
 * console.log(preferredLanguage('de-CH, fr;q=0.5, en;q=0.1', ['en', 'fr', 'it'])); // fr
 * ```
 * @param offers language tags, best first.
 * @returns null if none is acceptable.
 */
export function preferredLanguage(accept: string | null | undefined, offers: readonly string[]): string | null {
  if (accept === null || accept === undefined) return offers[0] ?? null;
  const ranges = parseWeighted(accept);
  return bestOf(offers, (offer) => mostSpecific(ranges, offer.toLowerCase(), languageRank));
}

function bestOf(offers: readonly string[], qualityOf: (offer: string) => number): string | null {
  let best: string | null = null;
  let bestQuality = 0;
  for (const offer of offers) {
    const quality = qualityOf(offer);
    if (quality > bestQuality) {
      best = offer;
      bestQuality = quality;
    }
  }
  return best;
}

/** @param rankOf how closely a range fits; 0: not at all. */
function mostSpecific(
  ranges: readonly Weighted[],
  offer: string,
  rankOf: (range: Weighted, offer: string) => number,
): number {
  let quality = 0;
  let rank = 0;
  for (const range of ranges) {
    const fits = rankOf(range, offer);
    if (fits <= rank) continue;
    rank = fits;
    quality = range.quality;
  }
  return quality;
}

/** A range with parameters is for a type that has them, which offers do not. */
function typeRank({ value, parameters }: Weighted, offer: string): number {
  if (Object.keys(parameters).length > 0) return 0;
  if (value === offer) return 3;
  if (value === '*/*') return 1;
  return value.endsWith('/*') && offer.startsWith(value.slice(0, -1)) ? 2 : 0;
}

function languageRank({ value }: Weighted, offer: string): number {
  if (value === '*') return 1;
  return offer === value || offer.startsWith(`${value}-`) ? 1 + value.length : 0;
}
