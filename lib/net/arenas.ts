// The memory that the addon's sockets read into and send from, seen from JavaScript.
//
// - The receive arena: the addon fills it, and takes a buffer back after the tick that delivered it, unless a Send that
//   was submitted in that tick reads from it.
// - The send arena: blocks that are filled here from the start. The addon counts what it has not sent yet for each block;
//   a block is written from its start again when its count is 0 and the addon has seen every submission.
import { Buffer } from 'node:buffer';
import { border } from '../internal/border.js';
import { SEND_BLOCK_BYTES, SEND_BLOCKS } from '../internal/layout.js';

export class Arenas {
  readonly received: Buffer;
  readonly sends: Buffer;
  /** For each socket slot: the bytes that left, modulo 2^32. */
  readonly bytesSent: Uint32Array;
  readonly #segments: Uint32Array;
  #block = 0;
  #position = 0;
  /** Blocks gone forward since the addon had seen every submission. */
  #advanced = 0;

  constructor() {
    const io = border.open().openIo();
    this.received = Buffer.from(io.receiveArena);
    this.sends = Buffer.from(io.sendArena);
    this.bytesSent = new Uint32Array(io.socketBytesSent);
    this.#segments = new Uint32Array(io.sendBlockSegments);
  }

  /**
   * Room for up to `bytes` (at least one, unless `whole`: then all of them, at most a block) from the returned offset on;
   * `room` tells how much. -1: the kernel reads all of it, and no byte is free.
   */
  reserve(bytes: number, whole: boolean): number {
    const left = SEND_BLOCK_BYTES - this.#position;
    if (left < (whole ? bytes : Math.min(bytes, 512))) {
      if (!this.#nextBlock()) return -1;
    } else if (this.#position !== 0 && this.#segments[this.#block] === 0 && border.submitted) {
      this.#position = 0;
    }
    return this.#block * SEND_BLOCK_BYTES + this.#position;
  }

  /** Bytes from the reserved offset to the end of its block. */
  get room(): number {
    return SEND_BLOCK_BYTES - this.#position;
  }

  /** The first `bytes` of what was reserved are in use. */
  commit(bytes: number): void {
    this.#position += bytes;
  }

  #nextBlock(): boolean {
    if (border.submitted) this.#advanced = 0;
    if (this.#findFree()) return true;
    // With a flush everything that was submitted leaves the arena: for the kernel, or for the addon's own memory.
    border.flush();
    this.#advanced = 0;
    return this.#findFree();
  }

  /** Goes round the blocks, but never into one that was filled since the addon last looked: its count is not yet true. */
  #findFree(): boolean {
    for (let step = 1; step < SEND_BLOCKS - this.#advanced; step++) {
      const block = (this.#block + step) % SEND_BLOCKS;
      if (this.#segments[block] === 0) {
        this.#advanced += step;
        this.#block = block;
        this.#position = 0;
        return true;
      }
    }
    return false;
  }
}

let arenas: Arenas | null = null;

/** This thread's arenas; allocated when the first socket is made. */
export function openArenas(): Arenas {
  arenas ??= new Arenas();
  return arenas;
}
