import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentRange, parseRanges } from '../../../lib/http/conditional/index.js';

/** As `first-last` for each. */
function ranges(value: string, size = 1000): string {
  const outcome = parseRanges(value, size);
  return typeof outcome === 'string' ? outcome : outcome.map((r) => `${r.start}-${r.start + r.length - 1}`).join(' ');
}

describe('a range', () => {
  test.each([
    ['bytes=0-0', '0-0'],
    ['bytes=0-499', '0-499'],
    ['bytes=500-', '500-999'],
    ['bytes=-500', '500-999'],
    ['bytes=-1', '999-999'],
    ['bytes=-5000', '0-999'],
    ['bytes=999-2000', '999-999'],
    ['BYTES=1-2', '1-2'],
    ['bytes= 1-2 ', '1-2'],
    ['bytes=0-99999999999999999999999', '0-999'],
  ])('%s of 1000 bytes is %s', (value, expected) => {
    expect(ranges(value)).toBe(expected);
  });

  test.each(['bytes=1000-', 'bytes=1000-2000', 'bytes=-0', 'bytes=99999999999999999999-', 'bytes=1000-,-0'])(
    '%s of 1000 bytes cannot be satisfied',
    (value) => {
      expect(ranges(value)).toBe('unsatisfiable');
    },
  );

  test.each([
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=,',
    'bytes=a-b',
    'bytes=2-1',
    'bytes=0-1,x',
    'bytes=0-1,2-1',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=+1-2',
    'bytes=1 - 2',
    'bytes=--1',
    'items=0-1',
    'bytes =0-1',
    '',
  ])('%j is as if there were none', (value) => {
    expect(ranges(value)).toBe('whole');
  });

  test('of nothing cannot be satisfied', () => {
    expect(ranges('bytes=0-', 0)).toBe('unsatisfiable');
    expect(ranges('bytes=-1', 0)).toBe('unsatisfiable');
  });

  test('is told as Content-Range', () => {
    expect(contentRange({ start: 5, length: 10 }, 100)).toBe('bytes 5-14/100');
  });
});

describe('several ranges', () => {
  test('stay in the order in which they are asked for, without those that cannot be satisfied', () => {
    expect(ranges('bytes=-1, 0-0,,5000-, 500-509')).toBe('999-999 0-0 500-509');
  });

  test('that overlap or are near become one', () => {
    expect(ranges('bytes=0-99,50-149')).toBe('0-149');
    expect(ranges('bytes=0-9,10-19')).toBe('0-19');
    expect(ranges('bytes=0-9,90-99')).toBe('0-99');
    expect(ranges('bytes=0-9,91-99')).toBe('0-9 91-99');
    expect(ranges('bytes=500-599,0-9,550-,-1000')).toBe('0-999');
    expect(ranges('bytes=900-, 0-9, 905-910')).toBe('900-999 0-9');
  });

  test('are sixteen at most, or the whole is sent', () => {
    const many = (count: number): string =>
      `bytes=${Array.from({ length: count }, (_, i) => `${i * 200}-${i * 200}`).join()}`;
    expect(ranges(many(16), 10_000).split(' ')).toHaveLength(16);
    expect(ranges(many(17), 10_000)).toBe('whole');
    expect(parseRanges(many(3), 10_000, { ranges: 2 })).toBe('whole');
  });

  test('any: all that was asked for is sent, no byte twice, little else, and never more than there is', () => {
    const size = 2000;
    const asked = fc.tuple(fc.nat(2500), fc.nat(300)).map(([start, length]) => ({ start, length: length + 1 }));
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 16 }), (list) => {
        const value = `bytes=${list.map(({ start, length }) => `${start}-${start + length - 1}`).join(', ')}`;
        const outcome = parseRanges(value, size);
        const wanted = new Uint8Array(size);
        for (const { start, length } of list) wanted.fill(1, Math.min(start, size), Math.min(start + length, size));
        const sent = new Uint8Array(size);
        if (typeof outcome !== 'string') {
          for (const { start, length } of outcome) {
            expect(length).toBeGreaterThan(0);
            expect(start + length).toBeLessThanOrEqual(size);
            for (let i = start; i < start + length; i++) sent[i] = (sent[i] as number) + 1;
          }
        } else {
          expect(outcome).toBe('unsatisfiable');
        }
        let gap = 0;
        let wrong = 0;
        for (let i = 0; i < size; i++) {
          gap = sent[i] === 1 && wanted[i] === 0 ? gap + 1 : 0;
          if ((sent[i] as number) > 1 || (wanted[i] === 1 && sent[i] !== 1) || gap > 80) wrong++;
        }
        expect(wrong).toBe(0);
      }),
    );
  });
});
