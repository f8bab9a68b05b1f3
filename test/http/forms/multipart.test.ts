import { describe, expect, test } from 'vitest';
import { boundaryOf, type FormLimits, Multipart } from '../../../lib/http/forms/index.js';
import { field, inPieces, lines, partsOf, TYPE, whole } from './bodies.js';

describe('the parts of a form', () => {
  test('are fields and files', async () => {
    const body = lines(
      ...field('title', 'Holidays'),
      '--XX',
      'content-disposition: form-data; name="photo"; filename="a b.png"',
      'Content-Type: image/png',
      'X-Other: y',
      '',
      '\x89PNG\r\n--X\r\n',
      '--XX--',
      '',
    );
    expect(await partsOf(inPieces(Buffer.from(body, 'latin1'), []))).toEqual([
      ['title', undefined, 'text/plain', 'Holidays'],
      ['photo', 'a b.png', 'image/png', '\x89PNG\r\n--X\r\n'],
    ]);
  });

  test('have all their fields', async () => {
    const multipart = new Multipart(whole(lines(...field('a', '1', 'X-One: 1', 'x-one: 2'), '--XX--')), TYPE);
    const { value } = await multipart.next();
    expect({ ...value?.headers }).toEqual({ 'content-disposition': 'form-data; name="a"', 'x-one': '1' });
  });

  test('may be empty, or none at all', async () => {
    expect(await partsOf(whole(lines(...field('a', ''), ...field('b', ''), '--XX--')))).toEqual([
      ['a', undefined, 'text/plain', ''],
      ['b', undefined, 'text/plain', ''],
    ]);
    expect(await partsOf(whole('--XX--\r\n'))).toEqual([]);
    expect(await partsOf(whole('--XX--'))).toEqual([]);
    // The line that ends the fields is the beginning of the delimiter.
    expect(await partsOf(whole('--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n--XX--\r\n'))).toEqual([
      ['a', undefined, 'text/plain', ''],
    ]);
  });

  test('stand between a preamble and an epilogue that nobody reads', async () => {
    const body = lines('not a part', '--X', '--XY is none', ...field('a', '1'), '--XX-- \t', 'rest', '--XX', 'no part');
    expect(await partsOf(whole(body.replace('--XY is none\r\n', '')))).toEqual([['a', undefined, 'text/plain', '1']]);
  });

  test('contain what looks like a delimiter, and is none', async () => {
    for (const data of ['\r\n--X', '\r\n-', '\r', '\r\n', '-XX', '\n--XX', '\r\n\r\n--', '\r\r\n--X', 'a\r\n--x']) {
      expect(await partsOf(whole(lines(...field('a', data), '--XX--')))).toEqual([
        ['a', undefined, 'text/plain', data],
      ]);
    }
  });

  test('may have spaces behind the delimiter', async () => {
    expect(await partsOf(whole('--XX \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--  \r\n'))).toEqual([
      ['a', undefined, 'text/plain', '1'],
    ]);
  });
});

