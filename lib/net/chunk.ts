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
  /** @internal Where it begins in `memory`. */
  readonly offset: number;
  /** @internal */
  alive = true;
  /** @internal The receive arena, or memory of its own: what had been queued before there was a handler. */
  readonly memory: Buffer;
  #bytes: Buffer | null = null;

  /** @internal */
  constructor(memory: Buffer, offset: number, length: number) {
    this.memory = memory;
    this.offset = offset;
    this.length = length;
  }

  /**
   * The bytes themselves, not a copy. Only this getter is checked: a Buffer that it gave shows other bytes after the
   * handler has returned, and nothing can tell you so. Do not keep it, nor what you slice from it; `at`, `copy` and
   * `toString` are checked each time.
   */
  get bytes(): Buffer {
    if (!this.alive) throw dead();
    this.#bytes ??= this.memory.subarray(this.offset, this.offset + this.length);
    return this.#bytes;
  }

  /** One byte, 0 to 255; undefined where there is none. Negative indexes count from the end. */
  at(index: number): number | undefined {
    if (!this.alive) throw dead();
    const at = index < 0 ? this.length + index : index;
    return at >= 0 && at < this.length ? this.memory[this.offset + at] : undefined;
  }

  /** A Buffer of its own with the same bytes, to keep. */
  copy(): Buffer {
    if (!this.alive) throw dead();
    const copy = NodeBuffer.allocUnsafe(this.length);
    this.memory.copy(copy, 0, this.offset, this.offset + this.length);
    return copy;
  }

  /** The same as `copy`. */
  keep(): Buffer {
    return this.copy();
  }

  /** The text; `encoding` is one of Node's, utf8 if not given. A character that is split between chunks is broken. */
  toString(encoding: BufferEncoding = 'utf8'): string {
    if (!this.alive) throw dead();
    return this.memory.toString(encoding, this.offset, this.offset + this.length);
  }
}

function dead(): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_CHUNK_DEAD',
    'This chunk was on loan to a data handler that has returned; take chunk.copy() inside the handler to keep the bytes',
  );
}
