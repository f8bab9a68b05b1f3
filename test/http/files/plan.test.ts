import { describe, expect, test } from 'vitest';
import { formatHttpDate } from '../../../lib/http/conditional/index.js';
import { type FilePlan, type FilePlanOptions, planFile } from '../../../lib/http/files/index.js';

const NOW = Date.UTC(2026, 0, 1);
const MODIFIED = Date.UTC(2025, 0, 1);
const STAT = { size: 1000, mtimeNs: BigInt(MODIFIED) * 1_000_000n };

function plan(fields: Record<string, string> = {}, method = 'GET', options: Partial<FilePlanOptions> = {}): FilePlan {
  return planFile(method, new Headers(fields), STAT, { type: 'text/plain', nowMs: NOW, ...options });
}

const tag = plan().fields.get('etag') as string;
const date = formatHttpDate(MODIFIED);

describe('a file is answered with', () => {
  test('all of it, and what a client needs to ask again', () => {
    const { status, fields, length, sections, tail } = plan();
    expect({ status, length, sections, tail }).toEqual({
      status: 200,
      length: 1000,
      sections: [{ head: '', start: 0, length: 1000 }],
      tail: '',
    });
    expect(Object.fromEntries(fields)).toEqual({
      etag: tag,
      'last-modified': date,
      'content-type': 'text/plain',
      'accept-ranges': 'bytes',
    });
    expect(tag).toMatch(/^"[\da-z]+-[\da-z]+"$/);
  });

  test('its length but no body for HEAD, which has no ranges', () => {
    expect(plan({ range: 'bytes=0-9' }, 'HEAD')).toMatchObject({ status: 200, length: 1000, sections: [] });
  });

  test('nothing if it is empty', () => {
    const empty = planFile('GET', new Map(), { size: 0, mtimeNs: 0n }, { type: 'text/plain' });
    expect(empty).toMatchObject({ status: 200, length: 0, sections: [] });
  });

  test('304 if the client has it, with the fields that keep its copy alive', () => {
    const { status, fields, sections } = plan({ 'if-none-match': tag }, 'GET', { cacheControl: 'max-age=60' });
    expect({ status, sections }).toEqual({ status: 304, sections: [] });
    expect(Object.fromEntries(fields)).toEqual({ etag: tag, 'last-modified': date, 'cache-control': 'max-age=60' });
    expect(plan({ 'if-modified-since': date }, 'HEAD').status).toBe(304);
  });

  test('412 if it is another than the client thinks', () => {
    expect(plan({ 'if-match': '"other"' })).toMatchObject({ status: 412, length: 0, sections: [] });
  });

  test('206 for a range', () => {
    const { status, fields, length, sections } = plan({ range: 'bytes=-100' });
    expect({ status, length, sections }).toEqual({
      status: 206,
      length: 100,
      sections: [{ head: '', start: 900, length: 100 }],
    });
    expect(fields.get('content-range')).toBe('bytes 900-999/1000');
    expect(fields.get('content-type')).toBe('text/plain');
  });

  test('416 and its size for a range that it does not have', () => {
    const { status, fields, length, sections } = plan({ range: 'bytes=1000-' });
    expect({ status, length, sections }).toEqual({ status: 416, length: 0, sections: [] });
    expect(Object.fromEntries(fields)).toEqual({ 'content-range': 'bytes */1000' });
  });

  test('conditions go before ranges', () => {
    expect(plan({ range: 'bytes=5000-', 'if-none-match': tag }).status).toBe(304);
    expect(plan({ range: 'bytes=5000-', 'if-match': '"x"' }).status).toBe(412);
  });

  test('a range only if it is of the state that the client has', () => {
    const range = 'bytes=0-9';
    expect(plan({ range, 'if-range': tag }).status).toBe(206);
    expect(plan({ range, 'if-range': date }).status).toBe(206);
    expect(plan({ range, 'if-range': '"old"' }).status).toBe(200);
    expect(plan({ range, 'if-range': formatHttpDate(MODIFIED - 1000) }).status).toBe(200);
    expect(plan({ range: 'bytes=5000-', 'if-range': '"old"' }).status).toBe(200);
  });

  test('several ranges in parts, and their length is told exactly', () => {
    const { status, fields, length, sections, tail } = plan({ range: 'bytes=0-9,500-509,-1' });
    expect(status).toBe(206);
    const boundary = /^multipart\/byteranges; boundary=(.+)$/.exec(fields.get('content-type') as string)?.[1];
    const body = sections.map((section) => `${section.head}${'x'.repeat(section.length)}`).join('') + tail;
    expect(body).toBe(
      [
        `--${boundary}`,
        'Content-Type: text/plain',
        'Content-Range: bytes 0-9/1000',
        '',
        'xxxxxxxxxx',
        `--${boundary}`,
        'Content-Type: text/plain',
        'Content-Range: bytes 500-509/1000',
        '',
        'xxxxxxxxxx',
        `--${boundary}`,
        'Content-Type: text/plain',
        'Content-Range: bytes 999-999/1000',
        '',
        'x',
        `--${boundary}--`,
        '',
      ].join('\r\n'),
    );
    expect(length).toBe(body.length);
    expect(fields.has('content-range')).toBe(false);
  });

  test('ranges that come down to one, as one', () => {
    expect(plan({ range: 'bytes=0-9,5-19' })).toMatchObject({ status: 206, length: 20 });
    expect(plan({ range: 'bytes=0-9,5000-' })).toMatchObject({ status: 206, length: 10 });
  });
});

describe('options', () => {
  test('switch validators and ranges off', () => {
    const { fields, status } = plan({ range: 'bytes=0-1' }, 'GET', { etag: false, lastModified: false, ranges: false });
    expect(status).toBe(200);
    expect(Object.fromEntries(fields)).toEqual({ 'content-type': 'text/plain' });
    expect(plan({ range: 'bytes=0-1,500-501' }, 'GET', { ranges: { ranges: 1 } }).status).toBe(200);
  });

  test('give another tag', () => {
    expect(plan({ 'if-none-match': '"v7"' }, 'GET', { etag: '"v7"' }).status).toBe(304);
  });

  test('of a coding: no length, no ranges, a weak tag, and Vary', () => {
    const { status, fields, length } = plan({ range: 'bytes=0-1' }, 'GET', { encoding: 'gzip' });
    expect({ status, length }).toEqual({ status: 200, length: -1 });
    expect(Object.fromEntries(fields)).toMatchObject({
      etag: `W/${tag}`,
      'content-encoding': 'gzip',
      vary: 'Accept-Encoding',
    });
    expect(fields.has('accept-ranges')).toBe(false);
    expect(plan({ 'if-none-match': `W/${tag}` }, 'GET', { encoding: 'gzip' }).status).toBe(304);
    const plain = plan({ range: 'bytes=0-1' }, 'GET', { encoding: 'identity' });
    expect(plain.status).toBe(206);
    expect(plain.fields.get('vary')).toBe('Accept-Encoding');
    expect(plain.fields.get('etag')).toBe(tag);
  });
});