describe('the name of a part or file', () => {
  const nameOf = async (parameters: string): Promise<unknown> => {
    const body = lines('--XX', `Content-Disposition: form-data; ${parameters}`, '', '', '--XX--');
    const parts = await partsOf(whole(body));
    return typeof parts === 'string' ? parts : parts[0]?.slice(0, 2);
  };

  test.each([
    ['name="a"; filename="x.txt"', ['a', 'x.txt']],
    ['name=a;filename=x.txt', ['a', 'x.txt']],
    ['NAME="a" ; FileName="x" ; ', ['a', 'x']],
    ['filename="x"; name="a"', ['a', 'x']],
    ['name="ü€😀"; filename="日本.txt"', ['ü€😀', '日本.txt']],
    ['name="a; filename=b"', ['a; filename=b', undefined]],
    ['name=""; filename=""', ['', '']],
    // Browsers.
    ['name="a%22b%0D%0Ac%41"; filename="%22.txt"', ['a"b\r\nc%41', '".txt']],
    // curl, Go.
    ['name="a\\"b\\\\c"; filename="\\"\\"x"', ['a"b\\c', '""x']],
    // Others leave backslashes as they are.
    ['name="f"; filename="C:\\dir\\file.txt"', ['f', 'C:\\dir\\file.txt']],
    ["name=f; filename*=UTF-8''%e2%82%ac.txt", ['f', '€.txt']],
    ['name=f; filename="plain"; filename*=UTF-8\'\'other', ['f', 'plain']],
    ["name=f; filename*=UTF-8''%ff", ['f', undefined]],
    ['name=a; name=b', ['a', undefined]],
    ['name=a; __proto__=x; constructor=y', ['a', undefined]],
  ])('%s', async (parameters, expected) => {
    expect(await nameOf(parameters)).toEqual(expected);
  });

  test.each(['name="a', 'name="a"x', 'name', 'name=', '=a', 'name="a"; b', 'name=a b', 'name="a\\"'])(
    '%s: malformed',
    async (parameters) => {
      expect(await nameOf(parameters)).toBe('400 The Content-Disposition of a part is malformed');
    },
  );
});

describe('malformed bodies are refused with 400', () => {
  const disposition = 'Content-Disposition: form-data; name="a"';

  test.each([
    ['', 'ends before its last delimiter'],
    ['--X', 'ends before its last delimiter'],
    ['--XX', 'ends before its last delimiter'],
    ['--XX-', 'ends before its last delimiter'],
    ['--XX--\r', 'ends before its last delimiter'],
    ['--XX\r\n', 'ends before its last delimiter'],
    [`--XX\r\n${disposition}\r\n`, 'ends before its last delimiter'],
    [`--XX\r\n${disposition}\r\n\r\n1`, 'ends before its last delimiter'],
    [`--XX\r\n${disposition}\r\n\r\n1\r\n--XX`, 'ends before its last delimiter'],
    ['--XX \r', 'ends before its last delimiter'],
    ['--XXY\r\n', 'something behind it'],
    ['--XX-\r\n', 'something behind it'],
    ['--XX -\r\n', 'something behind it'],
    ['--XX\n', 'something behind it'],
    ['--XX\r\r\n', 'something behind it'],
    [`--XX${' '.repeat(300)}\r\n`, 'something behind it'],
    ['--XX--x', 'last delimiter of the multipart body has something behind'],
    ['--XX---', 'last delimiter of the multipart body has something behind'],
    ['--XX--\rx', 'last delimiter of the multipart body has something behind'],
    ['--XX\r\n\r\n1\r\n--XX--', 'no Content-Disposition'],
    ['--XX\r\nContent-Type: a/b\r\n\r\n1\r\n--XX--', 'no Content-Disposition'],
    [
      '--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--XX--',
      'Content-Disposition of a part is malformed',
    ],
    [
      '--XX\r\nContent-Disposition: form-datax; name=a\r\n\r\n1\r\n--XX--',
      'Content-Disposition of a part is malformed',
    ],
    ['--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--', 'no name'],
    ['--XX\r\nContent-Disposition: form-data; filename=a\r\n\r\n1\r\n--XX--', 'no name'],
    [`--XX\r\n${disposition}\r\nno colon\r\n\r\n1\r\n--XX--`, 'a line that is no field'],
    [`--XX\r\n${disposition}\r\n folded: x\r\n\r\n1\r\n--XX--`, 'a line that is no field'],
    [`--XX\r\n${disposition}\r\nA : x\r\n\r\n1\r\n--XX--`, 'a line that is no field'],
    [`--XX\r\n${disposition}\r\nA: x\ny\r\n\r\n1\r\n--XX--`, 'bare CR, LF or NUL'],
    [`--XX\r\n${disposition}\r\nA: x\0\r\n\r\n1\r\n--XX--`, 'bare CR, LF or NUL'],
  ])('%j', async (body, message) => {
    const outcome = await partsOf(whole(body));
    expect(outcome).toMatch(/^400 /);
    expect(outcome).toContain(message);
    expect(
      await partsOf(
        inPieces(
          Buffer.from(body),
          Array.from(body, (_, i) => i),
        ),
      ),
    ).toEqual(outcome);
  });
});

