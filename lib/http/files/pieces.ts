// The body of a file's reply, piece by piece: while one is sent the next is read.
import { Buffer } from 'node:buffer';
import { checkInteger } from '../../internal/errors.js';
import type { FileSection } from './plan.js';
import type { FileSource } from './source.js';

/** What is sent: `FilePlan` has it. */
export interface FileBody {
  readonly sections: readonly FileSection[];
  readonly tail: string;
}

const PIECE_BYTES = 128 * 1024;
const PIECE_BYTES_MIN = 64 * 1024;
const PIECE_BYTES_MAX = 256 * 1024;

/** Buffers of the usual size that nobody uses, for the next file. */
const spare: Buffer[] = [];
const SPARE_MAX = 16;

/**
 * The bytes of `body`, in pieces of at most `pieceBytes`. Each is good until the next one is asked for. The source is closed at
 * the end, however that comes. Nothing is read before it is asked for, but for one piece.
 *
 * `next` throws MillraceError `ERR_MILLRACE_HTTP_FILE` if the file changed, and that before its last piece was given: the
 * connection has to be closed. It throws errors of the system as they are.
 */
export class FilePieces implements AsyncIterableIterator<Uint8Array, void, undefined> {
  readonly #source: FileSource;
  readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>;

  /**
   * @param pieceBytes 65,536 to 262,144; default 131,072.
   * @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) for another.
   */
  constructor(source: FileSource, body: FileBody, pieceBytes: number = PIECE_BYTES) {
    checkInteger(pieceBytes, 'pieceBytes', PIECE_BYTES_MIN, PIECE_BYTES_MAX);
    this.#source = source;
    this.#pieces = piecesOf(source, body, pieceBytes);
  }

  next(): Promise<IteratorResult<Uint8Array, void>> {
    return this.#pieces.next();
  }

  /** Ends it early. */
  async return(): Promise<IteratorResult<Uint8Array, void>> {
    const result = await this.#pieces.return();
    // A generator that was never begun does not come to its end either.
    await this.#source.close();
    return result;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

async function* piecesOf(
  source: FileSource,
  body: FileBody,
  pieceBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let pending: Promise<void> | null = null;
  try {
    const cursor = new Cursor(body.sections, pieceBytes);
    const buffers = [take(cursor.largest), cursor.several ? take(cursor.largest) : EMPTY];
    let turn = 0;
    let piece = cursor.next(buffers[0] as Buffer);
    if (piece !== null) pending = source.read(piece.bytes, piece.position);
    while (piece !== null) {
      const { head, bytes } = piece;
      await pending;
      turn = 1 - turn;
      piece = cursor.next(buffers[turn] as Buffer);
      pending = piece === null ? null : source.read(piece.bytes, piece.position);
      // Its failure is for whoever asks for the next piece.
      pending?.catch(ignore);
      if (piece === null) await source.check();
      if (head !== '') yield Buffer.from(head, 'latin1');
      yield bytes;
    }
    if (body.tail !== '') yield Buffer.from(body.tail, 'latin1');
    // Only now is nobody sending from them.
    for (const buffer of buffers) give(buffer);
  } finally {
    await pending?.catch(ignore);
    await source.close();
  }
}

const EMPTY = Buffer.alloc(0);

interface Piece {
  readonly head: string;
  readonly bytes: Buffer;
  readonly position: number;
}

/** Goes through the sections, a piece at a time. */
class Cursor {
  readonly largest: number;
  /** More than one piece. */
  readonly several: boolean;
  readonly #sections: readonly FileSection[];
  #section = 0;
  #done = 0;

  constructor(sections: readonly FileSection[], pieceBytes: number) {
    this.#sections = sections;
    const longest = sections.reduce((most, { length }) => Math.max(most, length), 0);
    this.largest = Math.min(pieceBytes, longest);
    this.several = sections.length > 1 || longest > pieceBytes;
  }

  next(buffer: Buffer): Piece | null {
    const section = this.#sections[this.#section];
    if (section === undefined) return null;
    const length = Math.min(section.length - this.#done, this.largest);
    const piece = {
      head: this.#done === 0 ? section.head : '',
      bytes: buffer.subarray(0, length),
      position: section.start + this.#done,
    };
    this.#done += length;
    if (this.#done === section.length) {
      this.#section++;
      this.#done = 0;
    }
    return piece;
  }
}

function take(bytes: number): Buffer {
  if (bytes !== PIECE_BYTES) return Buffer.allocUnsafeSlow(bytes);
  return spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
}

function give(buffer: Buffer): void {
  if (buffer.length === PIECE_BYTES && spare.length < SPARE_MAX) spare.push(buffer);
}

function ignore(): void {}
