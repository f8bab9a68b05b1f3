import { invalidType } from '../internal/errors.js';
import type { WriteResult } from '../net/written.js';
import type { CompressedBody } from './compressed.js';
import type { Exchange } from './exchange.js';
import {
  CONNECTION,
  CONTENT_ENCODING,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  Fields,
  KEEP_ALIVE,
  SET_COOKIE,
  TRAILER,
  TRANSFER_ENCODING,
  UPGRADE,
} from './fields/index.js';

/** What says something of the connection, of how the body is framed or how it is to be read: too late behind it. */
const NO_TRAILERS =
  CONTENT_LENGTH |
  TRANSFER_ENCODING |
  CONNECTION |
  KEEP_ALIVE |
  UPGRADE |
  TRAILER |
  CONTENT_TYPE |
  CONTENT_ENCODING |
  SET_COOKIE;

/** Writes the body of a reply, piece by piece. */
export class ReplyWriter {
  readonly #exchange: Exchange;
  readonly #compressed: CompressedBody | null;
  #trailers: Fields | null = null;

  /** @internal */
  constructor(exchange: Exchange, compressed: CompressedBody | null) {
    this.#exchange = exchange;
    this.#compressed = compressed;
  }

  /** True until the peer has gone. */
  get open(): boolean {
    return !this.#exchange.ended;
  }

  /** Aborts when the peer has gone. */
  get signal(): AbortSignal {
    return this.#exchange.request.signal;
  }

  /**
   * Fields that follow the body where it is sent in chunks; else they are dropped (RFC 9112, 7.1.2), as are always those that
   * come too late there (RFC 9110, 6.5.1): of framing, of the connection, Content-Type, Content-Encoding, Set-Cookie.
   */
  get trailers(): Fields {
    this.#trailers ??= new Fields();
    return this.#trailers;
  }

  /**
   * Sends more of the body. What is returned is done when there is room for more: `await` it, or what a slow reader has not
   * taken piles up. The memory is yours again then.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED` when the peer has gone, `ERR_MILLRACE_SOCKET_LIMIT` when very much
   * piles up, `ERR_MILLRACE_HTTP_REPLY` for more bytes than Content-Length says; TypeError.
   */
  write(data: string | Uint8Array): WriteResult {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw invalidType('data', 'a string or a Uint8Array', data);
    }
    return this.#compressed === null ? this.#exchange.write(data) : this.#compressed.write(data);
  }

  /** @internal The body is complete. */
  async complete(): Promise<void> {
    if (this.#compressed !== null) {
      try {
        await this.#compressed.finish();
      } catch (error) {
        this.giveUp();
        if (!this.#exchange.aborted) this.#exchange.abort(error as Error);
        return;
      }
    }
    this.#exchange.end(this.#trailers === null ? '' : this.#trailers.serialize(NO_TRAILERS));
  }

  /** @internal It will not be complete. */
  giveUp(): void {
    this.#compressed?.destroy();
  }
}
