// Bytes that have come and cannot be parsed yet. One piece of memory: it doubles when it has to grow, and taking from its
// front moves nothing, so that requests which are handled a few at a time do not copy all that waits behind them.
import { Buffer } from 'node:buffer';

const FIRST_BYTES = 4096;

export class Backlog {
  memory: Buffer = Buffer.allocUnsafeSlow(0);
  /** Where the bytes that wait begin in `memory`. */
  start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.start;
  }

  append(memory: Buffer, offset: number, length: number): void {
    if (length > this.memory.length - this.#end) this.#makeRoom(length);
    memory.copy(this.memory, this.#end, offset, offset + length);
    this.#end += length;
  }

  /** What waits, in memory of its own. */
  takeAll(): Buffer {
    return this.memory.subarray(this.start, this.#end);
  }

  #makeRoom(length: number): void {
    const waits = this.length;
    const bytes = Math.max(FIRST_BYTES, waits + length, 2 * waits);
    const memory = Buffer.allocUnsafeSlow(bytes);
    this.memory.copy(memory, 0, this.start, this.#end);
    this.memory = memory;
    this.start = 0;
    this.#end = waits;
  }
}
