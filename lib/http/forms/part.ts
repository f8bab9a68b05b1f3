import { Buffer, File } from 'node:buffer';
import { ReadableStream } from 'node:stream/web';
import { MillraceError } from '../../internal/errors.js';
import type { PartHead } from './part-head.js';

/** Where a part's data comes from: its reader. */
export interface PartSource {
  /** More of the part, good until the next call; null at its end. @throws MillraceError `ERR_MILLRACE_CONSUMED` when it has gone. */
  read(part: Part): Promise<Buffer | null>;
}

/**
 * One part of a form: a field, or a file that is being uploaded. Its data is still coming: read it before the next part is asked
 * for, or it is dropped.
 */
export class Part implements AsyncIterable<Buffer> {
  /** The field's name. */
  readonly name: string;
  /** What the client calls the file; undefined for a field. Never a path to write to. */
  readonly filename: string | undefined;
  /** Content-Type as it was sent; `text/plain` where there is none. */
  readonly type: string;
  /** All fields of the part, by their name in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #source: PartSource;
  #taken = false;

  /** @internal */
  constructor(head: PartHead, source: PartSource) {
    this.name = head.name;
    this.filename = head.filename;
    this.type = head.type;
    this.headers = head.headers;
    this.#source = source;
  }

  get isFile(): boolean {
    return this.filename !== undefined;
  }

  /**
   * The data as it comes, without keeping any. Each piece is good until the next is asked for: copy what is kept longer.
   * @throws MillraceError `ERR_MILLRACE_CONSUMED` if it was read already, or the next part was asked for. HttpError 400
   * (`ERR_MILLRACE_HTTP_BODY`), 413 (`ERR_MILLRACE_HTTP_BODY_LIMIT`).
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    this.#take();
    for (let piece = await this.#source.read(this); piece !== null; piece = await this.#source.read(this)) yield piece;
  }

  /** The data as a stream of bytes, with backpressure. @throws as the iterator does; from the stream. */
  stream(): ReadableStream<Uint8Array> {
    this.#take();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const piece = await this.#source.read(this);
          if (piece === null) controller.close();
          else controller.enqueue(Uint8Array.from(piece));
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** All of the data. @throws as the iterator does. */
  async bytes(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this) pieces.push(Buffer.from(piece));
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }

  /** All of the data as UTF-8. @throws as the iterator does. */
  async text(): Promise<string> {
    return (await this.bytes()).toString('utf8');
  }

  /** All of the data as a `File`; one that is a field is named ''. @throws as the iterator does. */
  async file(): Promise<File> {
    return new File([await this.bytes()], this.filename ?? '', { type: this.type });
  }

  #take(): void {
    if (this.#taken)
      throw new MillraceError('ERR_MILLRACE_CONSUMED', `The part ${JSON.stringify(this.name)} was read already`);
    this.#taken = true;
  }
}
