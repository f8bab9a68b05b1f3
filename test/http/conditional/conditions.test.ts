import { describe, expect, test } from 'vitest';
import {
  entityTagOf,
  evaluateConditions,
  formatHttpDate,
  lastModifiedOf,
  parseEntityTag,
  rangeIsFresh,
  type Validators,
  weakened,
} from '../../../lib/http/conditional/index.js';

const MODIFIED = Date.UTC(2024, 0, 2, 3, 4, 5);
const BEFORE = formatHttpDate(MODIFIED - 1000);
const SAME = formatHttpDate(MODIFIED);
const AFTER = formatHttpDate(MODIFIED + 1000);
const STRONG: Validators = { etag: '"v1"', lastModifiedMs: MODIFIED };
const WEAK: Validators = { etag: 'W/"v1"', lastModifiedMs: MODIFIED };
const BARE: Validators = { etag: null, lastModifiedMs: null };
const NONE: Validators = { etag: null, lastModifiedMs: null, exists: false };

type Row = [state: Validators, fields: Record<string, string>, method: string, outcome: string];

const rows: Row[] = [
  [STRONG, {}, 'GET', 'proceed'],
  // If-Match, strong comparison.
  [STRONG, { 'if-match': '"v1"' }, 'PUT', 'proceed'],
  [STRONG, { 'if-match': '"v0", "v1"' }, 'PUT', 'proceed'],
  [STRONG, { 'if-match': '"v0"' }, 'PUT', 'precondition-failed'],
  [STRONG, { 'if-match': '"v0"' }, 'GET', 'precondition-failed'],
  [STRONG, { 'if-match': 'W/"v1"' }, 'PUT', 'precondition-failed'],
  [WEAK, { 'if-match': 'W/"v1"' }, 'PUT', 'precondition-failed'],
  [STRONG, { 'if-match': '*' }, 'PUT', 'proceed'],
  [BARE, { 'if-match': '*' }, 'PUT', 'proceed'],
  [NONE, { 'if-match': '*' }, 'PUT', 'precondition-failed'],
  [BARE, { 'if-match': '"v1"' }, 'PUT', 'precondition-failed'],
  [STRONG, { 'if-match': 'v1' }, 'PUT', 'precondition-failed'],
  [STRONG, { 'if-match': '' }, 'PUT', 'precondition-failed'],
  // If-Unmodified-Since, only without If-Match.
  [STRONG, { 'if-unmodified-since': SAME }, 'PUT', 'proceed'],
  [STRONG, { 'if-unmodified-since': AFTER }, 'PUT', 'proceed'],
  [STRONG, { 'if-unmodified-since': BEFORE }, 'PUT', 'precondition-failed'],
  [STRONG, { 'if-unmodified-since': 'yesterday' }, 'PUT', 'proceed'],
  [BARE, { 'if-unmodified-since': BEFORE }, 'PUT', 'proceed'],
  [STRONG, { 'if-match': '"v1"', 'if-unmodified-since': BEFORE }, 'PUT', 'proceed'],
  // If-None-Match, weak comparison.
  [STRONG, { 'if-none-match': '"v1"' }, 'GET', 'not-modified'],
  [STRONG, { 'if-none-match': 'W/"v1"' }, 'HEAD', 'not-modified'],
  [WEAK, { 'if-none-match': '"v0",  "v1"' }, 'GET', 'not-modified'],
  [STRONG, { 'if-none-match': '"v1"' }, 'PUT', 'precondition-failed'],
  [STRONG, { 'if-none-match': '*' }, 'PUT', 'precondition-failed'],
  [STRONG, { 'if-none-match': '*' }, 'GET', 'not-modified'],
  [NONE, { 'if-none-match': '*' }, 'PUT', 'proceed'],
  [STRONG, { 'if-none-match': '"V1"' }, 'GET', 'proceed'],
  [STRONG, { 'if-none-match': 'v1' }, 'GET', 'proceed'],
  [STRONG, { 'if-none-match': '"a, b", "v1"' }, 'GET', 'not-modified'],
  // If-Modified-Since, only without If-None-Match, and only for what reads.
  [STRONG, { 'if-modified-since': SAME }, 'GET', 'not-modified'],
  [STRONG, { 'if-modified-since': AFTER }, 'HEAD', 'not-modified'],
  [STRONG, { 'if-modified-since': BEFORE }, 'GET', 'proceed'],
  [STRONG, { 'if-modified-since': AFTER }, 'POST', 'proceed'],
  [STRONG, { 'if-modified-since': 'never' }, 'GET', 'proceed'],
  [BARE, { 'if-modified-since': AFTER }, 'GET', 'proceed'],
  [STRONG, { 'if-none-match': '"v0"', 'if-modified-since': AFTER }, 'GET', 'proceed'],
  // One after the other.
  [STRONG, { 'if-match': '"v0"', 'if-none-match': '"v1"' }, 'GET', 'precondition-failed'],
  [STRONG, { 'if-match': '"v1"', 'if-none-match': '"v1"' }, 'GET', 'not-modified'],
  [STRONG, { 'if-unmodified-since': AFTER, 'if-modified-since': AFTER }, 'GET', 'not-modified'],
];

