// The fields of a part (RFC 7578, 4): whose data it is.
import type { Buffer } from 'node:buffer';
import { Dictionary, isToken, parseMediaType, trimSpace } from '../fields/index.js';
import { malformedBody } from '../http-errors.js';

export interface PartHead {
  readonly name: string;
  readonly filename: string | undefined;
  readonly type: string;
  /** By their name in small letters; of several of one name the first. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @param bytes lines with their CR LF, and the empty one. @throws HttpError 400 */
export function parsePartHead(bytes: Buffer): PartHead {
  // Clients send names of files as UTF-8, also in their fields.
  const text = bytes.toString('utf8');
  const headers = new Dictionary();
  for (const line of text.slice(0, -2).split('\r\n')) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!isToken(name)) throw malformedBody('A part has a line that is no field');
    const value = trimSpace(line.slice(colon + 1));
    if (/[\r\n\0]/.test(value)) throw malformedBody('A field of a part has a bare CR, LF or NUL');
    if (headers[name] === undefined) headers[name] = value;
  }
  return headOf(headers);
}

function headOf(headers: Record<string, string>): PartHead {
  const disposition = headers['content-disposition'];
  if (disposition === undefined) throw malformedBody('A part has no Content-Disposition');
  const parameters = dispositionOf(disposition);
  if (parameters === null) throw malformedBody('The Content-Disposition of a part is malformed');
  const { name, filename, 'filename*': extended } = parameters;
  if (name === undefined) throw malformedBody('A part has no name');
  const type = headers['content-type'] ?? 'text/plain';
  return {
    name: unescapeName(name),
    filename: filename === undefined ? extendedValue(extended) : unescapeName(filename),
    type: parseMediaType(type) === null ? 'application/octet-stream' : type,
    headers,
  };
}

/**
 * Parameters of `form-data`. In quotes `\"` and `\\` are escapes, as some clients write them; every other backslash is itself,
 * as others leave it in the names of files.
 */
function dispositionOf(value: string): Record<string, string> | null {
  const type = /^form-data[ \t]*(?=;|$)/i.exec(value);
  if (type === null) return null;
  const parameters = new Dictionary();
  const pattern = /[ \t]*;[ \t]*(?:([^\s;="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))[ \t]*)?/y;
  for (let at = type[0].length; at < value.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(value);
    if (found === null) return null;
    const [, name, quoted, token] = found;
    if (name === undefined) continue;
    const text = quoted === undefined ? (token ?? '') : quoted.replace(/\\(["\\])/g, '$1');
    parameters[name.toLowerCase()] ??= text;
  }
  return parameters;
}

/** What browsers write for what may not stand between quotes (WHATWG, multipart/form-data encoding algorithm). */
function unescapeName(text: string): string {
  return text.replace(/%(?:0A|0D|22)/gi, decodeURIComponent);
}

/** `filename*` (RFC 8187): not to be sent in forms, and sent. */
function extendedValue(value: string | undefined): string | undefined {
  const found = value === undefined ? null : /^utf-8'[^']*'(.*)$/i.exec(value);
  if (found === null) return undefined;
  try {
    return decodeURIComponent(found[1] as string);
  } catch {
    return undefined;
  }
}
