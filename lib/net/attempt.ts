// One address that is being connected to. Its handle is given up as soon as it has failed, won or lost.
import { border } from '../internal/border.js';
import { COMPLETION_CONNECT, RESET, SUBMISSION_CLOSE } from '../internal/layout.js';
import { type Endpoint, endpoints } from './endpoints.js';

/** Told how an attempt ended. It must not run user code before it has dealt with the others. */
export interface Attempting {
  /** `errno` is negative, or 0: the connection stands, and its handle is no longer the attempt's. */
  attempted(attempt: Attempt, errno: number): void;
}

export class Attempt implements Endpoint {
  readonly handle: number;
  readonly address: string;
  readonly #owner: Attempting;

  constructor(handle: number, address: string, owner: Attempting) {
    this.handle = handle;
    this.address = address;
    this.#owner = owner;
    endpoints.add(this);
    border.keepAlive();
  }

  /** @internal */
  complete(kind: number, a: number): void {
    if (kind !== COMPLETION_CONNECT) return;
    const errno = a | 0;
    if (errno === 0) endpoints.remove(this);
    else this.giveUp();
    this.#owner.attempted(this, errno);
  }

  /** Also where it has connected already, and the completion that says so is under way. */
  giveUp(): void {
    endpoints.remove(this);
    border.submit(SUBMISSION_CLOSE | RESET, this.handle, 0, 0);
  }
}
