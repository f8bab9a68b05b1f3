import { Buffer } from 'node:buffer';
import { mediaEssence } from '../fields/index.js';
import { bodyTooLarge, unsupportedType } from '../http-errors.js';
import { type FormLimits, formLimitsOf } from './limits.js';
import { Multipart } from './multipart.js';

/**
 * The whole of a form: multipart/form-data or application/x-www-form-urlencoded. Files become `File`s, in memory.
 *
 * @throws HttpError 415 (`ERR_MILLRACE_HTTP_MEDIA_TYPE`) for another type, 400 (`ERR_MILLRACE_HTTP_BODY`) for a malformed body, 413
 * (`ERR_MILLRACE_HTTP_BODY_LIMIT`) above a limit; what the body throws. TypeError, RangeError naming the limit.
 */
export async function readFormData(
  body: AsyncIterable<Uint8Array>,
  contentType: string | null | undefined,
  limits: FormLimits = {},
): Promise<FormData> {
  const form = new FormData();
  const essence = mediaEssence(contentType);
  if (essence === 'multipart/form-data') {
    for await (const part of new Multipart(body, contentType, limits)) {
      if (part.isFile) form.append(part.name, await part.file());
      else form.append(part.name, await part.text());
    }
    return form;
  }
  if (essence !== 'application/x-www-form-urlencoded') throw unsupportedType('a form', contentType);
  const { totalBytes } = formLimitsOf(limits);
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > totalBytes) throw bodyTooLarge('The body', totalBytes);
    pieces.push(Buffer.from(piece));
  }
  for (const [name, value] of parseUrlEncoded(Buffer.concat(pieces), limits)) form.append(name, value);
  return form;
}

/**
 * An application/x-www-form-urlencoded body. It cannot be malformed: whatever is in it stands for something (WHATWG, URL, 5.1).
 *
 * @example
 * ```ts
 * console.log(parseUrlEncoded(Buffer.from('a=1+2&b=%C3%BC')).get('a')); // 1 2
 * ```
 * @throws HttpError 413 for more than `limits.parts` pairs.
 */
export function parseUrlEncoded(body: Uint8Array, limits: FormLimits = {}): URLSearchParams {
  const { parts } = formLimitsOf(limits);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let pairs = 1;
  for (let at = bytes.indexOf('&'); at >= 0; at = bytes.indexOf('&', at + 1)) {
    if (++pairs > parts) throw bodyTooLarge('The number of fields', parts);
  }
  // A question mark at the beginning would be taken for that of an URL.
  return new URLSearchParams(`&${bytes.toString('utf8')}`);
}
