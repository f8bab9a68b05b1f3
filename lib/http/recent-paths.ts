// The paths of a server's requests, which come again and again, as strings that are made once. Which one it is the codec has
// found out already (native/core/http/recent_paths.h): a slot, and a count that no other path has ever had.
import type { Buffer } from 'node:buffer';
import { HTTP_PATH_SLOTS } from '../internal/http-layout.js';

export class RecentPaths {
  readonly #texts: string[] = new Array<string>(HTTP_PATH_SLOTS).fill('');
  readonly #slotWords = new Uint32Array(HTTP_PATH_SLOTS);
  readonly #counts = new Uint32Array(HTTP_PATH_SLOTS);

  /** `memory` from `start` to `end`, which is ASCII. @param slotWord,count as the Head tells them. */
  text(slotWord: number, count: number, memory: Buffer, start: number, end: number): string {
    const slot = slotWord % HTTP_PATH_SLOTS;
    if (this.#counts[slot] === count && this.#slotWords[slot] === slotWord && (count | slotWord) !== 0) {
      return this.#texts[slot] as string;
    }
    const text = memory.toString('latin1', start, end);
    this.#slotWords[slot] = slotWord;
    this.#counts[slot] = count;
    this.#texts[slot] = text;
    return text;
  }
}
