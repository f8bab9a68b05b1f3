import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isToken,
  listMembers,
  mediaEssence,
  parseMediaType,
  parseParameters,
  parseWeighted,
  tokenOrQuoted,
  unquote,
} from '../../../lib/http/fields/index.js';

describe('lists', () => {
  test('are split at commas, but not within quotes; empty members do not count', () => {
    expect(listMembers('')).toEqual([]);
    expect(listMembers(' , ,')).toEqual([]);
    expect(listMembers('a,b ,\tc')).toEqual(['a', 'b', 'c']);
    expect(listMembers('"a,b", W/"c\\",d" , e')).toEqual(['"a,b"', 'W/"c\\",d"', 'e']);
    expect(listMembers('a, "open, b')).toEqual(['a', '"open, b']);
  });

  test('a list of anything, quoted where it must be, comes back', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\\', ' ', ';', 'é'), minLength: 1 });
    fc.assert(
      fc.property(fc.array(text), (texts) => {
        const members = listMembers(texts.map(tokenOrQuoted).join(' , '));
        expect(members.map((member) => (isToken(member) ? member : unquote(member)))).toEqual(texts);
      }),
    );
  });
});

test('what is no quoted string is none', () => {
  for (const text of ['', '"', 'a', '"a', 'a"', '"a\\"', '"a"b"', 'a"b"']) expect(unquote(text), text).toBeNull();
  expect(unquote('""')).toBe('');
  expect(unquote('"\\a\\\\"')).toBe('a\\');
});

describe('parameters', () => {
  test('have values that are tokens or quoted', () => {
    expect({ ...parseParameters('; a=1 ;B="x; y";;', 0) }).toEqual({ a: '1', b: 'x; y' });
    expect({ ...parseParameters('  ', 0) }).toEqual({});
  });

  test('of one name: the first counts', () => {
    expect({ ...parseParameters(';a=1;A=2', 0) }).toEqual({ a: '1' });
  });

  test('inherit nothing', () => {
    const parameters = parseParameters(';__proto__=x;constructor=y', 0);
    expect(parameters?.constructor).toBe('y');
    expect(parameters?.toString).toBeUndefined();
    expect(Object.keys(parameters ?? {})).toEqual(['__proto__', 'constructor']);
  });

  test.each(['a', 'x;a=1', ';a', ';a=', ';a =1', ';a= 1', ';=1', ';a="x', ';a="x"y', ';a=b c'])(
    '%j: malformed',
    (text) => {
      expect(parseParameters(text, 0)).toBeNull();
    },
  );
});

describe('media types', () => {
  test('are compared in small letters', () => {
    expect(parseMediaType('Multipart/Form-Data; Boundary=AbC')).toMatchObject({
      essence: 'multipart/form-data',
      type: 'multipart',
      subtype: 'form-data',
      parameters: { boundary: 'AbC' },
    });
    expect(mediaEssence(' Application/JSON ;charset=utf-8')).toBe('application/json');
    expect(mediaEssence(null)).toBe('');
  });

  test.each(['', 'text', 'text/', '/html', 'text/html/x', 'text /html', 'text/html, text/plain', 'te xt/html'])(
    '%j is none',
    (text) => {
      expect(parseMediaType(text)).toBeNull();
      expect(mediaEssence(text)).toBe('');
    },
  );
});

describe('weights', () => {
  test('are 1 where there is none; other parameters stay', () => {
    expect(parseWeighted('text/html;level=1;q=0.7, */*;q=0').map(({ value, quality }) => [value, quality])).toEqual([
      ['text/html', 0.7],
      ['*/*', 0],
    ]);
    expect({ ...parseWeighted('text/html;level=1;q=0.7')[0]?.parameters }).toEqual({ level: '1' });
    expect(parseWeighted('GZIP ; Q=1.000')[0]).toMatchObject({ value: 'gzip', quality: 1 });
  });

  test.each(['a;q=2', 'a;q=1.1', 'a;q=-1', 'a;q=0.1234', 'a;q=.5', 'a;q=x', 'a;q', ';q=1', 'a b;q=1'])(
    '%j: such a member is left out',
    (text) => {
      expect(parseWeighted(text)).toEqual([]);
      expect(parseWeighted(`${text}, b`).map(({ value }) => value)).toEqual(['b']);
    },
  );
});
