// The tree against the plainest matcher there is: all patterns, each segment by segment, the best of those that match.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RouteTable } from '../../../lib/http/routing/index.js';

const segment = fc.constantFrom('a', 'b', 'ab', '', ':p', ':p');
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 5 }), fc.constantFrom('', '', '/*'))
  .map(([segments, end]) => `/${segments.map((text, i) => (text === ':p' ? `:p${i}` : text)).join('/')}${end}`);
const methods = fc.uniqueArray(fc.constantFrom('GET', 'PUT', 'DELETE'), { minLength: 1 });
const path = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'c', ''), { minLength: 1, maxLength: 6 })
  .map((p) => `/${p.join('/')}`);

interface Found {
  /** For each segment: 0 text, 1 parameter, 2 wildcard. Text sorts first. */
  rank: string;
  params: Record<string, string>;
}

function matchPattern(pattern: string, path: string): Found | null {
  const wanted = pattern.slice(1).split('/');
  const given = path.slice(1).split('/');
  const found: Found = { rank: '', params: {} };
  for (const [i, text] of wanted.entries()) {
    if (text === '*') {
      if (i >= given.length) return null;
      found.rank += '2';
      found.params['*'] = given.slice(i).join('/');
      return found;
    }
    const segment = given[i];
    if (segment === undefined) return null;
    if (text.startsWith(':')) {
      if (segment === '') return null;
      found.rank += '1';
      found.params[text.slice(1)] = segment;
    } else {
      if (text !== segment) return null;
      found.rank += '0';
    }
  }
  return wanted.length === given.length ? found : null;
}

test('any table and any path: the tree finds what a search through all patterns finds', () => {
  const table = fc.uniqueArray(fc.tuple(pattern, methods), { maxLength: 25, selector: ([text]) => text });
  fc.assert(
    fc.property(
      table,
      fc.array(path, { minLength: 1, maxLength: 10 }),
      fc.constantFrom('GET', 'PUT'),
      (list, paths, method) => {
        const routes = Object.fromEntries(
          list.map(([text, names]) => [text, Object.fromEntries(names.map((name) => [name, `${name} ${text}`]))]),
        );
        const tree = new RouteTable<string>({ routes });
        for (const path of paths) {
          const matching = list.flatMap(([text, names]) => {
            const found = matchPattern(text, path);
            return found === null ? [] : [{ ...found, text, names }];
          });
          const [best] = matching
            .filter(({ names }) => names.includes(method as 'GET'))
            .sort((a, b) => (a.rank < b.rank ? -1 : 1));
          const match = tree.match(method, '', path);
          if (best !== undefined) {
            expect([match.handler, { ...match.params }]).toEqual([`${method} ${best.text}`, best.params]);
            continue;
          }
          expect(match.kind).toBe(matching.length === 0 ? 'not-found' : 'method-not-allowed');
          const allowed = new Set(matching.flatMap(({ names }) => names as string[]));
          if (allowed.has('GET')) allowed.add('HEAD');
          if (matching.length > 0) expect(match.allow).toBe([...allowed, 'OPTIONS'].sort().join(', '));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a character whose second half is that of an encoded slash stays what it is', () => {
  const table = new RouteTable({ routes: { '/x/:value': () => {} } });
  const value = '\u{103ff}/\u{133ff}';
  expect(table.match('GET', '', `/x/${encodeURIComponent(value)}`).params.value).toBe(value);
  const fixed = new RouteTable({ routes: { [`/${encodeURIComponent(value)}`]: 'here' } });
  expect(fixed.entries().map(({ path }) => path)).toEqual([`/${encodeURIComponent(value)}`]);
});

test('any value of a parameter comes back, however it was encoded', () => {
  const table = new RouteTable({ routes: { '/x/:value/end': () => {}, '/w/*': () => {} } });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
      expect(table.match('GET', '', `/x/${encodeURIComponent(value)}/end`).params.value).toBe(value);
      expect(table.match('GET', '', `/w/${encodeURIComponent(value)}`).params['*']).toBe(value);
    }),
  );
});
