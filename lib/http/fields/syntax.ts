// The grammar that fields share (RFC 9110, 5.6): which characters may stand where.

/** tchar (RFC 9110, 5.6.2), by character code. */
export const TOKEN: Uint8Array = charactersOf("!#$%&'*+-.^_`|~", true);

const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/;

/** True for a token: a field's name, a method, a parameter's name. */
export function isToken(text: string): boolean {
  return text.length > 0 && tokenEnd(text, 0) === text.length;
}

/** The index behind the last tchar from `at` on. */
export function tokenEnd(text: string, at: number): number {
  while (at < text.length && TOKEN[text.charCodeAt(at)] === 1) at++;
  return at;
}

/** The index of the first character that may not stand in a field's value (RFC 9110, 5.5), or -1. Latin-1 may. */
export function forbiddenInValue(text: string): number {
  return text.search(FORBIDDEN);
}

/** The index of the first character from `at` on that is neither space nor tab. */
export function skipSpace(text: string, at: number): number {
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x09) break;
  }
  return at;
}

/** `text` without the spaces and tabs around it; what else `trim` takes for space is left. */
export function trimSpace(text: string): string {
  const from = skipSpace(text, 0);
  let to = text.length;
  while (to > from && (text.charCodeAt(to - 1) === 0x20 || text.charCodeAt(to - 1) === 0x09)) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

/** A character of a message, readable whatever it is. */
export function shownCharacter(text: string, at: number): string {
  const code = text.codePointAt(at) ?? 0;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return code > 0x20 && code < 0x7f ? `${JSON.stringify(text[at])} (${name})` : name;
}

function charactersOf(others: string, alphanumeric: boolean): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of others) table[character.charCodeAt(0)] = 1;
  if (alphanumeric) {
    for (let code = 0; code < 128; code++) if (/[0-9A-Za-z]/.test(String.fromCharCode(code))) table[code] = 1;
  }
  return table;
}
