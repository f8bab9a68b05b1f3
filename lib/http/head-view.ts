// Where a head lies, and where its parts are in it: in the socket's memory and the codec's table while the handler runs,
// then in copies of them.
import { Buffer } from 'node:buffer';
import { MillraceError } from '../internal/errors.js';
import {
  HTTP_FIELD_KNOWN,
  HTTP_FIELD_NAME,
  HTTP_FIELD_VALUE,
  HTTP_FIELD_WORDS,
  HTTP_HEAD_FIELDS,
  HTTP_HEAD_LENGTH,
  HTTP_HEAD_OFFSET,
  HTTP_HEAD_PATH,
  HTTP_HEAD_PATH_COUNT,
  HTTP_HEAD_PATH_SLOT,
  HTTP_HEAD_WORDS,
} from '../internal/http-layout.js';
import { openCodec } from './codec.js';

export class HeadView {
  #memory: Buffer | null;
  #words: Uint32Array;
  #at: number;
  #offset: number;
  #borrowed = true;

  constructor(memory: Buffer, words: Uint32Array, at: number) {
    this.#memory = memory;
    this.#words = words;
    this.#at = at;
    this.#offset = words[at + HTTP_HEAD_OFFSET] as number;
  }

  /** Of the head's words. @throws MillraceError when the request is over. */
  word(index: number): number {
    if (this.#memory === null) throw over();
    return this.#words[this.#at + index] as number;
  }

  /** A part of the head, as Latin-1: a character a byte. @param place offset in the low, length in the high 16 bits. */
  text(place: number): string {
    if (this.#memory === null) throw over();
    const start = this.#offset + (place & 0xffff);
    return this.#memory.toString('latin1', start, start + (place >>> 16));
  }

  /** The path. */
  get path(): string {
    if (this.#memory === null) throw over();
    const place = this.word(HTTP_HEAD_PATH);
    const start = this.#offset + (place & 0xffff);
    const { paths } = openCodec();
    const slot = this.word(HTTP_HEAD_PATH_SLOT);
    return paths.text(slot, this.word(HTTP_HEAD_PATH_COUNT), this.#memory, start, start + (place >>> 16));
  }

  /** All of it. Where many parts are wanted, they are cut out of this: calls into C++ cost more than that. */
  get all(): string {
    return this.text(this.word(HTTP_HEAD_LENGTH) << 16);
  }

  fieldNameIn(all: string, index: number): string {
    return partOf(all, this.#field(index, HTTP_FIELD_NAME));
  }

  fieldValueIn(all: string, index: number): string {
    return partOf(all, this.#field(index, HTTP_FIELD_VALUE));
  }

  get fields(): number {
    return this.word(HTTP_HEAD_FIELDS) & 0xffff;
  }

  /** Index in the table behind the last word of the head. */
  get end(): number {
    return this.#at + HTTP_HEAD_WORDS + this.fields * HTTP_FIELD_WORDS;
  }

  fieldName(index: number): string {
    return this.text(this.#field(index, HTTP_FIELD_NAME));
  }

  fieldNameLength(index: number): number {
    return this.#field(index, HTTP_FIELD_NAME) >>> 16;
  }

  fieldValue(index: number): string {
    return this.text(this.#field(index, HTTP_FIELD_VALUE));
  }

  /** The number of a known name, or 0. */
  fieldKnown(index: number): number {
    return this.#field(index, HTTP_FIELD_KNOWN);
  }

  /** From now on it is our own. */
  detach(): void {
    const memory = this.#memory;
    if (memory === null || !this.#borrowed) return;
    const { end } = this;
    this.#borrowed = false;
    this.#memory = Buffer.from(memory.subarray(this.#offset, this.#offset + this.word(HTTP_HEAD_LENGTH)));
    this.#words = this.#words.slice(this.#at, end);
    this.#at = 0;
    this.#offset = 0;
  }

  /** What it was borrowed from goes: it can be read no more, unless it was detached. */
  release(): void {
    if (this.#borrowed) this.#memory = null;
  }

  #field(index: number, word: number): number {
    return this.word(HTTP_HEAD_WORDS + index * HTTP_FIELD_WORDS + word);
  }
}

function partOf(head: string, place: number): string {
  const start = place & 0xffff;
  return head.slice(start, start + (place >>> 16));
}

function over(): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_HTTP_REQUEST_OVER',
    'This request was answered at once and is over; read what you need of it in the handler, before it returns',
  );
}
