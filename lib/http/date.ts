// The `Date` of replies (RFC 9110, 6.6.1): made once a second, looked for at most once a tick.
import { border } from '../internal/border.js';

let atTick = -1;
let second = -1;
let field = '';

/** 29 characters (RFC 9110, 5.6.7). */
export function httpDate(ms = Date.now()): string {
  return new Date(ms).toUTCString();
}

/** `Date: ...` with its CRLF, of now. */
export function dateField(): string {
  if (border.ticks === atTick && second >= 0) return field;
  atTick = border.ticks;
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    field = `Date: ${httpDate(now * 1000)}\r\n`;
  }
  return field;
}
