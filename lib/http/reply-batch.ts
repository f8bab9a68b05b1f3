// Replies of text that leave together. To ask of each whether it is ASCII, and so as long in bytes as it says, costs as much
// as to parse a head: it is asked of all at once, and only where they are not does each get its length.
import { Buffer } from 'node:buffer';
import { isAscii } from './reply-head.js';
import { textHead } from './text-head.js';

const REPLIES_MAX = 256;

export class ReplyBatch {
  /** Whose replies these are: one connection's at a time. */
  owner: object | null = null;
  #text = '';
  #count = 0;
  readonly #lengths = new Uint32Array(REPLIES_MAX);

  get length(): number {
    return this.#text.length;
  }

  get full(): boolean {
    return this.#count === REPLIES_MAX;
  }

  add(owner: object, text: string): void {
    this.owner = owner;
    this.#lengths[this.#count++] = text.length;
    this.#text += textHead(text.length).text + text;
  }

  /** All of it, a byte a code unit; then there is nothing. */
  take(): string {
    const text = this.#text;
    const taken = isAscii(text) ? text : this.#measured(text);
    this.clear();
    return taken;
  }

  clear(): void {
    this.owner = null;
    this.#text = '';
    this.#count = 0;
  }

  #measured(text: string): string {
    let measured = '';
    let at = 0;
    for (let i = 0; i < this.#count; i++) {
      const length = this.#lengths[i] as number;
      const begin = at + textHead(length).text.length;
      at = begin + length;
      const bytes = Buffer.from(text.slice(begin, at));
      measured += textHead(bytes.length).text + bytes.toString('latin1');
    }
    return measured;
  }
}

/** This thread's: a connection gathers while it is given what came, and flushes before another is. */
export const batch = new ReplyBatch();
