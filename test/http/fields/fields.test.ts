import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONTENT_LENGTH, CONTENT_TYPE, Fields } from '../../../lib/http/fields/index.js';
import { Reply } from '../../../lib/http/index.js';

describe('fields of a reply', () => {
  test('are sent in the order of their setting, spelt as they were', () => {
    const fields = new Fields({ 'Content-Type': 'text/plain', etag: '"1"' });
    fields.set('X-Count', 3).append('vary', 'accept');
    expect(fields.serialize()).toBe('Content-Type: text/plain\r\netag: "1"\r\nX-Count: 3\r\nvary: accept\r\n');
  });

  test('made of others are spelt as those, and are lines of their own', () => {
    const fields = new Fields({ ETag: '"1"', 'Content-Length': 3 });
    const same = new Fields(fields);
    fields.set('ETag', '"2"').delete('content-length');
    expect(same.serialize()).toBe('ETag: "1"\r\nContent-Length: 3\r\n');
    expect(same.known & CONTENT_LENGTH).toBe(CONTENT_LENGTH);
    expect(new Reply('x', { headers: fields }).headers.serialize()).toBe('ETag: "2"\r\n');
  });

  test('set takes the place of all lines of that name, whatever their case', () => {
    const fields = new Fields([
      ['a', '1'],
      ['B', '2'],
      ['A', '3'],
      ['c', '4'],
    ]);
    fields.set('A', 'x');
    expect([...fields]).toEqual([
      ['a', 'x'],
      ['b', '2'],
      ['c', '4'],
    ]);
  });

  test('append adds lines; get joins them; Set-Cookie can be had line by line', () => {
    const fields = new Fields().append('Set-Cookie', 'a=1').append('set-cookie', ['b=2', 'c=3']).append('Vary', 'x');
    fields.append('vary', 'y');
    expect(fields.get('VARY')).toBe('x, y');
    expect(fields.getSetCookie()).toEqual(['a=1', 'b=2', 'c=3']);
    expect(fields.size).toBe(5);
    expect(fields.serialize().match(/^set-cookie: /gim)).toHaveLength(3);
  });

  test('of a list are as many lines', () => {
    const fields = new Fields({ link: ['<a>', '<b>'], none: undefined });
    expect(fields.getAll('link')).toEqual(['<a>', '<b>']);
    fields.set('link', ['<c>']);
    expect(fields.getAll('link')).toEqual(['<c>']);
    expect(fields.has('none')).toBe(false);
  });

  test('delete tells whether there was one', () => {
    const fields = new Fields({ a: '1', b: '2' });
    expect(fields.delete('A')).toBe(true);
    expect(fields.delete('a')).toBe(false);
    expect(fields.get('a')).toBeNull();
    expect(fields.serialize()).toBe('b: 2\r\n');
  });

  test('are made of a Headers', () => {
    const headers = new Headers({ 'x-a': '1' });
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');
    expect(new Fields(headers).getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  test('know which of the names that framing depends on are there', () => {
    const fields = new Fields({ 'content-TYPE': 'text/plain', 'Content-Length': 3 });
    expect(fields.known & CONTENT_LENGTH).toBe(CONTENT_LENGTH);
    fields.delete('content-length');
    expect(fields.known).toBe(CONTENT_TYPE);
    fields.set('Content-Type', []);
    expect(fields.known).toBe(0);
  });

  test('lose the space around a value, and only that', () => {
    expect(new Fields({ a: ' \tb c\t ' }).serialize()).toBe('a: b c\r\n');
    expect(new Fields({ a: '' }).serialize()).toBe('a: \r\n');
    expect(new Fields({ a: ' ' }).serialize()).toBe('a: \r\n');
    expect(new Fields({ a: '\u00a0b' }).get('a')).toBe('\u00a0b');
  });
});

describe('nothing gets into a head that could end a line', () => {
  const code = 'ERR_MILLRACE_HTTP_FIELD';

  test.each(['a\r\nb', 'a\nb', 'a\rb', 'a\0b', 'a\x7f', '\x1b', 'π', '😀', '\n'])('the value %j throws', (value) => {
    const fields = new Fields();
    expect(() => fields.set('x', value)).toThrow(expect.objectContaining({ name: 'TypeError', code }));
    expect(() => fields.append('x', ['good', value])).toThrow(expect.objectContaining({ code }));
    expect(fields.size).toBe(0);
  });

  test.each(['', 'a b', 'a:', 'a\r\n', 'ä', 'a\0', '(', 'x\u{1f600}'])('the name %j throws', (name) => {
    expect(() => new Fields().set(name, 'v')).toThrow(expect.objectContaining({ name: 'TypeError', code }));
  });

  test('the message says where and what', () => {
    expect(() => new Fields().set('Location', '/a\r\nb')).toThrow(
      'The value of location must not contain U+000D, at index 2',
    );
    expect(() => new Fields().set('a b', '')).toThrow('U+0020 at index 1 is not of one');
  });

  test('other types throw, naming the field', () => {
    const wrong = (value: unknown): void => void new Fields().set('x', value as string);
    expect(() => wrong(undefined)).toThrow('The value of x must be a string or a number; got undefined');
    expect(() => wrong({})).toThrow('got an instance of Object');
    expect(() => wrong([1n])).toThrow('got 1n');
    expect(() => new Fields().set(3 as unknown as string, '')).toThrow('name must be a string; got 3');
    expect(() => new Fields([['a']] as unknown as Iterable<[string, string]>)).toThrow('pairs of name and value');
  });

  test('a bad value is refused also right after the good one that is remembered', () => {
    const fields = new Fields().set('x-y', 'good');
    expect(() => fields.set('x-y', 'good\n')).toThrow(TypeError);
    expect(fields.get('x-y')).toBe('good');
  });

  test('any text is either refused or one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
        let block: string;
        try {
          block = new Fields().set(name, value).serialize();
        } catch (error) {
          expect(error).toMatchObject({ code });
          return;
        }
        expect(block.endsWith('\r\n')).toBe(true);
        expect(block.slice(0, -2)).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*$/);
      }),
    );
  });
});

test('any sequence of changes gives what a list of pairs gives', () => {
  const name = fc.constantFrom('a', 'A', 'b', 'Set-Cookie', 'set-cookie', 'Content-Length');
  const step = fc.record({
    op: fc.constantFrom('set', 'append', 'delete'),
    name,
    value: fc.constantFrom('1', '2', '3'),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const fields = new Fields();
      let model: [string, string][] = [];
      for (const { op, name, value } of steps) {
        const same = (pair: [string, string]): boolean => pair[0] === name.toLowerCase();
        const at = model.findIndex(same);
        if (op === 'append' || (op === 'set' && at < 0)) model.push([name.toLowerCase(), value]);
        else if (op === 'set') model = model.flatMap((p, i) => (i === at ? [[p[0], value]] : same(p) ? [] : [p]));
        else model = model.filter((pair) => !same(pair));
        if (op === 'set') fields.set(name, value);
        else if (op === 'append') fields.append(name, value);
        else fields.delete(name);
      }
      expect([...fields]).toEqual(model);
      expect((fields.known & CONTENT_LENGTH) !== 0).toBe(model.some((pair) => pair[0] === 'content-length'));
    }),
  );
});
