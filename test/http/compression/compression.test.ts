import { brotliDecompressSync, createBrotliDecompress, createGunzip, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addVary,
  type CompressionOptions,
  Compressor,
  compressionOptionsOf,
  compressPieces,
  compressWhole,
  decideCompression,
  isCompressible,
} from '../../../lib/http/compression/index.js';
import { Fields } from '../../../lib/http/fields/index.js';

const DEFAULTS = compressionOptionsOf({});
const decompress = { gzip: gunzipSync, br: brotliDecompressSync };
const CODINGS = ['gzip', 'br'] as const;

describe('the decision', () => {
  function decide(
    fields: Fields,
    {
      status = 200,
      length = 5000 as number | null,
      accept = 'br, gzip' as string | null,
      options = {} as CompressionOptions,
    } = {},
  ): string | null {
    const request = new Map(accept === null ? [] : [['accept-encoding', accept]]);
    return decideCompression({ status, request, fields, length }, compressionOptionsOf(options));
  }
  const text = (more: Record<string, string> = {}): Fields =>
    new Fields({ 'Content-Type': 'text/html; charset=utf-8', ...more });

  test('for text: the coding that the client likes, and fields that say so', () => {
    const fields = text({ ETag: '"1"', 'Content-Length': '5000', 'Accept-Ranges': 'bytes' });
    expect(decide(fields)).toBe('br');
    expect(Object.fromEntries(fields)).toEqual({
      'content-type': 'text/html; charset=utf-8',
      etag: 'W/"1"',
      vary: 'Accept-Encoding',
      'content-encoding': 'br',
    });
  });

  test('for a stream too: nobody knows how long it will be', () => {
    expect(decide(text(), { length: null })).toBe('br');
  });

  test('Vary is there also when the client wants none', () => {
    for (const accept of [null, 'identity', 'deflate', 'identity;q=0']) {
      const fields = text({ ETag: '"1"' });
      expect(decide(fields, { accept })).toBeNull();
      expect(fields.get('vary')).toBe('Accept-Encoding');
      expect(fields.get('etag')).toBe('"1"');
      expect(fields.has('content-encoding')).toBe(false);
    }
  });

  test.each<[string, Fields, Parameters<typeof decide>[1]]>([
    ['what is short', text(), { length: 1023 }],
    ['ranges', text({ 'Content-Range': 'bytes 0-9/10' }), { status: 206 }],
    ['several ranges', text(), { status: 206 }],
    ['what cannot be satisfied', text({ 'Content-Range': 'bytes */10' }), { status: 416 }],
    ['what has no body', text(), { status: 304 }],
    ['what is compressed', text({ 'Content-Encoding': 'gzip' }), {}],
    ['what must not be transformed', text({ 'Cache-Control': 'max-age=1, No-Transform' }), {}],
    ['images', new Fields({ 'Content-Type': 'image/png' }), {}],
    ['what has no type', new Fields(), {}],
  ])('never for %s', (_, fields, options) => {
    const before = [...fields];
    expect(decide(fields, options)).toBeNull();
    expect([...fields]).toEqual(before);
  });

  test('heeds the options', () => {
    expect(decide(text(), { length: 10, options: { minBytes: 10 } })).toBe('br');
    expect(decide(text(), { options: { codings: ['gzip'] } })).toBe('gzip');
    expect(
      decide(new Fields({ 'Content-Type': 'image/png' }), {
        options: { compressible: (type) => type === 'image/png' },
      }),
    ).toBe('br');
  });

  test('keeps what Vary has', () => {
    const vary = (present: string): string | null => {
      const fields = new Fields({ Vary: present });
      addVary(fields, 'Accept-Encoding');
      return fields.get('vary');
    };
    expect(vary('Origin')).toBe('Origin, Accept-Encoding');
    expect(vary('Origin, accept-encoding')).toBe('Origin, accept-encoding');
    expect(vary('*')).toBe('*');
  });
});

test('types that become smaller are known', () => {
  for (const type of ['text/css', 'application/json', 'application/ld+json', 'image/svg+xml', 'application/wasm']) {
    expect(isCompressible(type), type).toBe(true);
  }
  for (const type of ['image/jpeg', 'video/mp4', 'application/zip', 'font/woff2', 'application/octet-stream', '']) {
    expect(isCompressible(type), type).toBe(false);
  }
});

