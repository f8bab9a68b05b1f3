import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHttpDate, parseHttpDate } from '../../../lib/http/conditional/index.js';

const EXAMPLE = 784111777000;

describe('dates', () => {
  test('are read in the three forms of RFC 9110, 5.6.7', () => {
    expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(EXAMPLE);
    expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT')).toBe(EXAMPLE);
    expect(parseHttpDate('Sun Nov  6 08:49:37 1994')).toBe(EXAMPLE);
    expect(parseHttpDate('sun, 06 nov 1994 08:49:37 gmt')).toBe(EXAMPLE);
  });

  test('that are written are read', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62167219200, max: 253402300799 }), (second) => {
        expect(parseHttpDate(formatHttpDate(second * 1000 + 999))).toBe(second * 1000);
      }),
    );
    expect(formatHttpDate(EXAMPLE + 1)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  });

  test('with two digits for the year are at most 50 years ahead', () => {
    const at = (nowYear: number, year: string): number =>
      new Date(parseHttpDate(`Monday, 01-Jan-${year} 00:00:00 GMT`, Date.UTC(nowYear, 5))).getUTCFullYear();
    expect(at(2026, '26')).toBe(2026);
    expect(at(2026, '76')).toBe(2076);
    expect(at(2026, '77')).toBe(1977);
    expect(at(1999, '00')).toBe(1900);
  });

  test('know the calendar, and a leap second', () => {
    expect(parseHttpDate('Thu, 29 Feb 2024 00:00:00 GMT')).toBe(Date.UTC(2024, 1, 29));
    expect(parseHttpDate('Wed, 29 Feb 2023 00:00:00 GMT')).toBeNaN();
    expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT')).toBe(Date.UTC(2017, 0, 1));
  });

  test.each([
    '',
    '0',
    '2024-01-01T00:00:00Z',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'Xyz, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun Nov 06 08:49:37 GMT 1994',
    `Sun, 06 Nov 1994 08:49:37 GMT${' '.repeat(100)}`,
  ])('%j is none', (text) => {
    expect(parseHttpDate(text)).toBeNaN();
  });
});
