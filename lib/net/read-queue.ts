// What a socket has received and nobody has read yet, and the reads that wait for more.
//
// - A read that waits takes nothing before it can have all that it asked for, so giving one up loses nothing. Reads are
//   served in the order in which they were made.
// - Blocks stand in the order of the stream: each knows where in it its first byte was. So what a cancelled read gives
//   back finds its place again, whichever is given back first.
//   Positions are 32-bit integers that wrap around: what is queued at one time is never half of that apart.
// - Only the last block may have room behind its bytes; what comes next is put there. Bytes that were handed out are
//   never written again: a block grows only behind its end.
import { Buffer } from 'node:buffer';

/** A read that waits. */
export interface Reader {
  /** Most bytes that it takes at once of what arrives while nothing is queued; 0 if it does not take just anything. */
  readonly takesUpTo: number;
  /** Bytes that it waits for, as far as that is known: they are gathered in one piece. */
  readonly needs: number;
  /** `length` bytes of `memory`, which is on loan, have come; they stood at `position` of the stream. */
  arrive(memory: Buffer, offset: number, length: number, position: number): void;
  /** Takes what it asked for, or learns of the end; false: it goes on waiting. */
  tryTake(queue: ReadQueue): boolean;
  reject(error: unknown): void;
}

/** Whom the queue belongs to. */
export interface ReadOwner {
  /** Bytes have been taken, or somebody waits for more: receiving may go on. */
  readsTaken(): void;
  /** A read has been told of the end. */
  endRead(): void;
}

class Block {
  constructor(
    /** Where in the stream `bytes[from]` stood. */
    public position: number,
    public bytes: Buffer,
    public from: number,
    public to: number,
  ) {}

  get length(): number {
    return this.to - this.from;
  }
}

/** Most bytes that one read can ask for: it must stay a small integer of the engine. */
export const READ_BYTES_MAX = 2 ** 31 - 1;
/** Fragments are gathered in blocks of this size. */
const GATHER_BYTES = 4096;
/** Where pieces are as large as this, four of them are gathered: each block costs its reader a turn, and often a write. */
const GATHERED_PIECE_BYTES = 8192;
/** A read of so many bytes has its memory at once; of more as they come, since the peer may have lied. */
const ASSEMBLE_BYTES = 1024 * 1024;

/** A block in which `bytes` and what comes next are gathered. */
function roomFor(bytes: number): number {
  return bytes >= GATHERED_PIECE_BYTES ? bytes * 4 : Math.max(bytes, GATHER_BYTES);
}

function isBefore(one: number, other: number): boolean {
  return ((one - other) | 0) < 0;
}

export class ReadQueue {
  /** Bytes that nobody has read yet. */
  bytes = 0;
  /** Its owner has stopped receiving, and wants to be told when bytes have been taken. */
  full = false;
  ended = false;
  error: Error | null = null;
  /** The position of the next byte in the stream. */
  #received = 0;
  #blocks: Block[] = [];
  #waiting: Reader[] = [];
  readonly #owner: ReadOwner;

  constructor(owner: ReadOwner) {
    this.#owner = owner;
  }

  /** Somebody waits for more bytes. */
  get waited(): boolean {
    return this.#waiting.length > 0;
  }

  /** `length` bytes of `memory`, which is on loan, have come. */
  push(memory: Buffer, offset: number, length: number): void {
    const reader = this.#waiting[0];
    if (reader !== undefined && this.bytes === 0 && length <= reader.takesUpTo) {
      const position = this.#received;
      this.#received = (this.#received + length) | 0;
      this.#waiting.shift();
      reader.arrive(memory, offset, length, position);
      return;
    }
    this.#append(memory, offset, length);
    if (reader !== undefined) this.#serve();
  }

  /** No more will come; reads learn of it when all has been read. */
  end(): void {
    if (this.ended || this.error !== null) return;
    this.ended = true;
    this.#serve();
  }

  /** No more will come because of `error`; what has been received can still be read. */
  fail(error: Error): void {
    if (this.ended || this.error !== null) return;
    this.error = error;
    this.#serve();
  }

