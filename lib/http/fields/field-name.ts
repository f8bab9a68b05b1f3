// Names of fields that were checked. A server sends the same few over and over: each spelling is checked once and then
// found again, with the value that it was last found right with.
import { invalidType } from '../../internal/errors.js';
import { invalidField } from '../http-errors.js';
import { forbiddenInValue, shownCharacter, TOKEN, tokenEnd, trimSpace } from './syntax.js';

/** Names that a reply's framing depends on: bits of `Fields.known`. */
export const CONTENT_LENGTH: number = 1;
export const CONTENT_TYPE: number = 2;
export const TRANSFER_ENCODING: number = 4;
export const CONNECTION: number = 8;
export const DATE: number = 16;
export const SET_COOKIE: number = 32;
export const TRAILER: number = 64;
export const UPGRADE: number = 128;
export const CONTENT_ENCODING: number = 256;
export const VARY: number = 512;
export const ETAG: number = 1024;
export const KEEP_ALIVE: number = 2048;

const BITS: ReadonlyMap<string, number> = new Map([
  ['content-length', CONTENT_LENGTH],
  ['content-type', CONTENT_TYPE],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['connection', CONNECTION],
  ['date', DATE],
  ['set-cookie', SET_COOKIE],
  ['trailer', TRAILER],
  ['upgrade', UPGRADE],
  ['content-encoding', CONTENT_ENCODING],
  ['vary', VARY],
  ['etag', ETAG],
  ['keep-alive', KEEP_ALIVE],
]);

/** So many spellings are remembered; names beyond that are checked each time. */
const REMEMBERED = 512;
const NAME_LENGTH_MAX = 64;
/** Longer values are checked each time: remembering them would keep them alive. */
const VALUE_LENGTH_MAX = 256;

const remembered = new Map<string, FieldName>();

export class FieldName {
  readonly lower: string;
  /** `Name: ` as it was spelt. */
  readonly prefix: string;
  /** One of the bits above, or 0. */
  readonly bit: number;
  /** The value that was last found right. */
  #checked = '';

  private constructor(name: string) {
    this.lower = name.toLowerCase();
    this.prefix = `${name}: `;
    this.bit = BITS.get(this.lower) ?? 0;
  }

  /** @throws TypeError `ERR_INVALID_ARG_TYPE`; `ERR_MILLRACE_HTTP_FIELD` for what is no token. */
  static of(name: string): FieldName {
    const known = remembered.get(name);
    if (known !== undefined) return known;
    if (typeof name !== 'string') throw invalidType('name', 'a string', name);
    const end = tokenEnd(name, 0);
    if (name === '') throw invalidField("A field's name must not be empty");
    if (end !== name.length) {
      throw invalidField(`A field's name must be a token; ${shownCharacter(name, end)} at index ${end} is not of one`);
    }
    const made = new FieldName(name);
    if (remembered.size < REMEMBERED && name.length <= NAME_LENGTH_MAX) remembered.set(name, made);
    return made;
  }

  /**
   * The value as it is sent: without the space around it.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`; `ERR_MILLRACE_HTTP_FIELD` for control characters (CR, LF and NUL among
   * them) and for what is not Latin-1.
   */
  check(value: string | number): string {
    if (value === this.#checked) return this.#checked;
    if (typeof value === 'number') return String(value);
    if (typeof value !== 'string') throw invalidType(`The value of ${this.lower}`, 'a string or a number', value);
    const at = forbiddenInValue(value);
    if (at >= 0) {
      throw invalidField(`The value of ${this.lower} must not contain ${shownCharacter(value, at)}, at index ${at}`);
    }
    const sent = isSpaced(value) ? trimSpace(value) : value;
    if (sent.length <= VALUE_LENGTH_MAX) this.#checked = sent;
    return sent;
  }
}

function isSpaced(value: string): boolean {
  const { length } = value;
  return length > 0 && (TOKEN[value.charCodeAt(0)] !== 1 || TOKEN[value.charCodeAt(length - 1)] !== 1);
}
