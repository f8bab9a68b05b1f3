// Waiting for several operations: all of them, or the first.

import { type Awaitable, type Awaited2, toOperation } from '../internal/awaitable.js';
import { checkObject, invalidType } from '../internal/errors.js';
import { Operation, observed, PENDING, REJECTED, type Waiter } from '../internal/operation.js';
import { random } from '../internal/random.js';

/** Waits for several operations; cancelling it abandons them all. */
abstract class Combination<T> extends Operation<T> implements Waiter {
  protected readonly arms: readonly Operation<unknown>[];

  constructor(arms: readonly Operation<unknown>[]) {
    super();
    this.arms = arms;
  }

  abstract wake(arm: Operation<unknown>): void;

  protected onCancel(): void {
    this.abandonArms(null);
  }

  protected abandonArms(except: Operation<unknown> | null): void {
    for (const arm of this.arms) if (arm !== except) arm.abandon(this);
  }
}

class All<T> extends Combination<T[]> {
  #left = 0;

  constructor(arms: readonly Operation<unknown>[]) {
    super(arms);
    for (let i = 0; i < arms.length; i++) {
      const arm = arms[i] as Operation<unknown>;
      if (arm.state === PENDING) {
        this.#left++;
        arm.addWaiter(this);
      } else if (arm.state === REJECTED) {
        this.wake(arm);
        return;
      }
    }
    if (this.#left === 0) this.#finish();
  }

  get kind(): string {
    return 'all';
  }

  wake(arm: Operation<unknown>): void {
    if (this.state !== PENDING) return;
    if (arm.state === REJECTED) {
      arm.taken = true;
      observed(arm);
      this.abandonArms(arm);
      this.reject(arm.value);
    } else if (--this.#left === 0) {
      this.#finish();
    }
  }

  #finish(): void {
    const { arms } = this;
    const results = new Array<T>(arms.length);
    for (let i = 0; i < arms.length; i++) {
      const arm = arms[i] as Operation<unknown>;
      arm.taken = true;
      results[i] = arm.value as T;
    }
    this.fulfill(results);
  }

  protected override giveBack(): void {
    for (const arm of this.arms) arm.untake(this.value);
  }

  protected override giveBackError(_error: unknown, reason: unknown): void {
    for (const arm of this.arms) arm.untake(reason);
  }
}

class First<T> extends Combination<T> {
  readonly #kind: string;
  readonly #result: (arm: Operation<unknown>, index: number) => T;
  #winner: Operation<unknown> | null = null;

  constructor(
    arms: readonly Operation<unknown>[],
    kind: string,
    biased: boolean,
    result: (arm: Operation<unknown>, index: number) => T,
  ) {
    super(arms);
    this.#kind = kind;
    this.#result = result;
    const ready = biased ? arms.findIndex((arm) => arm.state !== PENDING) : pickReady(arms);
    if (ready >= 0) {
      this.#win(arms[ready] as Operation<unknown>, ready);
    } else {
      for (const arm of arms) arm.addWaiter(this);
    }
  }

  get kind(): string {
    return this.#kind;
  }

  wake(arm: Operation<unknown>): void {
    if (this.state === PENDING) this.#win(arm, this.arms.indexOf(arm));
  }

  #win(arm: Operation<unknown>, index: number): void {
    arm.taken = true;
    this.#winner = arm;
    this.abandonArms(arm);
    if (arm.state === REJECTED) {
      observed(arm);
      this.reject(arm.value);
    } else {
      this.fulfill(this.#result(arm, index));
    }
  }

  /** Cancelled before anybody took its result: the winner has lost too. */
  protected override giveBack(): void {
    this.#winner?.untake(this.value);
  }

  protected override giveBackError(_error: unknown, reason: unknown): void {
    this.#winner?.untake(reason);
  }
}

