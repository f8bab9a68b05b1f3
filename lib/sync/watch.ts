import { Child } from '../internal/awaitable.js';
import type { SignalOption } from '../internal/cancel.js';
import { checkFunction } from '../internal/errors.js';
import { Operation } from '../internal/operation.js';
import type { Fiber } from '../internal/task.js';
import { beginWith, refused } from './begin.js';
import { channelClosed } from './closed.js';
import { type Linked, WaitQueue } from './wait-queue.js';

/** What the ends share: the value, how often it was sent, and who waits for the next time. */
interface Watched<T> {
  value: T;
  version: number;
  closed: boolean;
  receivers: number;
  readonly waiting: WaitQueue<Changed<T>>;
}

class Changed<T> extends Operation<void> implements Linked<Changed<T>> {
  /** @internal */ previous: Changed<T> | null = null;
  /** @internal */ following: Changed<T> | null = null;
  readonly #watched: Watched<T>;
  readonly #receiver: WatchReceiver<T>;
  #seenBefore = 0;
  #seen = 0;

  constructor(watched: Watched<T>, receiver: WatchReceiver<T>) {
    super();
    this.#watched = watched;
    this.#receiver = receiver;
    if (receiver.seen === watched.version) watched.waiting.push(this);
    else this.change();
  }

  get kind(): string {
    return 'watch.changed';
  }

  change(): void {
    this.#seenBefore = this.#receiver.seen;
    this.#seen = this.#watched.version;
    this.#receiver.seen = this.#seen;
    this.fulfill(undefined);
  }

  protected onCancel(): void {
    this.#watched.waiting.remove(this);
  }

