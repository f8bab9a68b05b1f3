import { HTTP_FIELD_NAME_COOKIE } from '../internal/http-layout.js';
import { fieldNumber } from './codec.js';
import type { RequestFields } from './fields/index.js';
import type { HeadView } from './head-view.js';

/**
 * The header fields of a request. Names are compared without regard to case. Several lines of one name are joined by `, `,
 * those of Cookie by `; ` (RFC 9110, 5.3; RFC 9113, 8.2.3). Values are Latin-1: a character for each byte.
 */
export class RequestHeaders implements RequestFields, Iterable<[string, string]> {
  readonly #head: HeadView;

  /** @internal */
  constructor(head: HeadView) {
    this.#head = head;
  }

  /** Lines, not names. */
  get size(): number {
    return this.#head.fields;
  }

  /** The field's lines, joined; null if it was not sent. */
  get(name: string): string | null {
    const known = fieldNumber(name);
    if (known !== 0) return this.known(known);
    const lower = name.toLowerCase();
    const number = fieldNumber(lower);
    if (number !== 0) return this.known(number);
    const head = this.#head;
    const count = head.fields;
    let found: string | null = null;
    for (let i = 0; i < count; i++) {
      if (!this.#is(i, lower)) continue;
      const value = head.fieldValue(i);
      found = found === null ? value : `${found}, ${value}`;
    }
    return found;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** The field's lines; none is an empty list. */
  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    const number = fieldNumber(lower);
    const head = this.#head;
    const values: string[] = [];
    for (let i = 0; i < head.fields; i++) {
      if (number === 0 ? this.#is(i, lower) : head.fieldKnown(i) === number) values.push(head.fieldValue(i));
    }
    return values;
  }

  /** Each line: its name in small letters, and its value. */
  *[Symbol.iterator](): Generator<[string, string], void, undefined> {
    const head = this.#head;
    const count = head.fields;
    for (let i = 0; i < count; i++) yield [head.fieldName(i).toLowerCase(), head.fieldValue(i)];
  }

  /** By name in small letters, without a prototype; several lines joined. */
  toObject(): Record<string, string> {
    const all: Record<string, string> = Object.create(null);
    for (const [name, value] of this) {
      const before = all[name];
      all[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
    }
    return all;
  }

  /** Names as they were sent, and values, in turn: what Node calls `rawHeaders`. */
  raw(): string[] {
    const head = this.#head;
    const count = head.fields;
    const list = new Array<string>(2 * count);
    const { all } = head;
    for (let i = 0; i < count; i++) {
      list[2 * i] = head.fieldNameIn(all, i);
      list[2 * i + 1] = head.fieldValueIn(all, i);
    }
    return list;
  }

  /** @internal By its number. */
  known(number: number): string | null {
    const head = this.#head;
    const count = head.fields;
    let found: string | null = null;
    for (let i = 0; i < count; i++) {
      if (head.fieldKnown(i) !== number) continue;
      const value = head.fieldValue(i);
      found = found === null ? value : `${found}${number === HTTP_FIELD_NAME_COOKIE ? '; ' : ', '}${value}`;
    }
    return found;
  }

  #is(index: number, lower: string): boolean {
    const head = this.#head;
    return (
      head.fieldKnown(index) === 0 &&
      head.fieldNameLength(index) === lower.length &&
      head.fieldName(index).toLowerCase() === lower
    );
  }
}
