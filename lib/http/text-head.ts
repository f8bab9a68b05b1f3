// Heads of the commonest reply, 200 with text: made once a second for each length.
import { Buffer } from 'node:buffer';
import { dateField } from './date.js';
import { TEXT_FIELDS } from './reply-head.js';
import { statusLine } from './status.js';

/** Bodies that are longer cost more than their head. */
const REMEMBERED_LENGTH_MAX = 4096;
const START = `${statusLine(200)}${TEXT_FIELDS}`;

/** A head, as what it is sent as: flat text, to be put together with other text, or bytes. */
export class TextHead {
  readonly bytes: Buffer;
  readonly text: string;

  constructor(text: string) {
    this.bytes = Buffer.from(text, 'latin1');
    // What was put together of pieces is walked over each time that it is written.
    this.text = this.bytes.toString('latin1');
  }
}

let heads: (TextHead | undefined)[] = [];
let date = '';

/** The whole head of a reply of `length` bytes on a connection that is kept. */
export function textHead(length: number): TextHead {
  const now = dateField();
  if (now !== date) {
    date = now;
    heads = [];
  }
  return heads[length] ?? made(length);
}

/** The same with a line that tells what becomes of the connection. */
export function textHeadWith(length: number, connection: string): string {
  return `${START}${dateField()}${connection}Content-Length: ${length}\r\n\r\n`;
}

function made(length: number): TextHead {
  const head = new TextHead(textHeadWith(length, ''));
  if (length <= REMEMBERED_LENGTH_MAX) {
    // Dense, so that looking up is one load.
    while (heads.length <= length) heads.push(undefined);
    heads[length] = head;
  }
  return head;
}
