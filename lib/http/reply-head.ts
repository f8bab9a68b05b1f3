// The head of a reply, and how its body is told apart from what follows (RFC 9112, 6).
import { Buffer } from 'node:buffer';
import { dateField } from './date.js';
import { hasNoBody, statusLine } from './status.js';

export const TEXT_TYPE = 'text/plain; charset=utf-8';
export const TEXT_FIELDS = `Content-Type: ${TEXT_TYPE}\r\n`;

/** How a body is framed. */
export interface Framing {
  readonly chunked: boolean;
  /** Bytes that were announced; -1: none were. */
  readonly length: number;
  /** The end of the connection is the end of the body. */
  readonly closes: boolean;
  /** There is no body, whatever is written: HEAD, 204, 304. */
  readonly silent: boolean;
  /** The line that tells of it, with its CRLF. */
  readonly field: string;
}

export const NO_FRAMING: Framing = { chunked: false, length: -1, closes: false, silent: true, field: '' };
const CHUNKED: Framing = {
  chunked: true,
  length: -1,
  closes: false,
  silent: false,
  field: 'Transfer-Encoding: chunked\r\n',
};
const UNTIL_CLOSE: Framing = { chunked: false, length: -1, closes: true, silent: false, field: '' };

export const LAST_CHUNK = '0\r\n\r\n';

/** @param length null: not known. */
export function framingOf(status: number, isHead: boolean, http10: boolean, length: number | null): Framing {
  if (hasNoBody(status)) return NO_FRAMING;
  if (length !== null) {
    return { chunked: false, length, closes: false, silent: isHead, field: `Content-Length: ${length}\r\n` };
  }
  if (isHead) return http10 ? NO_FRAMING : { ...CHUNKED, silent: true };
  return http10 ? UNTIL_CLOSE : CHUNKED;
}

const KEEP_ALIVE_10 = 'Connection: keep-alive\r\n';
const CLOSE = 'Connection: close\r\n';

/** What is said of the connection: nothing where it is as the version has it. */
export function connectionField(keepAlive: boolean, http10: boolean): string {
  if (keepAlive) return http10 ? KEEP_ALIVE_10 : '';
  return CLOSE;
}

/** @param fields checked lines. `dated`: Date is among them. `reason`: checked; '' for the status' own phrase. */
export function headOf(
  status: number,
  fields: string,
  dated: boolean,
  framing: string,
  keepAlive: boolean,
  http10: boolean,
  reason = '',
): string {
  const date = dated ? '' : dateField();
  const line = reason === '' ? statusLine(status) : `HTTP/1.1 ${status} ${reason}\r\n`;
  return `${line}${fields}${date}${connectionField(keepAlive, http10)}${framing}\r\n`;
}

/** V8 keeps what was put together of pieces as a rope, from 13 characters on: to look at each is dear then. */
const LOOKED_AT = 12;

/** Whether each character is one byte of UTF-8, and so of Latin-1. */
export function isAscii(text: string): boolean {
  const { length } = text;
  if (length > LOOKED_AT) return Buffer.byteLength(text) === length;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