/** One of the arms that are ready already, at random: no arm of a busy select starves. */
function pickReady(arms: readonly Operation<unknown>[]): number {
  let ready = 0;
  let picked = -1;
  for (let i = 0; i < arms.length; i++) {
    if ((arms[i] as Operation<unknown>).state === PENDING) continue;
    ready++;
    if (ready === 1 || random() * ready < 1) picked = i;
  }
  return picked;
}

/**
 * Waits for all of `items`; the results come in their order. The first failure is thrown at once, and what is still
 * pending is cancelled (a JoinHandle's task goes on: it is only not waited for any more).
 *
 * @example
 * ```ts
 * const [a, b] = await all([spawn(() => 1), spawn(() => 'two')]);
 * console.log(a, b); // 1 two
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) naming the item that one cannot wait for.
 */
export function all<const A extends readonly Awaitable<unknown>[]>(
  items: A,
): Operation<{ -readonly [K in keyof A]: Awaited2<A[K]> }>;
export function all<T>(items: Iterable<Awaitable<T>>): Operation<T[]>;
export function all(items: Iterable<Awaitable<unknown>>): Operation<unknown> {
  return new All(operations(items));
}

/**
 * Waits for whichever of `items` ends first, with a result or an error; the others are cancelled.
 *
 * @example
 * ```ts
 * async function ask(server: string, delayMs: number) {
 *   await sleep(delayMs);
 *   return server;
 * }
 * console.log(await race([() => ask('near', 1), () => ask('far', 5000)])); // near
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) for an empty list, or naming the item that one cannot wait for.
 */
export function race<A extends Awaitable<unknown>>(items: Iterable<A>): Operation<Awaited2<A>> {
  const arms = operations(items);
  if (arms.length === 0) throw invalidType('items', 'a list with at least one item', []);
  return new First(arms, 'race', false, (arm) => arm.value as Awaited2<A>);
}

export interface SelectOptions {
  /** Prefer the first of several arms that are ready, where a random one is taken otherwise. Default: false. */
  biased?: boolean;
}

/** What `select` gives: which arm won, and its result. */
export type Selected<A> = { [K in keyof A]: { key: K; value: Awaited2<A[K]> } }[keyof A];

/**
 * Waits for the first of several named operations and cancels the others. A result that a loser had already does not
 * get lost: a message goes back to the front of its channel, a permit to its semaphore.
 *
 * @example
 * ```ts
 * const [sender, receiver] = channel<string>(1);
 * sender.trySend('hello');
 * const { key, value } = await select({ message: receiver.recv(), stop: sleep(100) });
 * console.log(key, value); // message hello
 * ```
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) if `arms` is not an object with at least one arm, or an option is of
 * the wrong type, naming what is wrong.
 */
export function select<A extends Record<string, Awaitable<unknown>>>(
  arms: A,
  options: SelectOptions = {},
): Operation<Selected<A>> {
  checkObject(arms, 'arms');
  checkObject(options, 'options');
  const { biased = false } = options;
  if (typeof biased !== 'boolean') throw invalidType('options.biased', 'a boolean', biased);
  const keys = Object.keys(arms);
  if (keys.length === 0) throw invalidType('arms', 'an object with at least one arm', arms);
  const list = keys.map((key) => toOperation(arms[key] as Awaitable<unknown>, `arms.${key}`));
  return new First(list, 'select', biased, (arm, index) => {
    return { key: keys[index], value: arm.value } as Selected<A>;
  });
}

function operations(items: Iterable<Awaitable<unknown>>): Operation<unknown>[] {
  if (Array.isArray(items)) {
    const list = new Array<Operation<unknown>>(items.length);
    for (let i = 0; i < list.length; i++) {
      const item = items[i] as Awaitable<unknown>;
      list[i] = item instanceof Operation ? item : toOperation(item, `items[${i}]`);
    }
    return list;
  }
  if (typeof (items as Iterable<unknown> | null)?.[Symbol.iterator] !== 'function') {
    throw invalidType('items', 'an iterable of operations', items);
  }
  return operations([...items]);
}
