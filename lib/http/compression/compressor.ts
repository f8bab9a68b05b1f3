// Compression of a body that comes in pieces, off the loop's thread: `node:zlib` does it in the thread pool.
import { Buffer } from 'node:buffer';
import { type BrotliCompress, constants, createBrotliCompress, createGzip, type Gzip } from 'node:zlib';
import { MillraceError } from '../../internal/errors.js';
import type { Coding } from '../negotiation.js';
import type { CompressionOptions } from './options.js';

const EMPTY = Buffer.alloc(0);
/** What brotli looks back at most: 2^18 bytes. More costs memory for each reply, and helps large texts only. */
const BROTLI_WINDOW_BITS = 18;

/**
 * One body's compressor. Each call gives what has become ready, often nothing: compressors collect. With `flush` all that was
 * given so far comes out, which is what events and other slow streams need. One call at a time.
 */
export class Compressor {
  readonly #stream: Gzip | BrotliCompress;
  readonly #flushKind: number;
  #ready: Buffer[] = [];
  #failure: Error | null = null;
  #fail: ((error: Error) => void) | null = null;
  #ended = false;

  /** @param length bytes of the whole body, where they are known: brotli makes more of it then. */
  constructor(coding: Coding, options: Required<CompressionOptions>, length: number | null = null) {
    if (coding === 'gzip') {
      this.#stream = createGzip({ level: options.gzipLevel });
      this.#flushKind = constants.Z_SYNC_FLUSH;
    } else {
      this.#stream = createBrotliCompress({
        params: {
          [constants.BROTLI_PARAM_QUALITY]: options.brotliQuality,
          [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
          ...(length === null ? {} : { [constants.BROTLI_PARAM_SIZE_HINT]: length }),
        },
      });
      this.#flushKind = constants.BROTLI_OPERATION_FLUSH;
    }
    this.#stream.on('data', (piece: Buffer) => void this.#ready.push(piece));
    this.#stream.on('error', (error) => {
      this.#failure = error;
      this.#fail?.(error);
    });
  }

  /**
   * Compresses more. @param bytes must not change until it is done; a string is UTF-8.
   * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` after `finish` or `destroy`; errors of zlib.
   */
  async push(bytes: Uint8Array | string, flush = false): Promise<Buffer> {
    await this.#settled((done) => this.#stream.write(bytes, done));
    if (flush) await this.#settled((done) => this.#stream.flush(this.#flushKind, done));
    return this.#take();
  }

  /** The rest. @throws as `push` does. */
  async finish(): Promise<Buffer> {
    await this.#settled((done) => {
      this.#ended = true;
      this.#stream.once('end', done);
      this.#stream.end();
    });
    return this.#take();
  }

  /** Frees its memory: to be called when the body is not wanted any more. After `finish` not needed, and no harm. */
  destroy(): void {
    this.#ended = true;
    this.#stream.destroy();
    this.#fail?.(destroyed());
  }

  #settled(step: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.reject(destroyed());
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      step((error) => (error ? reject(error) : resolve()));
    });
  }

  #take(): Buffer {
    const pieces = this.#ready;
    if (pieces.length === 0) return EMPTY;
    this.#ready = [];
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }
}

function destroyed(): MillraceError {
  return new MillraceError('ERR_MILLRACE_INVALID_STATE', 'This compressor has finished or was destroyed');
}

/**
 * Compresses a body as it comes: no more is asked of it than is wanted of the result.
 *
 * @param flush whether what a piece becomes leaves at once: for events. Default: false.
 */
export async function* compressPieces(
  body: AsyncIterable<Uint8Array | string>,
  compressor: Compressor,
  flush: boolean = false,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const piece of body) {
      const ready = await compressor.push(piece, flush);
      if (ready.length > 0) yield ready;
    }
    const rest = await compressor.finish();
    if (rest.length > 0) yield rest;
  } finally {
    compressor.destroy();
  }
}

/** Compresses a whole body. */
export async function compressWhole(
  bytes: Uint8Array | string,
  coding: Coding,
  options: Required<CompressionOptions>,
): Promise<Buffer> {
  const compressor = new Compressor(coding, options, Buffer.byteLength(bytes));
  try {
    const begin = await compressor.push(bytes);
    const rest = await compressor.finish();
    return begin.length === 0 ? rest : Buffer.concat([begin, rest]);
  } finally {
    compressor.destroy();
  }
}