describe('the boundary', () => {
  test('is that of Content-Type', () => {
    expect(boundaryOf('multipart/form-data; boundary=----WebKitFormBoundaryABC')).toBe('----WebKitFormBoundaryABC');
    expect(boundaryOf('Multipart/Form-Data; charset=utf-8; Boundary="a b:?"')).toBe('a b:?');
  });

  test.each([
    ['multipart/form-data', 400],
    ['multipart/form-data; boundary=', 415],
    ['multipart/form-data; boundary=""', 400],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, 400],
    ['multipart/form-data; boundary="a "', 400],
    ['multipart/form-data; boundary="a\\"b"', 400],
    ['multipart/form-data; boundary="a;b"', 400],
    ['multipart/mixed; boundary=a', 415],
    ['text/plain', 415],
    ['', 415],
    [null, 415],
    [undefined, 415],
  ])('%j: %i', (type, status) => {
    expect(() => boundaryOf(type)).toThrow(expect.objectContaining({ status }));
    expect(() => new Multipart(whole(''), type)).toThrow(expect.objectContaining({ status }));
  });
});

describe('limits', () => {
  const body = lines(
    ...field('a', '12345'),
    '--XX',
    'Content-Disposition: form-data; name=f; filename=x',
    '',
    '1234567',
    '--XX--',
  );
  const with_ = (limits: FormLimits): Promise<unknown> => partsOf(whole(body), limits);

  test('are kept to the byte', async () => {
    const exact = { parts: 2, fieldBytes: 5, fileBytes: 7, totalBytes: body.length, headBytes: 64 };
    expect(await with_(exact)).toHaveLength(2);
    expect(await with_({ ...exact, parts: 1 })).toBe('413 The number of parts is over the limit of 1');
    expect(await with_({ ...exact, fieldBytes: 4 })).toBe('413 The field "a" is over the limit of 4');
    expect(await with_({ ...exact, fileBytes: 6 })).toBe('413 The file "f" is over the limit of 6');
    expect(await with_({ ...exact, totalBytes: body.length - 1 })).toBe(
      `413 The body is over the limit of ${body.length - 1}`,
    );
  });

  test("hold for a part's fields, also when they come byte by byte and never end", async () => {
    const endless = (async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('--XX\r\n');
      for (;;) yield Buffer.from('a');
    })();
    expect(await partsOf(endless, { headBytes: 100 })).toBe("413 The size of a part's fields is over the limit of 100");
  });

  test('hold for what is skipped, and for the epilogue', async () => {
    const skip = async (limits: FormLimits, body: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const _ of new Multipart(body, TYPE, limits));
    };
    await expect(skip({ fileBytes: 6 }, whole(body))).rejects.toMatchObject({ status: 413 });
    await expect(skip({ totalBytes: 1000 }, whole(`${body}\r\n${'x'.repeat(2000)}`))).rejects.toMatchObject({
      status: 413,
    });
    await expect(skip({ totalBytes: 1000 }, whole('x'.repeat(2000)))).rejects.toMatchObject({ status: 413 });
  });

  test('are checked', () => {
    const make = (limits: unknown): Multipart => new Multipart(whole(''), TYPE, limits as FormLimits);
    expect(() => make(null)).toThrow('limits must be an object');
    expect(() => make({ parts: 0 })).toThrow('limits.parts must be an integer from 1');
    expect(() => make({ headBytes: 1 })).toThrow(RangeError);
    expect(() => make({ fieldBytes: '1' })).toThrow('limits.fieldBytes must be a number; got "1"');
  });
});

