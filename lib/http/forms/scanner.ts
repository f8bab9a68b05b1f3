// What a multipart body is made of (RFC 2046, 5.1.1), found piece by piece: `next` tells what comes next, until it wants more.
//
// - A delimiter is CR LF, two hyphens and the boundary. The first one may stand at the very beginning, where its CR LF is
//   taken to have been.
// - What might be the beginning of a delimiter at the end of a piece is held back. It needs no memory: it is the beginning of
//   the delimiter. If it turns out to be data, it is given from there.
// - Nothing of a piece is kept once the next one is pushed, but for a copy of a part's fields that came in pieces.
import { Buffer } from 'node:buffer';
import { Delimiter } from '../../net/delimiter.js';
import { bodyTooLarge, malformedBody } from '../http-errors.js';

/** What `next` found. */
export const MORE = 0;
/** A part begins: `head` has its fields. */
export const PART = 1;
/** `data` has bytes of the part. */
export const DATA = 2;
export const PART_END = 3;
export const END = 4;

export type ScannerEvent = typeof MORE | typeof PART | typeof DATA | typeof PART_END | typeof END;

const PREAMBLE = 0;
/** Behind a delimiter: hyphens, or spaces and the end of the line. */
const BEHIND = 1;
const HEAD = 2;
const BODY = 3;
/** Behind the last delimiter's hyphens. */
const LAST_LINE = 4;
const EPILOGUE = 5;

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const HYPHEN = 0x2d;
const LINE_PADDING_MAX = 256;

const headEnd = new Delimiter(Buffer.from('\r\n\r\n'));
const EMPTY = Buffer.alloc(0);

export class MultipartScanner {
  /** After PART: lines with their CR LF; good until the next call. */
  head: Buffer = EMPTY;
  /** After DATA: good until the next call. */
  data: Buffer = EMPTY;
  readonly #delimiterBytes: Buffer;
  readonly #delimiter: Delimiter;
  readonly #headBytesMax: number;
  #state = PREAMBLE;
  #input: Buffer = EMPTY;
  #at = 0;
  /** In PREAMBLE and BODY: bytes of the delimiter that have come; in HEAD those of its end. */
  #matched = 2;
  /** So many of these, the first ones, are the end of the fields. */
  #notData = 0;
  /** Data that is still to be told. */
  #rest: Buffer = EMPTY;
  /** A part's data ends where the delimiter was found, and that is still to be told. */
  #ended = false;
  /** In BEHIND and LAST_LINE: the byte before, and how many there were. */
  #previous = 0;
  #padding = 0;
  readonly #headPieces: Buffer[] = [];
  #headBytes = 0;

  constructor(boundary: string, headBytesMax: number) {
    this.#delimiterBytes = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#delimiter = new Delimiter(this.#delimiterBytes);
    this.#headBytesMax = headBytesMax;
  }

  /** More of the body. Only after MORE: what came before is done with. */
  push(bytes: Uint8Array): void {
    this.#input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
  }

