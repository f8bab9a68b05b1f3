import { describe, expect, test } from 'vitest';
import { preferredCoding, preferredLanguage, preferredType } from '../../lib/http/negotiation.js';

describe('Accept-Encoding', () => {
  test.each<[string | null, string | null]>([
    [null, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['deflate', 'identity'],
    ['zstd', 'identity'],
    ['gzip;q=1, br;q=0.9', 'gzip'],
    ['gzip;q=0.5, br;q=0.5', 'br'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=0, *', 'br'],
    ['*', 'br'],
    ['*;q=0', null],
    ['*;q=0, gzip', 'gzip'],
    ['*;q=0, identity', 'identity'],
    ['identity;q=0', null],
    ['identity;q=0, gzip;q=0.1', 'gzip'],
    ['identity, gzip;q=0.5', 'identity'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity;q=0.5, *;q=0', 'identity'],
    ['br;q=0, gzip;q=0, identity;q=0', null],
    ['gzip;q=2', 'identity'],
    [' gzip ; q=0.1 , , br;q=0.01', 'gzip'],
  ])('%j: %s', (accept, coding) => {
    expect(preferredCoding(accept)).toBe(coding);
  });

  test('among those that are offered, in the order in which they are', () => {
    expect(preferredCoding('gzip, br', ['gzip', 'br'])).toBe('gzip');
    expect(preferredCoding('gzip, br', ['gzip'])).toBe('gzip');
    expect(preferredCoding('br', ['gzip'])).toBe('identity');
    expect(preferredCoding('*', [])).toBe('identity');
  });
});

describe('Accept', () => {
  const offers = ['application/json', 'text/html', 'text/plain'];

  test.each<[string | null, string | null]>([
    [null, 'application/json'],
    ['*/*', 'application/json'],
    ['text/html', 'text/html'],
    ['Text/HTML', 'text/html'],
    ['text/*', 'text/html'],
    ['text/*;q=0.5, application/json;q=0.4', 'text/html'],
    ['text/*, text/html;q=0.1', 'text/plain'],
    ['text/html;q=0, */*', 'application/json'],
    ['application/json;q=0, text/html;q=0, */*;q=0.1', 'text/plain'],
    ['image/png', null],
    ['*/*;q=0', null],
    ['', null],
    ['text/html;level=1', null],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
  ])('%j: %s', (accept, type) => {
    expect(preferredType(accept, offers)).toBe(type);
  });
});

describe('Accept-Language', () => {
  test.each<[string | null, string | null]>([
    [null, 'en-GB'],
    ['de', 'de'],
    ['en', 'en-GB'],
    ['en-US', null],
    ['en-US, *;q=0.1', 'en-GB'],
    ['de;q=0.5, en;q=0.8', 'en-GB'],
    ['DE', 'de'],
    ['d', null],
    ['en-gb;q=0, *', 'de'],
  ])('%j: %s', (accept, language) => {
    expect(preferredLanguage(accept, ['en-GB', 'de'])).toBe(language);
  });
});
