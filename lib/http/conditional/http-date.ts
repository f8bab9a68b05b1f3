// Dates of HTTP (RFC 9110, 5.6.7): written in one form, read in three.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const MONTH = '(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)';

const FIXED = new RegExp(`^${DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} GMT$`, 'i');
const RFC_850 = new RegExp(`^${LONG_DAY}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} GMT$`, 'i');
const ASCTIME = new RegExp(`^${DAY} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`, 'i');

/** Longer ones are not dates, and no regular expression has to find that out. */
const LENGTH_MAX = 40;

let lastSecond = Number.NaN;
let last = '';

/**
 * `Sun, 06 Nov 1994 08:49:37 GMT`: the whole second that `ms` lies in.
 * @param ms milliseconds since 1970, from year 0 to 9999.
 */
export function formatHttpDate(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    last = new Date(second * 1000).toUTCString();
    lastSecond = second;
  }
  return last;
}

/**
 * The time that a date stands for: that of RFC 9110, or one of the two old forms (RFC 850, asctime).
 *
 * @example
 * ```ts
 * console.log(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')); // 784111777000
 * console.log(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT')); // 784111777000
 * console.log(parseHttpDate('Sun Nov  6 08:49:37 1994')); // 784111777000
 * ```
 * @param nowMs for the century of RFC 850's two digits: no date is more than 50 years ahead.
 * @returns milliseconds since 1970; NaN for what is not a date.
 */
export function parseHttpDate(text: string, nowMs: number = Date.now()): number {
  if (text.length > LENGTH_MAX) return Number.NaN;
  let found = FIXED.exec(text);
  if (found !== null) return time(Number(found[3]), found[2], Number(found[1]), found, 4);
  found = ASCTIME.exec(text);
  if (found !== null) return time(Number(found[6]), found[1], Number(found[2]), found, 3);
  found = RFC_850.exec(text);
  if (found === null) return Number.NaN;
  const now = new Date(nowMs).getUTCFullYear();
  let year = now - (now % 100) + Number(found[3]);
  if (year > now + 50) year -= 100;
  return time(year, found[2], Number(found[1]), found, 4);
}

/** @param at where hours, minutes and seconds stand in `found`. A leap second is the next one's beginning. */
function time(year: number, monthName: string | undefined, day: number, found: RegExpExecArray, at: number): number {
  const month = MONTHS.indexOf((monthName ?? '').toLowerCase());
  const hours = Number(found[at]);
  const minutes = Number(found[at + 1]);
  const seconds = Number(found[at + 2]);
  if (hours > 23 || minutes > 59 || seconds > 60) return Number.NaN;
  const date = new Date(0);
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month, day);
  if (day < 1 || date.getUTCDate() !== day) return Number.NaN;
  date.setUTCHours(hours, minutes, seconds);
  return date.getTime();
}
