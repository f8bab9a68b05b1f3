// What is answered to a request for a file: decided by its state and the request's fields alone.
import { randomUUID } from 'node:crypto';
import {
  type ByteRange,
  contentRange,
  entityTagOf,
  evaluateConditions,
  type FileStat,
  formatHttpDate,
  lastModifiedOf,
  parseRanges,
  type RangeLimits,
  rangeIsFresh,
  type Validators,
  weakened,
} from '../conditional/index.js';
import { Fields, type RequestFields } from '../fields/index.js';

export interface FilePlanOptions {
  /** Content-Type; the caller knows it, by `contentTypeOf` or otherwise. */
  readonly type: string;
  /** An entity tag in place of the file's own; false: none. */
  readonly etag?: string | false;
  /** Send Last-Modified. Default: true. */
  readonly lastModified?: boolean;
  /** Heed Range. Default: true. */
  readonly ranges?: boolean | RangeLimits;
  /** The value of Cache-Control. Default: none. */
  readonly cacheControl?: string;
  /**
   * The content coding that the file will be sent with: it has no length then, no ranges, and a weak tag. `identity`: it might
   * have been coded, and Vary says so.
   */
  readonly encoding?: string;
  /** Milliseconds since 1970. Default: now. */
  readonly nowMs?: number;
}

/** A stretch of the body: `head` as it is, then bytes of the file. */
export interface FileSection extends ByteRange {
  /** Latin-1; '' unless there are several. */
  readonly head: string;
}

/** A reply, but for the bytes. */
export interface FilePlan {
  readonly status: 200 | 206 | 304 | 412 | 416;
  /** All but those of framing. */
  readonly fields: Fields;
  /** Content-Length; -1: not known, the body is coded. Of 304 that of 200 would be, which need not be sent. */
  readonly length: number;
  /** In the order of sending; none where there is no body, or for HEAD. */
  readonly sections: readonly FileSection[];
  /** After the last section. */
  readonly tail: string;
}

const NO_SECTIONS: readonly FileSection[] = [];

/**
 * Decides what to answer to GET or HEAD (RFC 9110, 13.2.2): 412, 304, 416, 206 with one range or several, or 200.
 *
 * @param method any other than GET and HEAD is answered as GET, but has no ranges and no 304.
 *
 * @example
 * ```ts
 * const stat = { size: 1000, mtimeNs: 1_700_000_000_000_000_000n };
 * const plan = planFile('GET', new Map([['range', 'bytes=0-9']]), stat, { type: 'text/plain' });
 * console.log(plan.status, plan.length, plan.fields.get('content-range')); // 206 10 bytes 0-9/1000
 * ```
 */
export function planFile(method: string, request: RequestFields, stat: FileStat, options: FilePlanOptions): FilePlan {
  const { nowMs = Date.now(), ranges = true, encoding } = options;
  const coded = encoding !== undefined && encoding !== 'identity';
  const state = validatorsOf(stat, options, nowMs, coded);
  const fields = fieldsOf(state, options);
  const outcome = evaluateConditions(method, request, state);
  if (outcome === 'precondition-failed') return empty(412, new Fields(), 0);
  if (outcome === 'not-modified') return empty(304, fields, coded ? -1 : stat.size);
  fields.set('Content-Type', options.type);
  if (coded) {
    fields.set('Content-Encoding', encoding);
    return whole(method, fields, stat.size, -1);
  }
  if (ranges === false) return whole(method, fields, stat.size, stat.size);
  fields.set('Accept-Ranges', 'bytes');
  if (method !== 'GET' || !rangeIsFresh(request.get('if-range'), state, nowMs)) {
    return whole(method, fields, stat.size, stat.size);
  }
  const wanted = parseRanges(request.get('range'), stat.size, ranges === true ? {} : ranges);
  if (wanted === 'whole') return whole(method, fields, stat.size, stat.size);
  if (wanted === 'unsatisfiable') return empty(416, new Fields({ 'Content-Range': `bytes */${stat.size}` }), 0);
  return wanted.length === 1
    ? single(fields, wanted[0] as ByteRange, stat.size)
    : several(fields, wanted, stat.size, options.type);
}

function validatorsOf(stat: FileStat, options: FilePlanOptions, nowMs: number, coded: boolean): Validators {
  const { etag, lastModified = true } = options;
  const tag = etag === undefined ? entityTagOf(stat, nowMs) : etag === false ? null : etag;
  return {
    etag: tag !== null && coded ? weakened(tag) : tag,
    lastModifiedMs: lastModified ? lastModifiedOf(stat, nowMs) : null,
  };
}

/** Those that a 304 has as well (RFC 9110, 15.4.5). */
function fieldsOf({ etag, lastModifiedMs }: Validators, { cacheControl, encoding }: FilePlanOptions): Fields {
  const fields = new Fields();
  if (etag !== null) fields.set('ETag', etag);
  if (lastModifiedMs !== null) fields.set('Last-Modified', formatHttpDate(lastModifiedMs));
  if (cacheControl !== undefined) fields.set('Cache-Control', cacheControl);
  if (encoding !== undefined) fields.set('Vary', 'Accept-Encoding');
  return fields;
}

function empty(status: 304 | 412 | 416, fields: Fields, length: number): FilePlan {
  return { status, fields, length, sections: NO_SECTIONS, tail: '' };
}

function whole(method: string, fields: Fields, size: number, length: number): FilePlan {
  const sections = method === 'HEAD' || size === 0 ? NO_SECTIONS : [{ head: '', start: 0, length: size }];
  return { status: 200, fields, length, sections, tail: '' };
}

function single(fields: Fields, { start, length }: ByteRange, size: number): FilePlan {
  fields.set('Content-Range', contentRange({ start, length }, size));
  return { status: 206, fields, length, sections: [{ head: '', start, length }], tail: '' };
}

/** multipart/byteranges (RFC 9110, 14.6). */
function several(fields: Fields, ranges: readonly ByteRange[], size: number, type: string): FilePlan {
  const boundary = randomUUID();
  let length = 0;
  const sections = ranges.map((range, i) => {
    const line = `${i === 0 ? '' : '\r\n'}--${boundary}\r\n`;
    const head = `${line}Content-Type: ${type}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`;
    length += head.length + range.length;
    return { head, ...range };
  });
  const tail = `\r\n--${boundary}--\r\n`;
  fields.set('Content-Type', `multipart/byteranges; boundary=${boundary}`);
  return { status: 206, fields, length: length + tail.length, sections, tail };
}
