import { released } from './closed.js';
import type { MessageQueue } from './message-queue.js';

/**
 * Room for one message, from `sender.reserve()`. Use it with `send`, or give it up with `release` or by `using`. While
 * it is neither, it takes room in the channel and keeps a closed channel from ending.
 */
export class SendPermit<T> {
  readonly #queue: MessageQueue<T>;
  #spent = false;

  /** @internal Use `sender.reserve()`. */
  constructor(queue: MessageQueue<T>) {
    this.#queue = queue;
    queue.permits++;
    queue.used++;
  }

  /**
   * Sends `message`, at once; also if the channel was closed meanwhile.
   * @throws MillraceError `ERR_MILLRACE_PERMIT_RELEASED` if the permit was used or released before.
   */
  send(message: T): void {
    this.#spend();
    this.#queue.usePermit(message);
  }

  /**
   * Gives the room up.
   * @throws MillraceError `ERR_MILLRACE_PERMIT_RELEASED` if the permit was used or released before.
   */
  release(): void {
    this.#spend();
    this.#queue.releasePermit();
  }

  /** Gives the room up unless the permit was used or released. */
  [Symbol.dispose](): void {
    if (!this.#spent) this.release();
  }

  #spend(): void {
    if (this.#spent) throw released('The permit to send');
    this.#spent = true;
  }
}
