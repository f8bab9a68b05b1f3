// Replies by method and by the first digit of their status. Methods that are not usual count as one: a stranger must not be
// able to make a series for each word that comes to his mind.

import { HTTP_METHOD_NAMES } from '../../internal/http-layout.js';

const METHODS = [...HTTP_METHOD_NAMES.slice(1), 'other'];
const OTHER = METHODS.length - 1;
/** 6xx to 9xx mean nothing, and apps of node:http can send them. */
const CLASSES = 10;
const indexes = new Map<string, number>(METHODS.map((method, i) => [method, i]));

/** How many replies of a kind there were. */
export interface ReplyCount {
  /** A usual method, or `other`. */
  readonly method: string;
  /** `2xx`; `0xx` where the peer had gone before there was a status. */
  readonly status: string;
  readonly count: number;
}

export class ReplyCounts {
  readonly #counts = new Float64Array(METHODS.length * CLASSES);

  /** @param status 100 to 999, or 0. */
  add(method: string, status: number, times: number = 1): void {
    this.#addAt(indexes.get(method) ?? OTHER, status, times);
  }

  /** @param method its number, as the codec gives it: 0 for those that are not usual. */
  addNumber(method: number, status: number, times: number = 1): void {
    this.#addAt(method === 0 ? OTHER : method - 1, status, times);
  }

  #addAt(index: number, status: number, times: number): void {
    const at = index * CLASSES + ((status / 100) | 0);
    this.#counts[at] = (this.#counts[at] as number) + times;
  }

  /** Those that there were any of. */
  list(): ReplyCount[] {
    const list: ReplyCount[] = [];
    for (const [i, method] of METHODS.entries()) {
      for (let digit = 0; digit < CLASSES; digit++) {
        const count = this.#counts[i * CLASSES + digit] as number;
        if (count > 0) list.push({ method, status: `${digit}xx`, count });
      }
    }
    return list;
  }

  total(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }
}
