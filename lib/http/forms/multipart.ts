import type { Buffer } from 'node:buffer';
import { MillraceError } from '../../internal/errors.js';
import { bodyTooLarge } from '../http-errors.js';
import { boundaryOf } from './boundary.js';
import { type FormLimits, formLimitsOf } from './limits.js';
import { Part, type PartSource } from './part.js';
import { parsePartHead } from './part-head.js';
import { DATA, END, MORE, MultipartScanner, PART, PART_END, type ScannerEvent } from './scanner.js';

/**
 * The parts of a multipart/form-data body (RFC 7578), as they come: nothing is read from the body before it is asked for. A part
 * whose data nobody reads is skipped when the next is asked for.
 *
 * @example
 * ```ts
 * async function* body() {
 *   yield Buffer.from('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n');
 * }
 * for await (const part of new Multipart(body(), 'multipart/form-data; boundary=x')) {
 *   console.log(part.name, await part.text()); // a 1
 * }
 * ```
 */
export class Multipart implements AsyncIterableIterator<Part, void, undefined>, PartSource {
  readonly #body: AsyncIterator<Uint8Array>;
  readonly #limits: Required<FormLimits>;
  readonly #scanner: MultipartScanner;
  #totalBytes = 0;
  #parts = 0;
  /** The part whose data comes now. */
  #current: Part | null = null;
  #partBytes = 0;
  #ended = false;
  #failure: unknown = null;
  /** One after the other, whoever asks. */
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param body pieces of at least one byte, of which each need only be good until the next is asked for.
   * @throws HttpError 415 if `contentType` is not multipart/form-data, 400 if its boundary is malformed or missing. TypeError
   * (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) naming the limit.
   */
  constructor(body: AsyncIterable<Uint8Array>, contentType: string | null | undefined, limits: FormLimits = {}) {
    this.#limits = formLimitsOf(limits);
    this.#scanner = new MultipartScanner(boundaryOf(contentType), this.#limits.headBytes);
    this.#body = body[Symbol.asyncIterator]();
  }

  /**
   * The next part.
   * @throws HttpError 400 (`ERR_MILLRACE_HTTP_BODY`) for a malformed body, 413 (`ERR_MILLRACE_HTTP_BODY_LIMIT`) above a limit;
   * what the body throws.
   */
  next(): Promise<IteratorResult<Part, void>> {
    return this.#inTurn(() => this.#nextPart());
  }

  /** Reads no more. */
  async return(): Promise<IteratorResult<Part, void>> {
    this.#ended = true;
    this.#current = null;
    await this.#body.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @internal For its parts. */
  read(part: Part): Promise<Buffer | null> {
    return this.#inTurn(() => this.#readPart(part));
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => this.#guarded(step));
    this.#turn = result.catch(ignore);
    return result;
  }

  /** After a failure there is nothing but that: where the body stands is not known any more. */
  async #guarded<T>(step: () => Promise<T>): Promise<T> {
    if (this.#failure !== null) throw this.#failure;
    try {
      return await step();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_MILLRACE_CONSUMED') this.#failure = error;
      throw error;
    }
  }

  async #nextPart(): Promise<IteratorResult<Part, void>> {
    while (!this.#ended) {
      const event = await this.#advance();
      if (event === PART) return { done: false, value: this.#begin() };
      if (event === DATA) this.#count(this.#scanner.data.length);
      else if (event === END) this.#ended = true;
    }
    this.#current = null;
    return { done: true, value: undefined };
  }

  #begin(): Part {
    if (++this.#parts > this.#limits.parts) throw bodyTooLarge('The number of parts', this.#limits.parts);
    this.#partBytes = 0;
    this.#current = new Part(parsePartHead(this.#scanner.head), this);
    return this.#current;
  }

  async #readPart(part: Part): Promise<Buffer | null> {
    if (part !== this.#current) {
      throw new MillraceError('ERR_MILLRACE_CONSUMED', `The part ${JSON.stringify(part.name)} has gone by`);
    }
    const event = await this.#advance();
    if (event === PART_END) {
      this.#current = null;
      return null;
    }
    this.#count(this.#scanner.data.length);
    return this.#scanner.data;
  }

  #count(bytes: number): void {
    this.#partBytes += bytes;
    const part = this.#current;
    if (part === null) return;
    const limit = part.isFile ? this.#limits.fileBytes : this.#limits.fieldBytes;
    if (this.#partBytes > limit) {
      throw bodyTooLarge(`The ${part.isFile ? 'file' : 'field'} ${JSON.stringify(part.name.slice(0, 40))}`, limit);
    }
  }

  async #advance(): Promise<ScannerEvent> {
    for (;;) {
      const event = this.#scanner.next();
      if (event !== MORE && event !== END) return event;
      const { done, value } = await this.#body.next();
      if (done === true) {
        this.#scanner.end();
        return END;
      }
      this.#totalBytes += value.length;
      if (this.#totalBytes > this.#limits.totalBytes) throw bodyTooLarge('The body', this.#limits.totalBytes);
      this.#scanner.push(value);
    }
  }
}

function ignore(): void {}
