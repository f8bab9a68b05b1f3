// Replies by method and by the first digit of their status. Methods that are not usual count as one: a stranger must not be
// able to make a series for each word that comes to his mind.

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'other'] as const;
const OTHER = METHODS.length - 1;
const CLASSES = 6;
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

  /** @param status 100 to 599, or 0. */
  add(method: string, status: number, times: number = 1): void {
    const at = (indexes.get(method) ?? OTHER) * CLASSES + ((status / 100) | 0);
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
