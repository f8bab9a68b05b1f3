// Every receiver gets every message, from one ring of the last `capacity` of them.
//
// Invariants:
// - Messages are numbered from 0. The ring holds those from `tail - capacity` on; a receiver whose `position` lies before
//   that has missed some, is told how many, and goes on with the oldest that is left.
// - `unread` counts for each slot the receivers that have not had it, so that a message that all have seen is let go.
// - Receivers that wait have seen everything. They stand in `idle`, once each, however many of their tasks wait.
import { type Linked, WaitQueue } from './wait-queue.js';

/** A receiver with tasks that wait for a message. */
export interface Idle extends Linked<Idle> {
  /** A message has come; the receiver was taken off the idle list. */
  serve(): void;
  /** None will come any more. */
  end(): void;
}

export class BroadcastRing<T> {
  tail = 0;
  closed = false;
  receivers = 0;
  readonly messages: (T | undefined)[] = [];
  readonly unread: number[] = [];
  readonly idle = new WaitQueue<Idle>();

  constructor(readonly capacity: number) {}

  get oldest(): number {
    return Math.max(0, this.tail - this.capacity);
  }

  push(message: T): void {
    const slot = this.tail++ % this.capacity;
    this.messages[slot] = message;
    this.unread[slot] = this.receivers;
    for (let waiting = this.idle.size; waiting > 0; waiting--) {
      const receiver = this.idle.shift();
      // Telling one may have cancelled others: the arms of a select.
      if (receiver === null) return;
      receiver.serve();
    }
  }

  read(number: number): T {
    const slot = number % this.capacity;
    const message = this.messages[slot] as T;
    this.unread[slot] = (this.unread[slot] as number) - 1;
    if (this.unread[slot] === 0) this.messages[slot] = undefined;
    return message;
  }
}