  /** @throws HttpError 400, 413 */
  next(): ScannerEvent {
    for (;;) {
      if (this.#rest.length > 0) {
        this.#takeRest();
        return DATA;
      }
      if (this.#ended) {
        this.#ended = false;
        this.#state = BEHIND;
        return PART_END;
      }
      if (this.#at === this.#input.length) return this.#state === EPILOGUE ? END : MORE;
      switch (this.#state) {
        case PREAMBLE:
          if (this.#skipToDelimiter()) this.#state = BEHIND;
          break;
        case BEHIND:
          this.#takeBehind();
          break;
        case HEAD:
          if (this.#takeHead()) return PART;
          break;
        case BODY:
          if (this.#takeBody()) return DATA;
          break;
        case LAST_LINE:
          this.#takeLastLine();
          break;
        default:
          return END;
      }
    }
  }

  /** No more comes. @throws HttpError 400 if that is too early. */
  end(): void {
    if (this.#state !== EPILOGUE && !(this.#state === LAST_LINE && this.#previous !== CR)) {
      throw malformedBody('The multipart body ends before its last delimiter');
    }
  }

  #skipToDelimiter(): boolean {
    this.#matched = this.#delimiter.search(this.#input, this.#at, this.#input.length, this.#matched);
    const found = this.#matched === this.#delimiter.length;
    this.#at = found ? this.#delimiter.foundAt : this.#input.length;
    if (found) this.#matched = 0;
    return found;
  }

  #takeBehind(): void {
    const byte = this.#input[this.#at++] as number;
    if (byte === HYPHEN && this.#previous === HYPHEN) {
      this.#enter(LAST_LINE);
    } else if (byte === LF && this.#previous === CR) {
      this.#enter(HEAD);
      this.#matched = 2;
    } else if (!this.#isPadding(byte) && !(byte === HYPHEN && this.#padding === 1)) {
      throw malformedBody('A delimiter of the multipart body has something behind it on its line');
    } else {
      this.#previous = byte;
    }
  }

  #takeLastLine(): void {
    const byte = this.#input[this.#at++] as number;
    if (byte === LF && this.#previous === CR) this.#enter(EPILOGUE);
    else if (this.#isPadding(byte)) this.#previous = byte;
    else throw malformedBody('The last delimiter of the multipart body has something behind it on its line');
  }

  /** Spaces and tabs, then CR, of which nothing but LF may follow. */
  #isPadding(byte: number): boolean {
    if (++this.#padding > LINE_PADDING_MAX) return false;
    if (this.#previous === CR || this.#previous === HYPHEN) return false;
    return byte === SPACE || byte === TAB || byte === CR;
  }

  #enter(state: number): void {
    this.#state = state;
    this.#previous = 0;
    this.#padding = 0;
  }

  #takeHead(): boolean {
    const from = this.#at;
    const to = this.#input.length;
    this.#matched = headEnd.search(this.#input, from, to, this.#matched);
    const found = this.#matched === headEnd.length;
    this.#at = found ? headEnd.foundAt : to;
    this.#headBytes += this.#at - from;
    if (this.#headBytes > this.#headBytesMax) throw bodyTooLarge("The size of a part's fields", this.#headBytesMax);
    const piece = this.#input.subarray(from, this.#at);
    if (!found) {
      this.#headPieces.push(Buffer.from(piece));
      return false;
    }
    this.head = this.#headPieces.length === 0 ? piece : Buffer.concat([...this.#headPieces, piece]);
    this.#headPieces.length = 0;
    this.#headBytes = 0;
    // Where there is no data at all, the empty line behind the fields is the beginning of the delimiter.
    this.#matched = 2;
    this.#notData = 2;
    this.#state = BODY;
    return true;
  }

  /** True: there is data. */
  #takeBody(): boolean {
    const from = this.#at;
    const held = this.#matched;
    const state = this.#find(from, held);
    this.#ended = state === this.#delimiter.length;
    this.#matched = this.#ended ? 0 : state;
    // So many bytes, of those held back and those that came, are no part of a delimiter.
    const free = held + (this.#at - from) - state;
    const freeHeld = Math.min(free, held);
    const skipped = Math.min(this.#notData, freeHeld);
    this.#notData = this.#ended ? 0 : this.#notData - skipped;
    this.#rest = this.#input.subarray(from, from + free - freeHeld);
    if (freeHeld === skipped) return this.#takeRest();
    this.data = this.#delimiterBytes.subarray(skipped, freeHeld);
    return true;
  }

  #takeRest(): boolean {
    this.data = this.#rest;
    this.#rest = EMPTY;
    return this.data.length > 0;
  }

  /** How much of a delimiter is matched where it went to: at the end of the input, or behind a whole one. */
  #find(from: number, held: number): number {
    const input = this.#input;
    const to = input.length;
    const { length } = this.#delimiter;
    let at = from;
    if (held > 0) {
      const windowEnd = Math.min(to, from + length);
      const state = this.#delimiter.search(input, from, windowEnd, held);
      this.#at = state === length ? this.#delimiter.foundAt : windowEnd;
      if (state === length || windowEnd === to) return state;
      at = windowEnd - state;
    }
    const found = input.indexOf(this.#delimiterBytes, at);
    this.#at = found < 0 ? to : found + length;
    if (found >= 0) return length;
    return this.#delimiter.search(input, Math.max(at, to - length + 1), to, 0);
  }
}
