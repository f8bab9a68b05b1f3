// What a socket has yet to send (native/io/send_queue.h).
import { RECEIVE_BUFFER_BYTES, SEND_BLOCK_BYTES } from '../layout.js';
import type { Arenas } from './arenas.js';

interface Segment {
  kind: 'send' | 'receive';
  offset: number;
  length: number;
}

export class SendQueue {
  bytes = 0;
  readonly #arenas: Arenas;
  #segments: Segment[] = [];

  constructor(arenas: Arenas) {
    this.#arenas = arenas;
  }

  get empty(): boolean {
    return this.#segments.length === 0;
  }

  push(kind: 'send' | 'receive', offset: number, length: number): void {
    this.bytes += length;
    const last = this.#segments.at(-1);
    if (
      last !== undefined &&
      last.kind === kind &&
      last.offset + last.length === offset &&
      unitOf(kind, last.offset) === unitOf(kind, offset)
    ) {
      last.length += length;
      return;
    }
    this.#segments.push({ kind, offset, length });
    if (kind === 'send') this.#arenas.blockSegments[unitOf(kind, offset)]++;
    else this.#arenas.hold(unitOf(kind, offset));
  }

  /** A copy of the first `count` bytes, or fewer: those of the first segment at most. */
  front(count: number): Uint8Array {
    const segment = this.#segments[0];
    if (segment === undefined) return new Uint8Array(0);
    const arena = segment.kind === 'send' ? this.#arenas.sending : this.#arenas.received;
    return arena.slice(segment.offset, segment.offset + Math.min(count, segment.length));
  }

  /** The first `count` bytes, of one segment, have left. */
  consume(count: number): void {
    const segment = this.#segments[0];
    if (segment === undefined) return;
    this.bytes -= count;
    segment.length -= count;
    if (segment.length > 0) {
      // Adjacent pushes are told by the end, which stays where it was.
      segment.offset += count;
      return;
    }
    this.#end(segment, segment.offset + count - 1);
    this.#segments.shift();
  }

  discard(): void {
    for (const segment of this.#segments) this.#end(segment, segment.offset);
    this.#segments = [];
    this.bytes = 0;
  }

  #end(segment: Segment, at: number): void {
    if (segment.kind === 'send') this.#arenas.blockSegments[unitOf('send', at)]--;
    else this.#arenas.drop(unitOf('receive', at));
  }
}

/** The block or buffer that an offset lies in. */
function unitOf(kind: Segment['kind'], offset: number): number {
  return Math.floor(offset / (kind === 'send' ? SEND_BLOCK_BYTES : RECEIVE_BUFFER_BYTES));
}
