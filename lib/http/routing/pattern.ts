// The patterns of routes: `/users/:id/files/*rest`.
//
// Paths are compared as they were meant, not as they were written: each segment is percent-decoded first, in patterns and
// in requests, so that `/caf%C3%A9` is `/café`. An encoded slash is part of its segment: it stands as SLASH_WITHIN until
// the segments are told apart.
import { MillraceError, shown } from '../../internal/errors.js';

/** Half of a surrogate pair, alone: strict decoding lets it through where it stands, and never makes it alone. */
export const SLASH_WITHIN = '\udfff';
/** In Unicode mode the second half of a pair, as of U+103FF, is none: it is a part of its character. */
const SLASHES_WITHIN = /\udfff/gu;

export const PARAMETER = 1;
export const WILDCARD = 2;

/** A segment: its text, or PARAMETER or WILDCARD. */
export type Segment = string | typeof PARAMETER | typeof WILDCARD;

export interface Pattern {
  readonly text: string;
  readonly segments: readonly Segment[];
  /** Of parameters and the wildcard, in the order in which they stand. */
  readonly names: readonly string[];
}

const NAME = /^[A-Za-z_$][\w$]*$/;

/** @throws MillraceError `ERR_MILLRACE_HTTP_ROUTE` naming the pattern and what is wrong with it. */
export function parsePattern(text: string): Pattern {
  if (text === '*') return { text, segments: [WILDCARD], names: ['*'] };
  if (!text.startsWith('/')) throw wrong(text, "must begin with '/'");
  if (/[?#]/.test(text)) throw wrong(text, "has no query nor fragment: write '%3F' for a question mark in the path");
  const names: string[] = [];
  const parts = text.slice(1).split('/');
  const segments = parts.map((part, i): Segment => {
    const first = part[0];
    if (first === ':') {
      addName(text, names, part.slice(1), `':${part.slice(1)}' must be a whole segment: a colon and a name`);
      return PARAMETER;
    }
    if (first === '*') {
      if (i + 1 < parts.length) throw wrong(text, "may have '*' at its end only");
      if (part === '*') names.push('*');
      else addName(text, names, part.slice(1), `'${part}' must be a star and a name`);
      return WILDCARD;
    }
    if (part.includes('*'))
      throw wrong(text, "may have '*' for a whole segment only: write '%2A' for a star in the path");
    const decoded = decodePath(part);
    if (decoded === null) throw wrong(text, `has a malformed percent-encoding in '${part}'`);
    return decoded;
  });
  return { text, segments, names };
}

/** Of two patterns that stand for the same paths the same text. */
export function shapeOf(segments: readonly Segment[]): string {
  return segments
    .map((segment) => (segment === PARAMETER ? ':' : segment === WILDCARD ? '*' : `=${segment}`))
    .join('/');
}

/**
 * Percent-decodes each segment of a path, strictly (RFC 3986, 2.1; UTF-8).
 * @returns null if it is malformed.
 */
export function decodePath(path: string): string | null {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path.replace(/%2f/gi, SLASH_WITHIN));
  } catch {
    return null;
  }
}

/** With the encoded slashes of `decodePath` as slashes. */
export function withSlashes(segment: string): string {
  return segment.includes(SLASH_WITHIN) ? segment.replace(SLASHES_WITHIN, '/') : segment;
}

function addName(text: string, names: string[], name: string, expected: string): void {
  if (!NAME.test(name)) throw wrong(text, expected);
  if (names.includes(name)) throw wrong(text, `names '${name}' twice`);
  names.push(name);
}

function wrong(text: string, expected: string): MillraceError {
  return new MillraceError('ERR_MILLRACE_HTTP_ROUTE', `The route ${shown(text)} ${expected}`);
}
