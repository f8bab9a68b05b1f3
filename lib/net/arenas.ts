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
  /** Blocks below this may have been filled since the addon had seen every submission: their counts are not true. */
  #filled = 1;

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
    if (border.submitted) this.#restart();
    if (SEND_BLOCK_BYTES - this.#position < (whole ? bytes : Math.min(bytes, 512)) && !this.#nextBlock()) return -1;
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

  /** Each tick begins at the first free block again: going round all of them would miss the cache each time. */
  #restart(): void {
    this.#filled = 0;
    this.#findFree();
  }

  #nextBlock(): boolean {
    if (this.#findFree()) return true;
    // With a flush everything that was submitted leaves the arena: for the kernel, or for the addon's own memory.
    border.flush();
    this.#filled = 0;
    return this.#findFree();
  }

  #findFree(): boolean {
    for (let block = this.#filled; block < SEND_BLOCKS; block++) {
      if (this.#segments[block] !== 0) continue;
      this.#filled = block + 1;
      this.#block = block;
      this.#position = 0;
      return true;
    }
    this.#filled = SEND_BLOCKS;
    return false;
  }
}

let arenas: Arenas | null = null;

/** This thread's arenas; allocated when the first socket is made. */
export function openArenas(): Arenas {
  arenas ??= new Arenas();
  return arenas;
}
