// The idle time of a stream as net.Socket counts it: from the last read or write, exactly, keeping no process alive.
// Activity only notes the time; the timer looks at that when it rings.
import { now } from '../internal/clock.js';
import { type Snapshot, snapshot } from '../internal/task-context.js';
import { Alarm } from './alarm.js';

export class StreamTimer {
  readonly #limitMs: number;
  readonly #tell: () => void;
  readonly #context: Snapshot | null = snapshot();
  readonly #alarm = new Alarm(() => this.#rang(), true);
  #activeMs = now();
  /** As in Node, it is told once until something moves. */
  #told = false;

  constructor(limitMs: number, tell: () => void) {
    this.#limitMs = limitMs;
    this.#tell = tell;
    this.#alarm.set(limitMs);
  }

  touch(): void {
    this.#activeMs = now();
    if (!this.#told) return;
    this.#told = false;
    this.#alarm.set(this.#limitMs);
  }

  stop(): void {
    this.#alarm.clear();
  }

  #rang(): void {
    const leftMs = this.#activeMs + this.#limitMs - now();
    if (leftMs > 0) {
      this.#alarm.set(leftMs);
      return;
    }
    this.#told = true;
    if (this.#context === null) this.#tell();
    else this.#context(this.#tell, undefined);
  }
}