  /** Forgets what nobody has read; reads that wait are thrown `error`. */
  discard(error: Error): void {
    this.#blocks = [];
    this.bytes = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const reader of waiting) reader.reject(error);
  }

  /** All that nobody has read yet. Reads that wait stay where they are until the end. */
  takeAll(): Buffer[] {
    const all: Buffer[] = [];
    while (this.bytes > 0) all.push(this.take(READ_BYTES_MAX));
    return all;
  }

  /** Serves a read at once, or lets it wait. */
  add(reader: Reader): void {
    if (this.#waiting.length > 0 || !reader.tryTake(this)) this.#waiting.push(reader);
    if (this.full) this.#owner.readsTaken();
  }

  drop(reader: Reader): void {
    const at = this.#waiting.indexOf(reader);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    // The next may be content with what was too little for this one.
    if (at === 0) this.#serve();
  }

  /** Bytes that a cancelled read had been given and nobody took. */
  putBack(bytes: Buffer, position: number): void {
    if (bytes.length === 0) return;
    let at = 0;
    while (at < this.#blocks.length && isBefore((this.#blocks[at] as Block).position, position)) at++;
    this.#blocks.splice(at, 0, new Block(position, bytes, 0, bytes.length));
    this.bytes += bytes.length;
    this.#serve();
  }

  /** Tells whoever owns the queue that a read has learned of the end. */
  endRead(): void {
    this.#owner.endRead();
  }

  /** Position in the stream of the first byte that nobody has read. */
  get position(): number {
    return this.#blocks.length === 0 ? this.#received : (this.#blocks[0] as Block).position;
  }

  /** Up to `limit` bytes from the front, as they lie: at least one, since the queue is not empty. */
  take(limit: number): Buffer {
    const block = this.#blocks[0] as Block;
    return this.#takeOf(block, Math.min(limit, block.length));
  }

  /** The first `count` bytes in one piece; so many there are. */
  takeExact(count: number): Buffer {
    if (count === 0) return Buffer.alloc(0);
    const first = this.#blocks[0] as Block;
    if (first.length >= count) return this.#takeOf(first, count);
    const bytes = Buffer.allocUnsafe(count);
    for (let at = 0; at < count; ) at += this.take(count - at).copy(bytes, at);
    return bytes;
  }

  /** Calls `visit` with all that is queued from `skip` bytes on, in pieces, until it returns something else than -1. */
  scan(skip: number, visit: (bytes: Buffer, from: number, to: number) => number): number {
    let left = skip;
    for (const block of this.#blocks) {
      if (left >= block.length) {
        left -= block.length;
        continue;
      }
      const found = visit(block.bytes, block.from + left, block.to);
      if (found >= 0) return found;
      left = 0;
    }
    return -1;
  }

  #takeOf(block: Block, count: number): Buffer {
    const { bytes, from } = block;
    this.bytes -= count;
    if (count === block.length) this.#blocks.shift();
    else {
      block.from += count;
      block.position = (block.position + count) | 0;
    }
    return from === 0 && count === bytes.length ? bytes : bytes.subarray(from, from + count);
  }

  #append(memory: Buffer, offset: number, length: number): void {
    const needs = this.#waiting.length > 0 ? (this.#waiting[0] as Reader).needs : 0;
    if (needs > 0) this.#assemble(needs, length);
    let from = offset;
    let left = length;
    const last = this.#blocks[this.#blocks.length - 1];
    if (last !== undefined && last.to < last.bytes.length) {
      const fitting = Math.min(left, last.bytes.length - last.to);
      memory.copy(last.bytes, last.to, from, from + fitting);
      last.to += fitting;
      from += fitting;
      left -= fitting;
    }
    if (left > 0) {
      const gathers = this.#blocks.length > 0 || this.#waiting.length > 0;
      const bytes = Buffer.allocUnsafe(gathers ? roomFor(left) : left);
      memory.copy(bytes, 0, from, from + left);
      this.#blocks.push(new Block((this.#received + length - left) | 0, bytes, 0, left));
    }
    this.#received = (this.#received + length) | 0;
    this.bytes += length;
  }

  /** Makes room for `needs` bytes in one piece before `coming` more are put there, so that they are copied once. */
  #assemble(needs: number, coming: number): void {
    const first = this.#blocks[0];
    const have = this.bytes;
    if (first !== undefined && this.#blocks.length === 1) {
      const room = first.bytes.length - first.from;
      if (room >= needs || room >= have + coming) return;
    }
    const capacity = Math.min(needs, Math.max(ASSEMBLE_BYTES, 2 * (have + coming)));
    if (capacity < have) return;
    const bytes = Buffer.allocUnsafe(capacity);
    const position = this.position;
    let at = 0;
    for (const block of this.#blocks) at += block.bytes.copy(bytes, at, block.from, block.to);
    this.#blocks = [new Block(position, bytes, 0, have)];
  }

  #serve(): void {
    let served = false;
    while (this.#waiting.length > 0 && (this.#waiting[0] as Reader).tryTake(this)) {
      this.#waiting.shift();
      served = true;
    }
    if (served && this.full) this.#owner.readsTaken();
  }
}
