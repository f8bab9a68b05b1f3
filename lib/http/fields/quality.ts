// Lists with weights: Accept, Accept-Encoding, Accept-Language (RFC 9110, 12.4.2).
import { Dictionary } from './dictionary.js';
import { listMembers, type Parameters, parseParameters } from './lists.js';

/** A member of a list with weights. */
export interface Weighted {
  /** In small letters, without parameters. */
  readonly value: string;
  /** 0 to 1; 0 means "not this". */
  readonly quality: number;
  /** Those before the weight. */
  readonly parameters: Parameters;
}

const NONE: Parameters = Object.freeze(new Dictionary());

const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * The members in the order in which they stand. One whose parameters or weight are malformed is left out: that is all a
 * server can do with it.
 *
 * @example
 * ```ts
 * const [first, second] = parseWeighted('gzip;q=0.5, br');
 * console.log(first?.value, first?.quality, second?.quality); // gzip 0.5 1
 * ```
 */
export function parseWeighted(value: string): Weighted[] {
  const members: Weighted[] = [];
  for (const member of listMembers(value)) {
    const end = member.search(/[ \t;]/);
    if (end < 0) {
      members.push({ value: member.toLowerCase(), quality: 1, parameters: NONE });
      continue;
    }
    const parameters = parseParameters(member, end);
    const weight = parameters?.q ?? '1';
    if (parameters === null || end === 0 || !WEIGHT.test(weight)) continue;
    delete parameters.q;
    members.push({ value: member.slice(0, end).toLowerCase(), quality: Number(weight), parameters });
  }
  return members;
}
