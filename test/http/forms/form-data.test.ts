import { describe, expect, test } from 'vitest';
import { parseUrlEncoded, readFormData } from '../../../lib/http/forms/index.js';
import { field, inPieces, lines, TYPE, whole } from './bodies.js';

const URL_ENCODED = 'application/x-www-form-urlencoded';

describe('a whole form', () => {
  test('of multipart/form-data has strings and Files', async () => {
    const body = lines(
      ...field('a', '1'),
      ...field('a', 'ü'),
      '--XX',
      'Content-Disposition: form-data; name="f"; filename="x.png"',
      'Content-Type: image/png',
      '',
      'bytes',
      '--XX--',
    );
    const form = await readFormData(inPieces(Buffer.from(body), [50, 100]), TYPE);
    expect(form).toBeInstanceOf(FormData);
    expect(form.getAll('a')).toEqual(['1', 'ü']);
    const file = form.get('f') as File;
    expect(file).toBeInstanceOf(File);
    expect([file.name, file.type, await file.text()]).toEqual(['x.png', 'image/png', 'bytes']);
  });

  test('of an url-encoded one has strings, also where a character is cut in two', async () => {
    const form = await readFormData(
      inPieces(Buffer.from('a=1&b=x+y&a=%C3%BC&c=ü'), [22]),
      `${URL_ENCODED}; charset=utf-8`,
    );
    expect([...form]).toEqual([
      ['a', '1'],
      ['b', 'x y'],
      ['a', 'ü'],
      ['c', 'ü'],
    ]);
  });

  test('of another type is refused with 415, which names it', async () => {
    await expect(readFormData(whole('{}'), 'application/json')).rejects.toMatchObject({
      status: 415,
      code: 'ERR_MILLRACE_HTTP_MEDIA_TYPE',
      message: 'The body must be a form; got "application/json"',
    });
    await expect(readFormData(whole(''), null)).rejects.toThrow('got no Content-Type');
  });

  test('above a limit is refused with 413', async () => {
    const limit = { status: 413, code: 'ERR_MILLRACE_HTTP_BODY_LIMIT' };
    await expect(readFormData(whole('a=1234'), URL_ENCODED, { totalBytes: 5 })).rejects.toMatchObject(limit);
    await expect(readFormData(whole('a&b&c'), URL_ENCODED, { parts: 2 })).rejects.toMatchObject(limit);
    await expect(
      readFormData(whole(lines(...field('a', '1'), '--XX--')), TYPE, { totalBytes: 5 }),
    ).rejects.toMatchObject(limit);
  });
});

describe('what is url-encoded', () => {
  const pairs = (text: string): [string, string][] => [...parseUrlEncoded(Buffer.from(text))];

  test('is never malformed', () => {
    expect(pairs('')).toEqual([]);
    expect(pairs('&&')).toEqual([]);
    expect(pairs('a')).toEqual([['a', '']]);
    expect(pairs('=b')).toEqual([['', 'b']]);
    expect(pairs('a=%zz&b=%')).toEqual([
      ['a', '%zz'],
      ['b', '%'],
    ]);
    expect(pairs('a=%ff')).toEqual([['a', '\ufffd']]);
    expect(pairs('a;b=c')).toEqual([['a;b', 'c']]);
  });

  test('may begin with a question mark', () => {
    expect(pairs('?a=1')).toEqual([['?a', '1']]);
  });
});
