// What `readUntil` looks for, in one pass over pieces: Knuth, Morris and Pratt's automaton, whose state (how much of the
// delimiter the bytes so far end with) goes from one piece to the next. Where no part of it matches, its first byte is
// looked for by the engine's own search.
import { Buffer } from 'node:buffer';

/** So many bytes are looked at here before the engine's search is asked, which costs a call and a view. */
const STEPS = 32;
/** And it is asked for no less than this. */
const SEARCH_BYTES = 256;

export class Delimiter {
  readonly length: number;
  /** After a search that found it: the index behind its last byte. */
  foundAt = 0;
  readonly #bytes: Uint8Array;
  /** How much of the delimiter is still matched when the byte after the first n does not follow. */
  readonly #fallback: Uint32Array;

  /** @param bytes at least one; copied. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
    this.length = bytes.length;
    this.#fallback = new Uint32Array(bytes.length + 1);
    for (let i = 1, matched = 0; i < bytes.length; i++) {
      while (matched > 0 && bytes[i] !== bytes[matched]) matched = this.#fallback[matched] as number;
      if (bytes[i] === bytes[matched]) matched++;
      this.#fallback[i + 1] = matched;
    }
  }

  /** Looks at `bytes` in [from, to), of which `matched` bytes stand before; gives how many are matched at the end. */
  search(bytes: Buffer, from: number, to: number, matched: number): number {
    const wanted = this.#bytes;
    const first = wanted[0] as number;
    let state = matched;
    let steps = 0;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number;
      while (state > 0 && byte !== wanted[state]) state = this.#fallback[state] as number;
      if (byte === wanted[state]) {
        state++;
        steps = 0;
        if (state === this.length) {
          this.foundAt = at + 1;
          return state;
        }
      } else if (++steps >= STEPS && to - at > SEARCH_BYTES) {
        steps = 0;
        const next = bytes.subarray(at + 1, to).indexOf(first);
        if (next < 0) return 0;
        at += next;
      }
    }
    return state;
  }

  static #last: Delimiter | null = null;
  static #lastText = '';

  /** Protocols ask for the same again and again: the last text is kept. */
  static of(delimiter: string | Uint8Array): Delimiter {
    if (typeof delimiter !== 'string') return new Delimiter(delimiter);
    if (Delimiter.#last === null || Delimiter.#lastText !== delimiter) {
      Delimiter.#last = new Delimiter(Buffer.from(delimiter));
      Delimiter.#lastText = delimiter;
    }
    return Delimiter.#last;
  }
}
