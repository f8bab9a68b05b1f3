// Writes that the send arena has no room for yet, in order: a write that is larger than what may be under way at once, and
// all that is written behind it. They are sent piece by piece as the socket drains, so a write of gigabytes takes no
// more memory than the caller's own.
import type { Arenas } from './arenas.js';
import { sendBytes } from './sending.js';

/** Longer writes are taken from the caller's memory as the socket drains; others are copied at once. */
export const COPIED_BYTES_MAX = 1024 * 1024;
/** What may be under way of them; more is fed when only FEED_LOW_BYTES are left. */
const FEED_BYTES = 1024 * 1024;
export const FEED_LOW_BYTES = 256 * 1024;

interface Part {
  readonly bytes: Uint8Array;
  /** Its length when it was written: memory that was transferred or shrunk since is found out. */
  readonly length: number;
}

export class Outbox {
  /** Bytes that were not submitted yet. */
  bytes = 0;
  /** What is submitted when all has been: the kind of a Shutdown, Close or Detach; 0 for nothing. */
  end = 0;
  #parts: Part[] = [];
  #first = 0;
  /** Bytes of the first part that were submitted. */
  #sent = 0;

  get empty(): boolean {
    return this.#first === this.#parts.length;
  }

  /** @param copied whether the caller may use its memory again at once. */
  push(bytes: Uint8Array, copied: boolean): void {
    if (bytes.length === 0) return;
    this.#parts.push({ bytes: copied ? Uint8Array.from(bytes) : bytes, length: bytes.length });
    this.bytes += bytes.length;
  }

  /**
   * Submits what may be under way besides the `queued` bytes that are; returns how many bytes that were, or -1 when the
   * memory of one of the writes is not there any more.
   */
  feed(arenas: Arenas, handle: number, queued: number): number {
    let room = FEED_BYTES - queued;
    let fed = 0;
    while (room > 0 && !this.empty) {
      const { bytes, length } = this.#parts[this.#first] as Part;
      if (bytes.length < length) return -1;
      const piece = Math.min(room, length - this.#sent);
      const sent = sendBytes(arenas, handle, bytes.subarray(this.#sent, this.#sent + piece), queued + fed === 0);
      fed += sent;
      room -= sent;
      this.#sent += sent;
      this.bytes -= sent;
      if (this.#sent === length) this.#next();
      if (sent < piece) break;
    }
    return fed;
  }

  #next(): void {
    this.#sent = 0;
    this.#first++;
    // A long queue is not moved for each part that leaves it.
    if (this.#first > 64 && this.#first * 2 > this.#parts.length) {
      this.#parts = this.#parts.slice(this.#first);
      this.#first = 0;
    }
  }
}
