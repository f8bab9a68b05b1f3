import { type Parameters, parseParameters } from './lists.js';
import { skipSpace, tokenEnd } from './syntax.js';

/** A media type (RFC 9110, 8.3.1), in small letters but for the parameters' values. */
export interface MediaType {
  /** `type/subtype`. */
  readonly essence: string;
  readonly type: string;
  readonly subtype: string;
  readonly parameters: Parameters;
}

/**
 * Parses the value of Content-Type.
 *
 * @example
 * ```ts
 * const type = parseMediaType('Text/HTML; charset="utf-8"');
 * console.log(type?.essence, type?.parameters.charset); // text/html utf-8
 * ```
 * @returns null for what is not a media type.
 */
export function parseMediaType(value: string): MediaType | null {
  const from = skipSpace(value, 0);
  const slash = tokenEnd(value, from);
  if (slash === from || value.charCodeAt(slash) !== 0x2f) return null;
  const to = tokenEnd(value, slash + 1);
  if (to === slash + 1) return null;
  const parameters = parseParameters(value, to);
  if (parameters === null) return null;
  const type = value.slice(from, slash).toLowerCase();
  const subtype = value.slice(slash + 1, to).toLowerCase();
  return { essence: `${type}/${subtype}`, type, subtype, parameters };
}

/** The essence alone: what most programs ask for. '' for what is not a media type. */
export function mediaEssence(value: string | null | undefined): string {
  if (value === null || value === undefined) return '';
  return parseMediaType(value)?.essence ?? '';
}