  /** Nobody has learnt of the change: another `changed` of this receiver tells it, one that waits or the next. */
  protected override giveBack(): void {
    const { waiting } = this.#watched;
    if (this.#receiver.seen !== this.#seen) return;
    this.#receiver.seen = this.#seenBefore;
    let next = waiting.first;
    while (next !== null && next.#receiver !== this.#receiver) next = next.following;
    if (next === null) return;
    waiting.remove(next);
    next.change();
  }
}

/** The end of a watch that sets the value. Any number of tasks may share it. */
export class WatchSender<T> {
  readonly #watched: Watched<T>;

  /** @internal Use `watch`. */
  constructor(watched: Watched<T>) {
    this.#watched = watched;
  }

  /** Receivers that are not closed. */
  get receivers(): number {
    return this.#watched.receivers;
  }

  get closed(): boolean {
    return this.#watched.closed;
  }

  /** The present value. */
  borrow(): T {
    return this.#watched.value;
  }

  /**
   * Sets the value and wakes everybody who waits for a change, also if it is the same value as before.
   * @throws MillraceError `ERR_MILLRACE_CHANNEL_CLOSED` if the sender was closed.
   */
  send(value: T): void {
    this.sendReplace(value);
  }

  /**
   * `send`.
   * @returns the value that was there before.
   * @throws as `send` does.
   */
  sendReplace(value: T): T {
    const watched = this.#watched;
    if (watched.closed) throw channelClosed('watch.send');
    const previous = watched.value;
    watched.value = value;
    watched.version++;
    for (let next = watched.waiting.shift(); next !== null; next = watched.waiting.shift()) next.change();
    return previous;
  }

  /**
   * Sends what `modify` makes of the present value. If it throws, nothing has changed.
   *
   * @example
   * ```ts
   * const [level] = watch(1);
   * level.sendModify((present) => present + 1);
   * console.log(level.borrow()); // 2
   * ```
   * @throws as `send` does, and what `modify` throws. TypeError (`ERR_INVALID_ARG_TYPE`) if it is not a function.
   */
  sendModify(modify: (value: T) => T): void {
    checkFunction(modify, 'modify');
    if (this.#watched.closed) throw channelClosed('watch.sendModify');
    this.send(modify(this.#watched.value));
  }

  /** A new receiver; it has seen the present value. */
  subscribe(): WatchReceiver<T> {
    return new WatchReceiver(this.#watched, this.#watched.version);
  }

  /** Says that the value will not change any more. A change that a receiver has not seen is still told. */
  close(): void {
    const watched = this.#watched;
    watched.closed = true;
    for (let next = watched.waiting.shift(); next !== null; next = watched.waiting.shift()) {
      next.reject(channelClosed('watch.changed'));
    }
  }

  /** `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** An end of a watch that sees the value. Each receiver remembers for itself what it has seen. */
export class WatchReceiver<T> implements AsyncIterable<T> {
  /** @internal The version that it has seen; -1 for none. */
  seen: number;
  readonly #watched: Watched<T>;
  #closed = false;

  /** @internal Use `watch` or `subscribe`. */
  constructor(watched: Watched<T>, seen: number) {
    this.#watched = watched;
    this.seen = seen;
    watched.receivers++;
  }

  /** True once the sender was closed: the value stays as it is. */
  get closed(): boolean {
    return this.#watched.closed;
  }

  /** The present value, without taking note of it: `changed` will still tell. */
  borrow(): T {
    return this.#watched.value;
  }

  /** The present value, which has been seen thereby. */
  borrowAndUpdate(): T {
    this.markUnchanged();
    return this.#watched.value;
  }

  /** True if there is a value that has not been seen. */
  hasChanged(): boolean {
    return this.seen !== this.#watched.version;
  }

  /** As if the present value had not been seen: the next `changed` ends at once. */
  markChanged(): void {
    this.seen = -1;
  }

  /** As if the present value had been seen. */
  markUnchanged(): void {
    this.seen = this.#watched.version;
  }

  /**
   * Waits until there is a value that has not been seen, and takes note of it. Values that come faster than they are
   * looked at are skipped; the last one never is. Cancelled, or losing a `select`, it has not taken note.
   *
   * @throws MillraceError `ERR_MILLRACE_CHANNEL_CLOSED` (from the operation) if the sender is closed and everything was
   * seen. AbortError if cancelled. TypeError (`ERR_INVALID_ARG_TYPE`) for a wrong `options`.
   */
  changed(options?: SignalOption): Operation<void> {
    if (options !== undefined) return beginWith(options, () => this.changed());
    if (this.#watched.closed && !this.hasChanged()) return refused(channelClosed('watch.changed'));
    return new Changed(this.#watched, this);
  }

  /**
   * Waits until `condition` holds for the value, which has been seen thereby, and gives it. It holds for the present one:
   * no waiting.
   *
   * @example
   * ```ts
   * const [state, observer] = watch('starting');
   * spawn(async () => state.send('ready'));
   * console.log(await observer.waitFor((value) => value === 'ready'));
   * ```
   * @throws as `changed` does, and what `condition` throws.
   */
  waitFor(condition: (value: T) => boolean, options?: SignalOption): Operation<T> {
    checkFunction(condition, 'condition');
    if (options !== undefined) return beginWith(options, () => this.waitFor(condition));
    return new Child(this.#until(condition), 'watch.waitFor');
  }

  /** Another receiver that has seen what this one has. */
  clone(): WatchReceiver<T> {
    return new WatchReceiver(this.#watched, this.seen);
  }

  /** The present value, then each that comes, skipping those that came too fast; ends when the sender is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      yield this.borrowAndUpdate();
      if (this.closed && !this.hasChanged()) return;
      try {
        await this.changed();
      } catch (error) {
        if (this.closed && !this.hasChanged()) return;
        throw error;
      }
    }
  }

  /** Counts as a receiver no more. It can still be read. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watched.receivers--;
  }

  /** `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  *#until(condition: (value: T) => boolean): Fiber<T> {
    for (;;) {
      const value = this.borrowAndUpdate();
      if (condition(value)) return value;
      yield* this.changed();
    }
  }
}

/**
 * Makes a channel that keeps the last value only: a setting, a state. Receivers see the latest and can wait for the next.
 *
 * @example
 * ```ts
 * const [config, observer] = watch({ level: 'info' });
 * const seen = spawn(async () => {
 *   await observer.changed();
 *   return observer.borrow().level;
 * });
 * config.send({ level: 'debug' });
 * console.log(await seen); // debug
 * ```
 */
export function watch<T>(value: T): [WatchSender<T>, WatchReceiver<T>] {
  const watched: Watched<T> = { value, version: 0, closed: false, receivers: 0, waiting: new WaitQueue() };
  return [new WatchSender(watched), new WatchReceiver(watched, 0)];
}
