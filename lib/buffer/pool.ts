// Memory that is used again instead of being collected: a list of free slabs for each size class, last in, first out, so
// that the slab which comes next is the one that the caches still hold.
//
// A PooledBuffer is a lease: made for each acquire, dead after its release. Leases are not used again, so a stale one
// cannot reach memory that is somebody else's by now.
import { checkInteger, checkObject, invalidType, MillraceError } from '../internal/errors.js';
import { CLASS_BYTES, CLASS_BYTES_MAX, classOf } from './size-class.js';

/** Longer buffers cannot be had: 4 GiB, well below what an ArrayBuffer can be. */
const BYTES_MAX = 2 ** 32;
const HIGH_WATER_BYTES = 16 * 1024 * 1024;
const UNPOOLED = -1;

export interface BufferPoolOptions {
  /** How many bytes of free slabs the pool keeps at most; what is released beyond goes back to the system. Default 16 MiB. */
  highWaterBytes?: number;
}

/** Counters of a pool. */
export interface BufferPoolStats {
  /** Buffers that are acquired now. */
  acquired: number;
  /** Bytes of the slabs behind them. */
  acquiredBytes: number;
  /** Bytes of free slabs that the pool keeps. */
  freeBytes: number;
  /** Acquires since the start that a free slab served. */
  hits: number;
  /** Acquires since the start that had to allocate. */
  misses: number;
  /** Slabs given back to the system because of the high-water mark. */
  returned: number;
}

/**
 * A buffer on loan. `release()` it, or declare it with `using`; afterwards `bytes` throws.
 */
export class PooledBuffer {
  /** The length that was asked for, in bytes. */
  readonly length: number;
  #bytes: Uint8Array | null;
  readonly #slab: ArrayBuffer;
  readonly #sizeClass: number;
  readonly #pool: BufferPool;

  /** @internal Use `BufferPool.acquire`. */
  constructor(pool: BufferPool, slab: ArrayBuffer, sizeClass: number, length: number) {
    this.length = length;
    this.#pool = pool;
    this.#slab = slab;
    this.#sizeClass = sizeClass;
    this.#bytes = new Uint8Array(slab, 0, length);
  }

  /**
   * The memory: `length` bytes. Do not keep it beyond the release: the next owner writes there.
   * @throws MillraceError `ERR_MILLRACE_BUFFER_RELEASED` after the release.
   */
  get bytes(): Uint8Array {
    if (this.#bytes === null) throw released();
    return this.#bytes;
  }

  get released(): boolean {
    return this.#bytes === null;
  }

  /**
   * Gives the memory back to its pool.
   * @throws MillraceError `ERR_MILLRACE_BUFFER_RELEASED` the second time.
   */
  release(): void {
    this.#pool.release(this);
  }

  [Symbol.dispose](): void {
    if (this.#bytes !== null) this.release();
  }

  /** Ends the lease: the pool gets the slab back. @internal */
  static end(buffer: PooledBuffer, pool: BufferPool): ArrayBuffer {
    if (buffer.#pool !== pool) {
      throw new MillraceError('ERR_MILLRACE_BUFFER_FOREIGN', 'This buffer belongs to another pool; release it there');
    }
    if (buffer.#bytes === null) throw released();
    buffer.#bytes = null;
    return buffer.#slab;
  }

  /** @internal */
  static sizeClass(buffer: PooledBuffer): number {
    return buffer.#sizeClass;
  }
}

/**
 * A pool of buffers by size classes.
 *
 * @example
 * ```ts
 * const pool = new BufferPool();
 * const buffer = pool.acquire(1500);
 * buffer.bytes[0] = 1;
 * buffer.release();
 * ```
 */
export class BufferPool {
  readonly highWaterBytes: number;
  readonly #free: ArrayBuffer[][] = CLASS_BYTES.map(() => []);
  #freeBytes = 0;
  #acquired = 0;
  #acquiredBytes = 0;
  #hits = 0;
  #misses = 0;
  #returned = 0;

  /** @throws TypeError, RangeError if `highWaterBytes` is not an integer from 0 to 2^53 - 1. */
  constructor(options: BufferPoolOptions = {}) {
    checkObject(options, 'options');
    const { highWaterBytes = HIGH_WATER_BYTES } = options;
    checkInteger(highWaterBytes, 'options.highWaterBytes', 0, Number.MAX_SAFE_INTEGER);
    this.highWaterBytes = highWaterBytes;
  }

  /**
   * A buffer of `bytes` zeros.
   * @param bytes from 0 to 2^32; above 1 MiB the memory is not pooled.
   * @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`).
   */
  acquire(bytes: number): PooledBuffer {
    const misses = this.#misses;
    const buffer = this.acquireUnsafe(bytes);
    if (misses === this.#misses) buffer.bytes.fill(0);
    return buffer;
  }

  /** The same with whatever the memory held before: faster, for those who overwrite all of it. */
  acquireUnsafe(bytes: number): PooledBuffer {
    checkInteger(bytes, 'bytes', 0, BYTES_MAX);
    if (bytes > CLASS_BYTES_MAX) {
      const slab = new ArrayBuffer(bytes);
      this.#acquired++;
      this.#misses++;
      this.#acquiredBytes += bytes;
      return new PooledBuffer(this, slab, UNPOOLED, bytes);
    }
    const sizeClass = classOf(bytes);
    const size = CLASS_BYTES[sizeClass] as number;
    const list = this.#free[sizeClass] as ArrayBuffer[];
    let slab: ArrayBuffer;
    if (list.length > 0) {
      slab = list.pop() as ArrayBuffer;
      this.#freeBytes -= size;
      this.#hits++;
    } else {
      slab = new ArrayBuffer(size);
      this.#misses++;
    }
    this.#acquired++;
    this.#acquiredBytes += size;
    return new PooledBuffer(this, slab, sizeClass, bytes);
  }

  /**
   * Takes a buffer back; `buffer.release()` is the same.
   * @throws MillraceError `ERR_MILLRACE_BUFFER_RELEASED`, `ERR_MILLRACE_BUFFER_FOREIGN`; TypeError for anything else.
   */
  release(buffer: PooledBuffer): void {
    if (!(buffer instanceof PooledBuffer)) throw invalidType('buffer', 'a PooledBuffer', buffer);
    const slab = PooledBuffer.end(buffer, this);
    const sizeClass = PooledBuffer.sizeClass(buffer);
    const size = sizeClass === UNPOOLED ? buffer.length : (CLASS_BYTES[sizeClass] as number);
    this.#acquired--;
    this.#acquiredBytes -= size;
    // A slab that was transferred to another thread is not ours any more: its length is 0 now.
    if (sizeClass === UNPOOLED || slab.byteLength !== size || this.#freeBytes + size > this.highWaterBytes) {
      this.#returned++;
      return;
    }
    this.#freeBytes += size;
    (this.#free[sizeClass] as ArrayBuffer[]).push(slab);
  }

  /** Gives every free slab back to the system. */
  clear(): void {
    for (const list of this.#free) {
      this.#returned += list.length;
      list.length = 0;
    }
    this.#freeBytes = 0;
  }

  stats(): BufferPoolStats {
    return {
      acquired: this.#acquired,
      acquiredBytes: this.#acquiredBytes,
      freeBytes: this.#freeBytes,
      hits: this.#hits,
      misses: this.#misses,
      returned: this.#returned,
    };
  }
}

function released(): MillraceError {
  return new MillraceError('ERR_MILLRACE_BUFFER_RELEASED', 'This buffer has been released; acquire another one');
}
