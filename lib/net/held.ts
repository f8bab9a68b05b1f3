// A connection that the kernel had accepted already when its listener was told to pause: nobody hears of it until there is
// room. Nothing is received for it meanwhile, so whatever the peer sends waits in the kernel.
import { border } from '../internal/border.js';
import { COMPLETION_CLOSED, RESET, SUBMISSION_CLOSE, SUBMISSION_PAUSE, SUBMISSION_RESUME } from '../internal/layout.js';
import { type Endpoint, endpoints } from './endpoints.js';

export class Held implements Endpoint {
  readonly handle: number;
  readonly #owner: { unhold(held: Held, admit: boolean): Endpoint | null };

  constructor(handle: number, owner: { unhold(held: Held, admit: boolean): Endpoint | null }) {
    this.handle = handle;
    this.#owner = owner;
    endpoints.add(this);
    border.submit(SUBMISSION_PAUSE, handle, 0, 0);
  }

  /** @internal It has failed, or was faster than the pause: whoever gets it has to know. */
  complete(kind: number, a: number, b: number): void {
    if (kind === COMPLETION_CLOSED) {
      endpoints.remove(this);
      this.#owner.unhold(this, false);
    } else {
      this.#owner.unhold(this, true)?.complete(kind, a, b);
    }
  }

  /** The handle is somebody else's from now on. */
  release(): number {
    border.submit(SUBMISSION_RESUME, this.handle, 0, 0);
    return this.handle;
  }

  destroy(): void {
    border.submit(SUBMISSION_CLOSE | RESET, this.handle, 0, 0);
  }
}
