// Cancellation: a tree of tokens, and the link between a user's AbortSignal and one operation.
//
// A parent holds a child only while something would have to be told: a listening operation, a child that has one, a
// signal that somebody took. A token that is made for each request and dropped leaves nothing behind, which
// AbortSignal.any does (https://github.com/nodejs/node/issues/54614).
import { now } from './clock.js';
import { abortError, invalidType, outOfRange, TimeoutError } from './errors.js';
import type { Operation, Owner } from './operation.js';
import { type Runnable, scheduler } from './scheduler.js';
import type { Cancellable, Task } from './task.js';
import { arm, DELAY_MS_MAX, disarm, setTimerRef, type TimerTarget } from './timers.js';

/** What every operation takes as its `signal`. */
export type CancelSource = CancelToken | AbortSignal;

export interface CancelTokenOptions {
  /** Cancels this many milliseconds from now with a TimeoutError; from 0 to the wheel's range. */
  timeoutMs?: number;
  /** Cancels at this time of `now()`, in milliseconds, with a TimeoutError. */
  deadlineMs?: number;
  /** Cancels together with this. */
  signal?: CancelSource;
}

const NO_SLOT = -1;

/**
 * Something that can be cancelled, once, with a reason; children are cancelled with their parent and inherit its
 * deadline. Every operation takes one as `signal`.
 *
 * @example
 * ```ts
 * const token = new CancelToken({ timeoutMs: 5 });
 * await sleep(1000, { signal: token }); // throws a TimeoutError after 5 ms
 * ```
 */
export class CancelToken implements Cancellable, TimerTarget, Runnable {
  readonly #parent: CancelToken | null;
  readonly #deadlineMs: number;
  #foreign: AbortSignal | null = null;
  #listeners: Set<Cancellable> | null = null;
  #reason: Error | undefined = undefined;
  #controller: AbortController | null = null;
  #timer = NO_SLOT;
  #disposed = false;