describe('reading', () => {
  const body = lines(...field('a', 'first'), ...field('b', 'second'), '--XX--');

  test('asks the body for no more than is needed', async () => {
    let asked = 0;
    const bytes = Buffer.from(body);
    const source = (async function* (): AsyncGenerator<Buffer> {
      for (const byte of bytes) {
        asked++;
        yield Buffer.of(byte);
      }
    })();
    const multipart = new Multipart(source, TYPE);
    expect(asked).toBe(0);
    const { value: part } = await multipart.next();
    expect(asked).toBe(body.indexOf('first'));
    const piece = await part?.[Symbol.asyncIterator]().next();
    expect(String(piece?.value)).toBe('f');
    expect(asked).toBe(body.indexOf('first') + 1);
  });

  test('skips what nobody wants', async () => {
    const names: string[] = [];
    for await (const part of new Multipart(whole(body), TYPE)) names.push(part.name);
    expect(names).toEqual(['a', 'b']);
  });

  test('goes on after a part of which only the beginning was read', async () => {
    const multipart = new Multipart(inPieces(Buffer.from(body), [body.indexOf('rst')]), TYPE);
    const { value: first } = await multipart.next();
    for await (const piece of first ?? []) {
      expect(piece.toString()).toBe('fi');
      break;
    }
    const { value: second } = await multipart.next();
    expect(await second?.text()).toBe('second');
    expect(await multipart.next()).toEqual({ done: true, value: undefined });
    expect(await multipart.next()).toEqual({ done: true, value: undefined });
  });

  test('of a part that has gone by, or twice, is an error, and no harm to the others', async () => {
    const multipart = new Multipart(whole(body), TYPE);
    const { value: first } = await multipart.next();
    const { value: second } = await multipart.next();
    const consumed = { code: 'ERR_MILLRACE_CONSUMED' };
    await expect(first?.text()).rejects.toMatchObject(consumed);
    expect(await second?.text()).toBe('second');
    await expect(second?.text()).rejects.toMatchObject(consumed);
    expect(() => second?.stream()).toThrow(expect.objectContaining(consumed));
    expect((await multipart.next()).done).toBe(true);
  });

  test('of several at once takes turns', async () => {
    const multipart = new Multipart(whole(body), TYPE);
    const [first, second, end] = await Promise.all([multipart.next(), multipart.next(), multipart.next()]);
    expect([first.value?.name, second.value?.name, end.done]).toEqual(['a', 'b', true]);
  });

  test('as a stream, or as a File', async () => {
    const upload = lines(
      '--XX',
      'Content-Disposition: form-data; name=f; filename=x.bin',
      'Content-Type: a/b',
      '',
      'data',
      '--XX--',
    );
    const { value: part } = await new Multipart(inPieces(Buffer.from(upload), [upload.indexOf('ta')]), TYPE).next();
    const pieces: Uint8Array[] = [];
    for await (const piece of part?.stream() ?? []) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe('data');
    const { value: again } = await new Multipart(whole(upload), TYPE).next();
    const file = await again?.file();
    expect([file?.name, file?.type, await file?.text()]).toEqual(['x.bin', 'a/b', 'data']);
  });

  test('after a failure gives that failure, and ends the body when one leaves', async () => {
    const multipart = new Multipart(whole('--XX\r\n\r\n'), TYPE);
    await expect(multipart.next()).rejects.toMatchObject({ status: 400 });
    await expect(multipart.next()).rejects.toMatchObject({ status: 400 });
    let left = false;
    const source = (async function* (): AsyncGenerator<Buffer> {
      try {
        yield Buffer.from(body);
        yield Buffer.from('never');
      } finally {
        left = true;
      }
    })();
    for await (const _ of new Multipart(source, TYPE)) break;
    expect(left).toBe(true);
  });

  test('what the body throws is thrown', async () => {
    const gone = new Error('the peer has gone');
    const source = (async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from(body.slice(0, -20));
      throw gone;
    })();
    await expect(partsOf(source)).rejects.toBe(gone);
  });
});
