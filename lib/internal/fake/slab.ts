// Slots with generations, as native/core/slab.h has them: a stale handle is refused, a freed slot rests in quarantine.
import { SLOT_BITS, SLOT_MASK, SOCKETS_MAX } from '../layout.js';

const QUARANTINE = 64;
const GENERATION_MAX = 2 ** (32 - SLOT_BITS) - 1;

export class Slab<T> {
  readonly #entries: (T | null)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];

  /** Takes a slot and gives its handle; undefined when all are in use. */
  allocate(make: (handle: number) => T): T | undefined {
    let slot = this.#entries.length;
    if (this.#free.length > QUARANTINE || slot === SOCKETS_MAX) {
      const rested = this.#free.shift();
      if (rested === undefined) return undefined;
      slot = rested;
    }
    const last = this.#generations[slot] ?? 0;
    const generation = last === GENERATION_MAX ? 1 : last + 1;
    this.#generations[slot] = generation;
    const entry = make(((generation << SLOT_BITS) | slot) >>> 0);
    this.#entries[slot] = entry;
    return entry;
  }

  /** Whether such a slot was ever given out. */
  knows(handle: number): boolean {
    return (handle & SLOT_MASK) < this.#entries.length;
  }

  /** Undefined: stale. */
  lookup(handle: number): T | undefined {
    const slot = handle & SLOT_MASK;
    if (this.#generations[slot] !== handle >>> SLOT_BITS) return undefined;
    return this.#entries[slot] ?? undefined;
  }

  release(handle: number): void {
    const slot = handle & SLOT_MASK;
    this.#entries[slot] = null;
    this.#free.push(slot);
  }

  live(): T[] {
    return this.#entries.filter((entry) => entry !== null);
  }
}
