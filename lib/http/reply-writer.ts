import { invalidType } from '../internal/errors.js';
import type { WriteResult } from '../net/written.js';
import type { Exchange } from './exchange.js';
import { Fields } from './fields/index.js';

/** Writes the body of a reply, piece by piece. */
export class ReplyWriter {
  readonly #exchange: Exchange;
  #trailers: Fields | null = null;

  /** @internal */
  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** True until the peer has gone. */
  get open(): boolean {
    return !this.#exchange.ended;
  }

  /** Aborts when the peer has gone. */
  get signal(): AbortSignal {
    return this.#exchange.request.signal;
  }

  /** Fields that follow the body where it is sent in chunks; else they are dropped (RFC 9112, 7.1.2). */
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
    return this.#exchange.write(data);
  }

  /** @internal The body is complete. */
  end(): void {
    this.#exchange.end(this.#trailers === null ? '' : this.#trailers.serialize());
  }
}
