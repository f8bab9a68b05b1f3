// A deque of messages, each with its number. Numbers count up by one and wrap at 32 bits; they tell the order of
// messages that come back after others have been taken.

const SLOTS_MIN = 16;
/** An empty ring keeps no more than this: a burst does not hold its memory for ever. */
const SLOTS_KEPT_MAX = 16_384;

export class Ring<T> {
  /** The number of the first message. */
  head = 0;
  /** The number that the next message gets. */
  tail = 0;
  #slots: (T | undefined)[] = new Array<T | undefined>(SLOTS_MIN).fill(undefined);
  #mask = SLOTS_MIN - 1;

  get length(): number {
    return (this.tail - this.head) | 0;
  }

  push(message: T): void {
    const tail = this.tail;
    if (((tail - this.head) | 0) > this.#mask) this.#resize(this.#slots.length * 2);
    this.#slots[tail & this.#mask] = message;
    this.tail = (tail + 1) | 0;
  }

  /** The ring must not be empty. */
  shift(): T {
    const head = this.head;
    const at = head & this.#mask;
    const message = this.#slots[at] as T;
    this.#slots[at] = undefined;
    this.head = (head + 1) | 0;
    if (this.#mask >= SLOTS_KEPT_MAX && this.head === this.tail) this.#resize(SLOTS_MIN);
    return message;
  }

  /** The number of a message that goes to its receiver without entering the ring, which must be empty. */
  skip(): number {
    const number = this.tail;
    this.tail = (number + 1) | 0;
    this.head = this.tail;
    return number;
  }

  #resize(size: number): void {
    const slots = new Array<T | undefined>(size).fill(undefined);
    const count = this.length;
    for (let i = 0; i < count; i++) {
      const number = (this.head + i) | 0;
      slots[number & (size - 1)] = this.#slots[number & this.#mask];
    }
    this.#slots = slots;
    this.#mask = size - 1;
  }
}

/** A message that was given to a receiver which did not take it. */
interface Returned<T> {
  readonly number: number;
  readonly message: T;
}

/** Messages that came back, by their numbers: all of them stand before whatever is in the ring. */
export class ReturnedMessages<T> {
  readonly #messages: Returned<T>[] = [];

  get length(): number {
    return this.#messages.length;
  }

  put(number: number, message: T): void {
    const messages = this.#messages;
    let at = messages.length;
    // Almost always none or one is there: a loser of a select gives back one message.
    while (at > 0 && (((messages[at - 1] as Returned<T>).number - number) | 0) > 0) at--;
    messages.splice(at, 0, { number, message });
  }

  /** There must be one. */
  shift(): Returned<T> {
    return this.#messages.shift() as Returned<T>;
  }
}
