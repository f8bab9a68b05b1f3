// What a `data` handler is given: a view into the receive arena, on loan until the handler returns.
import type { Buffer } from 'node:buffer';
import { Buffer as NodeBuffer } from 'node:buffer';
import { MillraceError } from '../internal/errors.js';

/**
 * Received bytes. They are on loan: after the `data` handler has returned, every use throws `ERR_MILLRACE_CHUNK_DEAD`.
 * `socket.write(chunk)` sends them without a copy; `copy()` is for what must be kept.
 */
export class Chunk {
  /** In bytes. */
  readonly length: number;
  /** @internal Offset in the receive arena. */
  readonly offset: number;
  /** @internal */
  alive = true;
  readonly #arena: Buffer;
  #bytes: Buffer | null = null;

  /** @internal */
  constructor(arena: Buffer, offset: number, length: number) {
    this.#arena = arena;
    this.offset = offset;
    this.length = length;
  }

  /** The bytes themselves, not a copy: do not keep them. */
  get bytes(): Buffer {
    if (!this.alive) throw dead();
    this.#bytes ??= this.#arena.subarray(this.offset, this.offset + this.length);
    return this.#bytes;
  }

  /** A Buffer of its own with the same bytes, to keep. */
  copy(): Buffer {
    if (!this.alive) throw dead();
    const copy = NodeBuffer.allocUnsafe(this.length);
    this.#arena.copy(copy, 0, this.offset, this.offset + this.length);
    return copy;
  }

  /** The same as `copy`. */
  keep(): Buffer {
    return this.copy();
  }

  /** The text; `encoding` is one of Node's, utf8 if not given. A character that is split between chunks is broken. */
  toString(encoding: BufferEncoding = 'utf8'): string {
    if (!this.alive) throw dead();
    return this.#arena.toString(encoding, this.offset, this.offset + this.length);
  }
}

function dead(): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_CHUNK_DEAD',
    'This chunk was on loan to a data handler that has returned; take chunk.copy() inside the handler to keep the bytes',
  );
}
