import { checkObject, invalidType } from '../../internal/errors.js';
import { FieldName, SET_COOKIE } from './field-name.js';

/** What a field can be set to. Several values are as many lines. */
export type FieldValue = string | number | readonly string[];

/** What fields can be made of: pairs, an object, or a `Headers`. */
export type FieldsInit = Iterable<readonly [string, string]> | Readonly<Record<string, FieldValue | undefined>>;

/**
 * The fields of a reply, in the order in which they were set. Names are compared without regard to case and sent as they
 * were spelt. Nothing gets in that could end a line: what is no token, or has a control character in its value, throws.
 *
 * @example
 * ```ts
 * const fields = new Fields({ 'Content-Type': 'text/plain' });
 * fields.append('Set-Cookie', 'a=1').append('set-cookie', 'b=2');
 * console.log(fields.get('content-type')); // text/plain
 * console.log(fields.getSetCookie().length); // 2
 * ```
 */
export class Fields implements Iterable<[string, string]> {
  /** @internal Bits of `field-name.ts`: which of the names that matter for framing are set. */
  known = 0;
  readonly #names: FieldName[] = [];
  readonly #values: string[] = [];

  /** @throws TypeError as `set` does. */
  constructor(init?: FieldsInit) {
    if (init !== undefined) this.#fill(init);
  }

  /** Others with the same lines. */
  copy(): Fields {
    return new Fields(this);
  }

  /** Lines, not names. */
  get size(): number {
    return this.#names.length;
  }

  /**
   * Sets a field, in the place of whatever lines it had.
   * @throws TypeError `ERR_MILLRACE_HTTP_FIELD` if the name is no token, or the value contains a control character or
   * what is not Latin-1. `ERR_INVALID_ARG_TYPE` for another type.
   */
  set(name: string, value: FieldValue): this {
    const field = FieldName.of(name);
    if (typeof value === 'object') return this.#setAll(field, value);
    const checked = field.check(value);
    const names = this.#names;
    for (let i = 0; i < names.length; i++) {
      if ((names[i] as FieldName).lower !== field.lower) continue;
      names[i] = field;
      this.#values[i] = checked;
      this.#removeFrom(i + 1, field);
      return this;
    }
    this.#push(field, checked);
    return this;
  }

  /** Adds a line, whatever the field has already. @throws TypeError as `set` does. */
  append(name: string, value: FieldValue): this {
    const field = FieldName.of(name);
    if (typeof value === 'object') for (const checked of checkAll(field, value)) this.#push(field, checked);
    else this.#push(field, field.check(value));
    return this;
  }

  /** The field's lines joined by `, `; null if it has none. */
  get(name: string): string | null {
    const lower = name.toLowerCase();
    let found: string | null = null;
    for (let i = 0; i < this.#names.length; i++) {
      if ((this.#names[i] as FieldName).lower !== lower) continue;
      found = found === null ? (this.#values[i] as string) : `${found}, ${this.#values[i]}`;
    }
    return found;
  }

  /** The field's lines; none is an empty list. */
  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    return this.#values.filter((_, i) => this.#names[i]?.lower === lower);
  }

  /** The lines of Set-Cookie, which must never be joined (RFC 6265, 3). */
  getSetCookie(): string[] {
    return (this.known & SET_COOKIE) === 0 ? [] : this.getAll('set-cookie');
  }

  has(name: string): boolean {
    const lower = name.toLowerCase();
    return this.#names.some((field) => field.lower === lower);
  }

  /** Removes all lines of a field; false if it had none. @throws TypeError if the name is no token. */
  delete(name: string): boolean {
    return this.#removeFrom(0, FieldName.of(name)) && this.#forget(FieldName.of(name));
  }

  /** Each line: its name in small letters, and its value. */
  *[Symbol.iterator](): Generator<[string, string], void, undefined> {
    for (let i = 0; i < this.#names.length; i++) yield [(this.#names[i] as FieldName).lower, this.#values[i] as string];
  }

  /**
   * @internal `Name: value\r\n` for each line, without the empty one that ends the head. Latin-1.
   * @param without bits of names to leave out.
   */
  serialize(without = 0): string {
    let block = '';
    for (let i = 0; i < this.#names.length; i++) {
      const name = this.#names[i] as FieldName;
      if ((name.bit & without) === 0) block += `${name.prefix}${this.#values[i]}\r\n`;
    }
    return block;
  }

  #push(field: FieldName, value: string): void {
    this.#names.push(field);
    this.#values.push(value);
    this.known |= field.bit;
  }

  #setAll(field: FieldName, values: readonly string[]): this {
    const checked = checkAll(field, values);
    this.#removeFrom(0, field);
    this.#forget(field);
    for (const value of checked) this.#push(field, value);
    return this;
  }

  #removeFrom(from: number, field: FieldName): boolean {
    const names = this.#names;
    const before = names.length;
    let kept = from;
    for (let i = from; i < before; i++) {
      if ((names[i] as FieldName).lower === field.lower) continue;
      if (kept !== i) {
        names[kept] = names[i] as FieldName;
        this.#values[kept] = this.#values[i] as string;
      }
      kept++;
    }
    if (kept < before) {
      names.length = kept;
      this.#values.length = kept;
    }
    return kept < before;
  }

  #forget(field: FieldName): true {
    this.known &= ~field.bit;
    return true;
  }

  /** As they were spelt: what the iterator gives is in small letters. */
  #take(other: Fields): void {
    this.known = other.known;
    this.#names.push(...other.#names);
    this.#values.push(...other.#values);
  }

  #fill(init: FieldsInit): void {
    checkObject(init, 'headers');
    if (init instanceof Fields) {
      this.#take(init);
      return;
    }
    if (Symbol.iterator in init) {
      for (const pair of init as Iterable<readonly [string, string]>) {
        if (!Array.isArray(pair) || pair.length !== 2) throw invalidType('headers', 'pairs of name and value', pair);
        this.append(pair[0] as string, pair[1] as string);
      }
      return;
    }
    for (const name of Object.keys(init)) {
      const value = (init as Readonly<Record<string, FieldValue | undefined>>)[name];
      if (value !== undefined) this.append(name, value);
    }
  }
}

function checkAll(field: FieldName, values: readonly string[]): string[] {
  if (!Array.isArray(values)) throw invalidType(`The value of ${field.lower}`, 'a string, a number or a list', values);
  return values.map((value: string) => field.check(value));
}
