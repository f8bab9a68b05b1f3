// Values that are lists, quoted strings and parameters (RFC 9110, 5.6).
import { Dictionary } from './dictionary.js';
import { isToken, skipSpace, tokenEnd, trimSpace } from './syntax.js';

/**
 * The members of a comma-separated list (RFC 9110, 5.6.1): a comma within a quoted string does not separate, empty members
 * are left out. A quoted string without an end takes the rest.
 *
 * @example
 * ```ts
 * console.log(listMembers('a, "b, c" ,, d')); // [ 'a', '"b, c"', 'd' ]
 * ```
 */
export function listMembers(value: string): string[] {
  return split(value, ',');
}

/** `listMembers` for another separator: `;` between the parameters of a value. */
export function split(value: string, separator: ',' | ';'): string[] {
  const members: string[] = [];
  if (!value.includes('"')) {
    for (const part of value.split(separator)) add(members, part);
    return members;
  }
  const wanted = separator.charCodeAt(0);
  let from = 0;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === wanted) {
      add(members, value.slice(from, at));
      from = at + 1;
    } else if (code === 0x22) {
      at = quotedEnd(value, at) - 1;
    }
  }
  add(members, value.slice(from));
  return members;
}

function add(members: string[], part: string): void {
  const member = trimSpace(part);
  if (member !== '') members.push(member);
}

/** The index behind the quoted string that begins at `at`; the text's end where it has none. */
export function quotedEnd(text: string, at: number): number {
  for (at++; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }
  return text.length;
}

/** What a quoted string stands for; null if `text` is none, whole (RFC 9110, 5.6.4). */
export function unquote(text: string): string | null {
  if (text.length < 2 || text.charCodeAt(0) !== 0x22 || text.charCodeAt(text.length - 1) !== 0x22) return null;
  const inner = text.slice(1, -1);
  if (!inner.includes('\\') && !inner.includes('"')) return inner;
  let out = '';
  for (let at = 0; at < inner.length; at++) {
    let character = inner[at] as string;
    if (character === '"') return null;
    if (character === '\\') {
      at++;
      if (at === inner.length) return null;
      character = inner[at] as string;
    }
    out += character;
  }
  return out;
}

/** A parameter's value as it is sent: as it is if it is a token, else a quoted string. */
export function tokenOrQuoted(text: string): string {
  return isToken(text) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

/** Parameters by their name in small letters; of several of one name the first. Nothing is inherited: every name is harmless. */
export type Parameters = Dictionary;

/**
 * `;name=value` any number of times (RFC 9110, 5.6.6), from index `at` on; a value is a token or a quoted string, empty
 * parameters are left out.
 * @returns null if it is not that.
 */
export function parseParameters(text: string, at: number): Parameters | null {
  const parameters = new Dictionary();
  at = skipSpace(text, at);
  while (at < text.length) {
    if (text.charCodeAt(at) !== 0x3b) return null;
    at = skipSpace(text, at + 1);
    if (at === text.length || text.charCodeAt(at) === 0x3b) continue;
    const nameEnd = tokenEnd(text, at);
    if (nameEnd === at || text.charCodeAt(nameEnd) !== 0x3d) return null;
    const from = nameEnd + 1;
    const quoted = text.charCodeAt(from) === 0x22;
    const to = quoted ? quotedEnd(text, from) : tokenEnd(text, from);
    const value = quoted ? unquote(text.slice(from, to)) : text.slice(from, to);
    if (value === null || to === from) return null;
    const name = text.slice(at, nameEnd).toLowerCase();
    if (parameters[name] === undefined) parameters[name] = value;
    at = skipSpace(text, to);
  }
  return parameters;
}
