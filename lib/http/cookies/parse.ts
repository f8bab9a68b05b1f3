import { Dictionary, trimSpace } from '../fields/index.js';

/** Cookies by name; nothing is inherited, so every name is harmless. */
export type Cookies = Dictionary;

/**
 * Parses the value of Cookie (RFC 6265, 4.2). Lenient, as servers have to be: what has no `=` is skipped, quotes around a
 * value do not belong to it, and percent-encoding is decoded where it is well-formed. Of several cookies of one name the
 * first counts: it is the one with the longest path.
 *
 * @example
 * ```ts
 * const cookies = parseCookies('theme=dark; name=J%C3%BCrgen; theme=light');
 * console.log(cookies.theme, cookies.name); // dark Jürgen
 * ```
 */
export function parseCookies(value: string | null | undefined): Cookies {
  const cookies = new Dictionary();
  if (value === null || value === undefined) return cookies;
  for (let from = 0; from < value.length; ) {
    let to = value.indexOf(';', from);
    if (to < 0) to = value.length;
    const equals = value.indexOf('=', from);
    if (equals < 0) return cookies;
    if (equals < to) {
      const name = trimSpace(value.slice(from, equals));
      if (name !== '' && cookies[name] === undefined) cookies[name] = decode(value.slice(equals + 1, to));
    }
    from = to + 1;
  }
  return cookies;
}

function decode(text: string): string {
  let value = trimSpace(text);
  if (value.length >= 2 && value.startsWith('"') && value.endsWith('"')) value = value.slice(1, -1);
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