test.each(rows)('of %j the conditions %j with %s: %s', (state, fields, method, outcome) => {
  expect(evaluateConditions(method, new Headers(fields), state)).toBe(outcome);
  expect(evaluateConditions(method, new Map(Object.entries(fields)), state)).toBe(outcome);
});

describe('If-Range', () => {
  const later = MODIFIED + 60_000;

  test('lets a range be heeded where the state is the very same', () => {
    expect(rangeIsFresh(null, STRONG, later)).toBe(true);
    expect(rangeIsFresh('"v1"', STRONG, later)).toBe(true);
    expect(rangeIsFresh(SAME, STRONG, later)).toBe(true);
  });

  test('takes no weak tag, no other date, and nothing else', () => {
    expect(rangeIsFresh('W/"v1"', STRONG, later)).toBe(false);
    expect(rangeIsFresh('"v1"', WEAK, later)).toBe(false);
    expect(rangeIsFresh('"v0"', STRONG, later)).toBe(false);
    expect(rangeIsFresh(AFTER, STRONG, later)).toBe(false);
    expect(rangeIsFresh(BEFORE, STRONG, later)).toBe(false);
    expect(rangeIsFresh('nonsense', STRONG, later)).toBe(false);
    expect(rangeIsFresh('', STRONG, later)).toBe(false);
    expect(rangeIsFresh('"v1"', BARE, later)).toBe(false);
    expect(rangeIsFresh(SAME, BARE, later)).toBe(false);
  });

  test('takes no date that is younger than a second', () => {
    expect(rangeIsFresh(SAME, STRONG, MODIFIED + 999)).toBe(false);
    expect(rangeIsFresh(SAME, STRONG, MODIFIED + 1000)).toBe(true);
  });
});

describe('the entity tag of a file', () => {
  const mtimeNs = 1_700_000_000_123_456_789n;
  const mtimeMs = 1_700_000_000_123;

  test('differs with its size and the nanosecond of its last change', () => {
    const tag = entityTagOf({ size: 10, mtimeNs }, mtimeMs + 10_000);
    expect(parseEntityTag(tag)).toMatchObject({ weak: false });
    expect(entityTagOf({ size: 11, mtimeNs }, mtimeMs + 10_000)).not.toBe(tag);
    expect(entityTagOf({ size: 10, mtimeNs: mtimeNs + 1n }, mtimeMs + 10_000)).not.toBe(tag);
    expect(entityTagOf({ size: 10, mtimeNs }, mtimeMs + 20_000)).toBe(tag);
  });

  test('is weak while the file might change and keep its time', () => {
    expect(entityTagOf({ size: 10, mtimeNs }, mtimeMs + 1000)).toMatch(/^W\//);
    expect(entityTagOf({ size: 10, mtimeNs }, mtimeMs - 1000)).toMatch(/^W\//);
    expect(weakened(entityTagOf({ size: 10, mtimeNs }, mtimeMs + 10_000))).toBe(
      entityTagOf({ size: 10, mtimeNs }, mtimeMs),
    );
    expect(weakened('W/"a"')).toBe('W/"a"');
  });

  test('and its date never lies in the future', () => {
    expect(lastModifiedOf({ size: 1, mtimeNs }, mtimeMs + 10_000)).toBe(1_700_000_000_000);
    expect(lastModifiedOf({ size: 1, mtimeNs }, 1_600_000_000_500)).toBe(1_600_000_000_000);
  });

  test.each(['', 'a', '"a', 'a"', '"a"b', 'w/"a"', 'W/a', '"a b"', '"a"b"', 'W/ "a"', '"\x7f"'])(
    '%j is none',
    (text) => {
      expect(parseEntityTag(text)).toBeNull();
    },
  );
});
