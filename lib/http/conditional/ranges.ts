// Range requests (RFC 9110, 14): which bytes are wanted, within bounds.
import { listMembers } from '../fields/index.js';

/** Bytes of a representation. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** `whole`: there is no range to heed, send all of it; `unsatisfiable`: 416. */
export type RangeOutcome = readonly ByteRange[] | 'whole' | 'unsatisfiable';

/** What a range request may cost. */
export interface RangeLimits {
  /** More ranges than this are not heeded: the whole is sent. Default 16. */
  readonly ranges?: number;
}

const RANGES_MAX = 16;
/** Ranges closer than this are sent as one: the head between two parts is longer than what lies between. */
const GAP_BYTES = 80;

/**
 * The ranges that a Range field asks for. Malformed ones, other units, and more than `limits.ranges` are as if there were no
 * such field. Ranges that overlap, touch or nearly touch become one, so never is a byte sent twice; the others stay in the
 * order in which they were asked for.
 *
 * @example
 * ```ts
 * console.log(parseRanges('bytes=0-1,-2', 1000)); // [ { start: 0, length: 2 }, { start: 998, length: 2 } ]
 * console.log(parseRanges('bytes=1000-', 1000)); // unsatisfiable
 * ```
 * @param size bytes of the whole.
 */
export function parseRanges(value: string | null | undefined, size: number, limits: RangeLimits = {}): RangeOutcome {
  if (value === null || value === undefined || !/^bytes=/i.test(value)) return 'whole';
  const members = listMembers(value.slice('bytes='.length));
  if (members.length === 0 || members.length > (limits.ranges ?? RANGES_MAX)) return 'whole';
  const ranges: ByteRange[] = [];
  for (const member of members) {
    const found = /^(\d*)-(\d*)$/.exec(member);
    if (found === null) return 'whole';
    const [, first, last] = found as unknown as [string, string, string];
    if (first === '' && last === '') return 'whole';
    if (first !== '' && last !== '' && Number(last) < Number(first)) return 'whole';
    const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
    const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
    if (start < end) ranges.push({ start, length: end - start });
  }
  return ranges.length === 0 ? 'unsatisfiable' : merged(ranges);
}

/** `bytes 0-9/100`, the value of Content-Range. */
export function contentRange({ start, length }: ByteRange, size: number): string {
  return `bytes ${start}-${start + length - 1}/${size}`;
}

function merged(ranges: ByteRange[]): readonly ByteRange[] {
  if (ranges.length === 1) return ranges;
  const byStart = ranges.map((range, asked) => ({ ...range, asked })).sort((a, b) => a.start - b.start);
  const kept: { start: number; length: number; asked: number }[] = [];
  for (const range of byStart) {
    const before = kept.at(-1);
    if (before === undefined || range.start > before.start + before.length + GAP_BYTES) {
      kept.push(range);
      continue;
    }
    before.length = Math.max(before.length, range.start + range.length - before.start);
    before.asked = Math.min(before.asked, range.asked);
  }
  return kept.sort((a, b) => a.asked - b.asked).map(({ start, length }) => ({ start, length }));
}
