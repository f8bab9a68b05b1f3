import { released } from './closed.js';

/**
 * Something that is held until it is released: by `release`, or at the end of a `using` block. Releasing twice is an
 * error; a `using` block that ends after an early `release` is none.
 */
export abstract class Guard {
  #released = false;

  /** True once it was given up. */
  get released(): boolean {
    return this.#released;
  }

  /**
   * Gives up what is held.
   * @throws MillraceError `ERR_MILLRACE_PERMIT_RELEASED` if it was released already.
   */
  release(): void {
    this.spend();
    this.giveUp();
  }

  /** Gives up what is held, unless `release` did. */
  [Symbol.dispose](): void {
    if (!this.#released) this.release();
  }

  /** @internal What is held goes back. Called once. */
  protected abstract giveUp(): void;

  /** @internal What it is called in errors. */
  protected abstract readonly what: string;

  /** @internal */
  protected spend(): void {
    this.check();
    this.#released = true;
  }

  /** @internal */
  protected check(): void {
    if (this.#released) throw released(this.what);
  }
}
