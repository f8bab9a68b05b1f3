// A value that is made once, by whoever asks first.
//
// At most one initialiser runs, as a task of its own. Until that task has ended, `finally` blocks included, nobody else
// starts one: a cancelled initialiser is waited for.
import { Child } from '../internal/awaitable.js';
import type { SignalOption } from '../internal/cancel.js';
import { checkFunction, MillraceError } from '../internal/errors.js';
import { Operation, PENDING, REJECTED, type Waiter } from '../internal/operation.js';
import type { TaskFunction } from '../internal/task.js';
import { currentTask, snapshot } from '../internal/task-context.js';
import { beginWith } from './begin.js';
import { type Linked, WaitQueue } from './wait-queue.js';

/** What the cell and the waiting calls share. */
interface State<T> {
  value: T | undefined;
  initialized: boolean;
  running: Initialise<T> | null;
  readonly waiting: WaitQueue<Initialise<T>>;
}

class Initialise<T> extends Operation<T> implements Linked<Initialise<T>>, Waiter {
  /** @internal */ previous: Initialise<T> | null = null;
  /** @internal */ following: Initialise<T> | null = null;
  readonly #state: State<T>;
  readonly #initialise: TaskFunction<T>;
  /** The initialiser may start in another task's turn; it belongs to the one that asked. */
  readonly #context = snapshot();
  readonly #locals = currentTask()?.locals ?? null;
  #child: Child<T> | null = null;

  constructor(state: State<T>, initialise: TaskFunction<T>) {
    super();
    this.#state = state;
    this.#initialise = initialise;
    if (state.initialized) this.fulfill(state.value as T);
    else if (state.running === null) this.start();
    else state.waiting.push(this);
  }

  get kind(): string {
    return 'onceCell.getOrInit';
  }

  /** It is this one's turn. */
  start(): void {
    this.#state.running = this;
    if (this.#context === null) this.#run();
    else this.#context(() => this.#run(), undefined);
  }

  #run(): void {
    const child = new Child(this.#initialise, 'onceCell.init');
    child.task.locals = this.#locals;
    this.#child = child;
    child.addWaiter(this as Waiter);
  }

  /** The initialiser has ended. */
  wake(child: Operation<unknown>): void {
    const state = this.#state;
    state.running = null;
    if (child.state === REJECTED) {
      state.waiting.shift()?.start();
      this.reject(child.value);
      return;
    }
    state.initialized = true;
    state.value = child.value as T;
    this.fulfill(state.value);
    for (let next = state.waiting.shift(); next !== null; next = state.waiting.shift()) next.fulfill(state.value);
  }

  /** Once the initialiser runs, this ends when that has ended. */
  override cancel(reason?: unknown): void {
    if (this.state === PENDING && this.#child !== null) this.#child.cancel(reason);
    else super.cancel(reason);
  }

  protected onCancel(): void {
    this.#state.waiting.remove(this);
  }
}

/**
 * A value that is made when it is first needed, once, however many tasks ask for it at the same time.
 *
 * @example
 * ```ts
 * const settings = new OnceCell<string>();
 * const load = async () => {
 *   await sleep(1);
 *   return 'loaded once';
 * };
 * await all([settings.getOrInit(load), settings.getOrInit(load)]);
 * console.log(settings.get()); // loaded once
 * ```
 */
export class OnceCell<T> {
  readonly #state: State<T> = { value: undefined, initialized: false, running: null, waiting: new WaitQueue() };

  /** True once there is a value. */
  get initialized(): boolean {
    return this.#state.initialized;
  }

  /** The value; undefined while there is none. */
  get(): T | undefined {
    return this.#state.value;
  }

  /**
   * Gives the cell its value.
   * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` if it has one, or an initialiser runs.
   */
  set(value: T): void {
    const state = this.#state;
    if (state.initialized || state.running !== null) {
      const why = state.initialized ? 'it has a value' : 'an initialiser is running';
      throw new MillraceError('ERR_MILLRACE_INVALID_STATE', `onceCell.set: ${why}`);
    }
    state.initialized = true;
    state.value = value;
  }

  /**
   * The value. If there is none, `initialise` (a generator function, an async function or a plain one) makes it, while
   * others who ask wait. If it fails or is cancelled, that is told to its caller only, and the next who waits tries with
   * its own function. An initialiser must not ask for the same cell: it would wait for itself.
   *
   * @throws what `initialise` throws. AbortError if cancelled, once the initialiser has ended. TypeError
   * (`ERR_INVALID_ARG_TYPE`) if `initialise` is not a function, or for a wrong `options`.
   */
  getOrInit(initialise: TaskFunction<T>, options?: SignalOption): Operation<T> {
    checkFunction(initialise, 'initialise');
    if (options !== undefined) return beginWith(options, () => this.getOrInit(initialise));
    return new Initialise(this.#state, initialise);
  }
}
