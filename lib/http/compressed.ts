// Replies that are sent compressed, where the client takes that and it is worth it.
import { Buffer } from 'node:buffer';
import { SharedOperation } from '../internal/operation.js';
import type { WriteResult } from '../net/written.js';
import { type CompressionOptions, Compressor, compressWhole, decideCompression } from './compression/index.js';
import type { Exchange } from './exchange.js';
import type { Fields } from './fields/index.js';
import type { Coding } from './negotiation.js';

/** How a reply's body is to be sent. */
export interface Wanted {
  readonly status: number;
  /** Those of the reply are left as they are: these are a copy. */
  readonly fields: Fields;
  /** Bytes; null: not known. */
  readonly length: number | null;
}

/** The coding for a reply, or null: as it is. Its fields say so then. */
export function codingFor(exchange: Exchange, wanted: Wanted): Coding | null {
  const { compression } = exchange.connection.server;
  if (compression === null) return null;
  return decideCompression({ ...wanted, request: exchange.request.headers }, compression);
}

/** Sends a whole body compressed. */
export async function sendCompressed(
  exchange: Exchange,
  status: number,
  head: { readonly fields: string; readonly dated: boolean },
  body: string | Uint8Array,
  coding: Coding,
): Promise<void> {
  const options = exchange.connection.server.compression as Required<CompressionOptions>;
  // What the caller may write over is taken now.
  const bytes = typeof body === 'string' ? body : Buffer.from(body);
  exchange.send(status, head.fields, await compressWhole(bytes, coding, options), head.dated);
}

class CompressedWrite extends SharedOperation<void> implements WriteResult {
  get queued(): boolean {
    return true;
  }
  get kind(): string {
    return 'http.write';
  }
  protected onCancel(): void {}
  protected override unobserved(): void {}
}

/** Compresses what is written, in order: each piece leaves at once, as somebody may wait for it. */
export class CompressedBody {
  readonly #exchange: Exchange;
  readonly #compressor: Compressor;
  #last: Promise<void> = Promise.resolve();

  constructor(exchange: Exchange, coding: Coding) {
    this.#exchange = exchange;
    this.#compressor = new Compressor(coding, exchange.connection.server.compression as Required<CompressionOptions>);
  }

  write(data: string | Uint8Array): WriteResult {
    const done = new CompressedWrite();
    const bytes = typeof data === 'string' ? data : Buffer.from(data);
    this.#last = this.#last.then(async () => {
      const ready = await this.#compressor.push(bytes, true);
      if (ready.length > 0) await this.#exchange.write(ready);
    });
    this.#last.then(
      () => done.fulfill(undefined),
      (error: unknown) => done.reject(error),
    );
    return done;
  }

  /** What is left; then the exchange can end. @throws what a write has failed with. */
  async finish(): Promise<void> {
    await this.#last;
    const rest = await this.#compressor.finish();
    if (rest.length > 0) await this.#exchange.write(rest);
  }

  destroy(): void {
    this.#last.catch(() => {});
    this.#compressor.destroy();
  }
}