  constructor(options: CancelTokenOptions = {}) {
    if (options === null || typeof options !== 'object') throw invalidType('options', 'an object', options);
    const { signal } = options;
    let own = Number.POSITIVE_INFINITY;
    if (options.timeoutMs !== undefined) own = now() + checkDelay(options.timeoutMs, 'options.timeoutMs');
    if (options.deadlineMs !== undefined) own = Math.min(own, checkTime(options.deadlineMs, 'options.deadlineMs'));
    this.#parent = signal instanceof CancelToken ? signal : null;
    const inherited = this.#parent === null ? Number.POSITIVE_INFINITY : this.#parent.deadlineMs;
    this.#deadlineMs = Math.min(own, inherited);
    if (signal !== undefined && this.#parent === null)
      this.#follow(checkSignal(signal, 'options.signal') as AbortSignal);
    if (own < inherited && this.#reason === undefined) this.#timer = arm(own, this, true);
  }

  /** When it will be cancelled at the latest, in milliseconds of `now()`: its own deadline or its parents'. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  get cancelled(): boolean {
    return this.#reason !== undefined || this.#parent?.cancelled === true;
  }

  /** The error that cancelled operations throw; undefined while not cancelled. */
  get reason(): Error | undefined {
    return this.#reason ?? this.#parent?.reason;
  }

  /**
   * An AbortSignal that aborts with this token, for everything that is not Millrace's. Made when first asked for. From then
   * on its parent holds a child: `dispose` one whose parent lives on.
   */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      const reason = this.reason;
      if (reason !== undefined) this.#controller.abort(reason);
      else this.attach(new ControllerLink(this.#controller));
    }
    return this.#controller.signal;
  }

  /** A token that is cancelled with this one, and may be cancelled alone. */
  child(options: Omit<CancelTokenOptions, 'signal'> = {}): CancelToken {
    return new CancelToken({ ...options, signal: this });
  }

  /** Cancels this token, its children and what listens to them. The first reason counts. */
  cancel(reason?: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = abortError(reason);
    this.#disarm();
    this.#foreign?.removeEventListener('abort', this.#onAbort);
    const listeners = this.#listeners;
    this.#listeners = null;
    // Nothing is left to be told by a parent that may live for as long as the program.
    this.#parent?.detach(this);
    if (listeners !== null) for (const listener of listeners) listener.cancel(this.#reason);
  }

  throwIfCancelled(): void {
    const reason = this.reason;
    if (reason !== undefined) throw reason;
  }

  /** Ends the token's life without cancelling: its deadline and its link to the parent are let go. */
  dispose(): void {
    this.#disposed = true;
    this.#disarm();
    this.#listeners = null;
    this.#parent?.detach(this);
    this.#foreign?.removeEventListener('abort', this.#onAbort);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Its own deadline keeps the process alive from now on: somebody waits for what it ends. @internal */
  ref(): void {
    if (this.#timer !== NO_SLOT) setTimerRef(this.#timer, true);
  }

  /** Tells `listener` of the cancellation: at once, if it has happened. @internal */
  attach(listener: Cancellable): void {
    const reason = this.reason;
    if (reason !== undefined) {
      listener.cancel(reason);
      return;
    }
    if (this.#disposed) return;
    if (this.#listeners === null) this.#listeners = new Set();
    if (this.#listeners.size === 0) this.#parent?.attach(this);
    this.#listeners.add(listener);
  }

  /** @internal */
  detach(listener: Cancellable): void {
    if (this.#listeners?.delete(listener) && this.#listeners.size === 0) this.#parent?.detach(this);
  }

  /** @internal The wheel: the deadline has passed. Cancelling runs listeners of AbortSignals, so it waits its turn. */
  timerFired(): void {
    this.#timer = NO_SLOT;
    scheduler.enqueue(this);
  }

  /** @internal */
  run(): void {
    if (!this.#disposed) this.cancel(new TimeoutError('The deadline has passed'));
  }

  readonly #onAbort = (): void => this.cancel((this.#foreign as AbortSignal).reason);

  #follow(signal: AbortSignal): void {
    if (signal.aborted) {
      this.#reason = abortError(signal.reason);
      return;
    }
    this.#foreign = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  #disarm(): void {
    if (this.#timer === NO_SLOT) return;
    disarm(this.#timer);
    this.#timer = NO_SLOT;
  }
}

class ControllerLink implements Cancellable {
  constructor(readonly controller: AbortController) {}
  cancel(reason?: unknown): void {
    this.controller.abort(reason);
  }
}

/** Ties one operation to the signal that it was given, for as long as it is pending. */
class SignalLink implements Owner {
  #task: Task | null = null;
  readonly #source: CancelSource;
  readonly #onAbort: (() => void) | null = null;

  constructor(operation: Operation<unknown>, source: CancelSource) {
    this.#source = source;
    if (source instanceof CancelToken) {
      source.attach(operation);
    } else {
      this.#onAbort = (): void => operation.cancel(source.reason);
      source.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  disown(operation: Operation<unknown>): void {
    if (this.#source instanceof CancelToken) this.#source.detach(operation);
    else this.#source.removeEventListener('abort', this.#onAbort as () => void);
    this.#task?.disown(operation);
  }

  share(operation: Operation<unknown>, task: Task): void {
    if (this.#task === null) {
      this.#task = task;
      task.own(operation);
    } else {
      this.#task.share(operation, task);
    }
  }
}

/** The option that every waiting operation takes. */
export interface SignalOption {
  /** Cancels the operation: a CancelToken or any AbortSignal. */
  signal?: CancelSource;
}

/** Makes `operation` end when `source` is cancelled. @returns the operation. */
export function withSignal<O extends Operation<unknown>>(operation: O, source: CancelSource | undefined): O {
  if (source === undefined) return operation;
  checkSignal(source, 'options.signal');
  const reason = cancelledBy(source);
  if (reason !== undefined) operation.cancel(reason);
  else if (operation.state === 0) operation.owner = new SignalLink(operation, source);
  return operation;
}

/** The error of a source that is cancelled already; undefined otherwise. */
export function cancelledBy(source: CancelSource): Error | undefined {
  if (source instanceof CancelToken) return source.reason;
  return source.aborted ? abortError(source.reason) : undefined;
}

export function checkSignal<S extends CancelSource>(value: S, name: string): S {
  if (value instanceof CancelToken) return value;
  const signal = value as unknown as AbortSignal | null;
  if (
    signal === null ||
    typeof signal !== 'object' ||
    typeof signal.aborted !== 'boolean' ||
    typeof signal.addEventListener !== 'function'
  ) {
    throw invalidType(name, 'a CancelToken or an AbortSignal', value);
  }
  return value;
}

/** A delay in milliseconds: a finite number from 0 to the wheel's range. */
export function checkDelay(value: unknown, name: string): number {
  if (typeof value !== 'number') throw invalidType(name, 'a number of milliseconds', value);
  if (!(value >= 0 && value <= DELAY_MS_MAX)) {
    throw outOfRange(name, `from 0 to ${DELAY_MS_MAX} milliseconds`, value);
  }
  return value;
}

/** A time of `now()` in milliseconds; the past is allowed. */
export function checkTime(value: unknown, name: string): number {
  if (typeof value !== 'number') throw invalidType(name, 'a time in milliseconds', value);
  if (!(value >= 0 && value <= now() + DELAY_MS_MAX)) {
    throw outOfRange(name, `a time of now(), at most ${DELAY_MS_MAX} milliseconds ahead`, value);
  }
  return value;
}