describe.each(CODINGS)('%s', (coding) => {
  test('of a whole body comes back', async () => {
    for (const text of ['', 'x', 'ü€'.repeat(20_000)]) {
      const compressed = await compressWhole(text, coding, DEFAULTS);
      expect(decompress[coding](compressed).toString()).toBe(text);
    }
    expect((await compressWhole('a'.repeat(10_000), coding, DEFAULTS)).length).toBeLessThan(100);
  });

  test('of any pieces comes back', async () => {
    const pieces = fc.array(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 })), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), async (list, flush) => {
        const body = (async function* (): AsyncGenerator<string | Uint8Array> {
          yield* list;
        })();
        const out: Buffer[] = [];
        for await (const piece of compressPieces(body, new Compressor(coding, DEFAULTS), flush)) out.push(piece);
        const expected = Buffer.concat(list.map((piece) => Buffer.from(piece as string)));
        expect(decompress[coding](Buffer.concat(out)).equals(expected)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('with flush: each piece can be read before the next one is written', async () => {
    const compressor = new Compressor(coding, DEFAULTS);
    const reader = coding === 'gzip' ? createGunzip() : createBrotliDecompress();
    let read = '';
    reader.on('data', (piece: Buffer) => {
      read += piece.toString();
    });
    for (const event of ['data: one\n\n', 'data: two\n\n']) {
      const compressed = await compressor.push(event, true);
      expect(compressed.length).toBeGreaterThan(0);
      await new Promise<unknown>((resolve) => reader.write(compressed, resolve));
      expect(read.endsWith(event)).toBe(true);
    }
    await compressor.finish();
    reader.destroy();
  });

  test('asks the body for no more than is wanted', async () => {
    let asked = 0;
    const body = (async function* (): AsyncGenerator<string> {
      for (;;) {
        asked++;
        yield 'x'.repeat(1000);
      }
    })();
    const pieces = compressPieces(body, new Compressor(coding, DEFAULTS), true);
    await pieces.next();
    expect(asked).toBe(1);
    await pieces.next();
    expect(asked).toBe(2);
    await pieces.return();
  });

  test('ends the body when nobody wants more', async () => {
    let left = false;
    const body = (async function* (): AsyncGenerator<string> {
      try {
        for (;;) yield 'x';
      } finally {
        left = true;
      }
    })();
    const compressor = new Compressor(coding, DEFAULTS);
    for await (const _ of compressPieces(body, compressor, true)) break;
    expect(left).toBe(true);
    await expect(compressor.push('y')).rejects.toMatchObject({ code: 'ERR_MILLRACE_INVALID_STATE' });
  });

  test('destroyed while it works, it says so', async () => {
    const compressor = new Compressor(coding, DEFAULTS);
    const pushed = compressor.push('x'.repeat(100_000), true);
    compressor.destroy();
    await expect(pushed).rejects.toThrow();
    await expect(compressor.finish()).rejects.toMatchObject({ code: 'ERR_MILLRACE_INVALID_STATE' });
  });

  test('a body that fails is not an end', async () => {
    const gone = new Error('gone');
    const body = (async function* (): AsyncGenerator<string> {
      yield 'x';
      throw gone;
    })();
    const out: Buffer[] = [];
    const read = (async () => {
      for await (const piece of compressPieces(body, new Compressor(coding, DEFAULTS), true)) out.push(piece);
    })();
    await expect(read).rejects.toBe(gone);
    expect(() => decompress[coding](Buffer.concat(out))).toThrow();
  });
});

test('options are checked', () => {
  const make = (options: unknown): unknown => compressionOptionsOf(options as CompressionOptions);
  expect(() => make(null)).toThrow('compression must be an object');
  expect(() => make({ codings: ['deflate'] })).toThrow("compression.codings must be a list of 'br' and 'gzip'");
  expect(() => make({ minBytes: -1 })).toThrow(RangeError);
  expect(() => make({ gzipLevel: 10 })).toThrow('compression.gzipLevel must be an integer from 1 to 9; got 10');
  expect(() => make({ brotliQuality: '4' })).toThrow(TypeError);
  expect(() => make({ compressible: true })).toThrow('compression.compressible must be a function');
});
