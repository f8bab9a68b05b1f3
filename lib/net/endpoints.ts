// Which socket or listener each handle of the addon stands for, and the tick's socket completions on their way there.
//
// Completions are first copied out of the ring, all of them; then each goes to its endpoint, which may call the user's
// handlers. So a handler never runs while the ring is half drained, and what it closes is seen by the ones after it.
import { border, type SocketCompletions } from '../internal/border.js';
import { COMPLETION_ACCEPT, COMPLETION_CAPACITY, RESET, SLOT_MASK, SUBMISSION_CLOSE } from '../internal/layout.js';

export interface Endpoint {
  readonly handle: number;
  complete(kind: number, a: number, b: number): void;
}

const WORDS = 4;

class Endpoints implements SocketCompletions {
  readonly #endpoints: (Endpoint | null)[] = [];
  readonly #queue = new Uint32Array(COMPLETION_CAPACITY * WORDS);
  #queued = 0;

  add(endpoint: Endpoint): void {
    const slot = endpoint.handle & SLOT_MASK;
    while (this.#endpoints.length <= slot) this.#endpoints.push(null);
    this.#endpoints[slot] = endpoint;
  }

  remove(endpoint: Endpoint): void {
    const slot = endpoint.handle & SLOT_MASK;
    if (this.#endpoints[slot] === endpoint) this.#endpoints[slot] = null;
  }

  /** Looks at all there are: for what is done seldom. */
  filter<E extends Endpoint>(wanted: (endpoint: Endpoint) => endpoint is E): E[] {
    return this.#endpoints.filter((endpoint): endpoint is E => endpoint !== null && wanted(endpoint));
  }

  complete(kind: number, handle: number, a: number, b: number): void {
    const queue = this.#queue;
    const at = this.#queued * WORDS;
    queue[at] = kind;
    queue[at + 1] = handle;
    queue[at + 2] = a;
    queue[at + 3] = b;
    this.#queued++;
  }

  runHandlers(): void {
    const count = this.#queued;
    const queue = this.#queue;
    this.#queued = 0;
    for (let i = 0; i < count; i++) {
      const at = i * WORDS;
      const handle = queue[at + 1] as number;
      const endpoint = this.#endpoints[handle & SLOT_MASK];
      if (endpoint !== null && endpoint !== undefined && endpoint.handle === handle) {
        try {
          endpoint.complete(queue[at] as number, queue[at + 2] as number, queue[at + 3] as number);
        } catch (error) {
          // A getter among the user's options, say: the other sockets of this tick never notice.
          process.nextTick(rethrow, error);
        }
      } else if (queue[at] === COMPLETION_ACCEPT) {
        // Its listener has gone: nobody would ever close this one.
        border.submit(SUBMISSION_CLOSE | RESET, queue[at + 2] as number, 0, 0);
      }
    }
  }
}

function rethrow(error: unknown): never {
  throw error;
}

export const endpoints = new Endpoints();
border.sockets = endpoints;
