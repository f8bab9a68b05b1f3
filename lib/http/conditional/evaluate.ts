// Conditional requests (RFC 9110, 13).
import type { RequestFields } from '../fields/index.js';
import { listMembers } from '../fields/index.js';
import { parseHttpDate } from './http-date.js';
import { type EntityTag, parseEntityTag, strongMatch, weakMatch } from './validators.js';

/** The state of what a request is for. */
export interface Validators {
  /** As it stands in ETag; null: it has none. */
  readonly etag: string | null;
  /** Milliseconds since 1970, of whole seconds; null: not known. */
  readonly lastModifiedMs: number | null;
  /** Whether there is a representation at all: false for a PUT that would make it. Default: true. */
  readonly exists?: boolean;
}

/** `proceed`; `not-modified`: 304; `precondition-failed`: 412. */
export type ConditionOutcome = 'proceed' | 'not-modified' | 'precondition-failed';

/**
 * Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order that RFC 9110, 13.2.2 wants. To be
 * asked after all else was checked, and only if the reply would be 2xx without.
 *
 * @example
 * ```ts
 * const state = { etag: '"v1"', lastModifiedMs: null };
 * console.log(evaluateConditions('GET', new Map([['if-none-match', 'W/"v1"']]), state)); // not-modified
 * console.log(evaluateConditions('PUT', new Map([['if-match', '"v0"']]), state)); // precondition-failed
 * ```
 */
export function evaluateConditions(method: string, fields: RequestFields, state: Validators): ConditionOutcome {
  const reads = method === 'GET' || method === 'HEAD';
  const ifMatch = fields.get('if-match');
  if (ifMatch !== null && ifMatch !== undefined) {
    if (!listMatches(ifMatch, state, strongMatch)) return 'precondition-failed';
  } else {
    const unmodifiedSince = dateOf(fields.get('if-unmodified-since'));
    if (state.lastModifiedMs !== null && state.lastModifiedMs > unmodifiedSince) return 'precondition-failed';
  }
  const ifNoneMatch = fields.get('if-none-match');
  if (ifNoneMatch !== null && ifNoneMatch !== undefined) {
    if (!listMatches(ifNoneMatch, state, weakMatch)) return 'proceed';
    return reads ? 'not-modified' : 'precondition-failed';
  }
  if (!reads || state.lastModifiedMs === null) return 'proceed';
  const modifiedSince = dateOf(fields.get('if-modified-since'));
  return state.lastModifiedMs <= modifiedSince ? 'not-modified' : 'proceed';
}

/**
 * Whether Range is to be heeded as far as If-Range has a say (RFC 9110, 13.1.5): it is missing, or is the strong tag or the very
 * date of the present state.
 *
 * @param nowMs a date is strong once it is a second old (8.8.2.2).
 */
export function rangeIsFresh(ifRange: string | null | undefined, state: Validators, nowMs: number): boolean {
  if (ifRange === null || ifRange === undefined) return true;
  const tag = parseEntityTag(ifRange);
  if (tag !== null) {
    const present = state.etag === null ? null : parseEntityTag(state.etag);
    return present !== null && strongMatch(tag, present);
  }
  return (
    state.lastModifiedMs !== null &&
    nowMs - state.lastModifiedMs >= 1000 &&
    parseHttpDate(ifRange, nowMs) === state.lastModifiedMs
  );
}

/** NaN for none, and for what is not a date: such a field is to be ignored, and no comparison with NaN holds. */
function dateOf(value: string | null | undefined): number {
  return value === null || value === undefined ? Number.NaN : parseHttpDate(value);
}

function listMatches(
  value: string,
  { etag, exists = true }: Validators,
  same: (one: EntityTag, other: EntityTag) => boolean,
): boolean {
  if (value.trim() === '*') return exists;
  const present = etag === null || !exists ? null : parseEntityTag(etag);
  if (present === null) return false;
  for (const member of listMembers(value)) {
    const tag = parseEntityTag(member);
    if (tag !== null && same(tag, present)) return true;
  }
  return false;
}
