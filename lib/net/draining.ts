import { now } from '../internal/clock.js';
import { SharedOperation } from '../internal/operation.js';
import { Alarm } from './alarm.js';

/** What is drained. */
interface Drained {
  readonly drained: boolean;
  /** @returns how many were left. */
  destroyAll(): number;
}

/** `listener.close({ drainMs })`: the sockets may finish, and those that are left when the time is over are destroyed. */
export class Draining extends SharedOperation<number> {
  readonly #listener: Drained;
  /** Who comes now comes too late. */
  outOfTime = false;
  readonly #end = new Alarm(() => {
    this.outOfTime = true;
    this.#destroyed = this.#listener.destroyAll();
  });
  #endMs = Number.POSITIVE_INFINITY;
  #destroyed = 0;

  constructor(listener: Drained) {
    super();
    this.#listener = listener;
  }

  get kind(): string {
    return 'listener.close';
  }

  /** The shortest time that was given counts. */
  within(drainMs: number): void {
    if (this.state !== 0 || now() + drainMs >= this.#endMs) return;
    this.#endMs = now() + drainMs;
    this.#end.set(drainMs);
  }

  /** Something has ended. */
  check(): void {
    if (!this.#listener.drained) return;
    this.#end.clear();
    this.fulfill(this.#destroyed);
  }

  protected onCancel(): void {}
}
