// How time stands: what the addon's setTime takes (docs/architecture.md), and what the test has asked for.
import { isVirtual } from '../internal/clock.js';

export const TIME_REAL = 0;
export const TIME_PAUSED = 1;
export const TIME_ADVANCE = 2;
export const TIME_AUTO_ADVANCE = 3;

export interface PauseOptions {
  /**
   * Move the clock to the next deadline by itself whenever every task waits and no operation of a socket is under way.
   * Work that Millrace does not see (a file, a lookup, a timer of Node's own) does not hold it up. Default: true.
   */
  autoAdvance?: boolean;
}

/** What `pauseTime` was told; null while it was not called. */
let asked: Required<PauseOptions> | null = null;

export function pauseAsked(): Required<PauseOptions> | null {
  return asked;
}

export function setPauseAsked(options: Required<PauseOptions> | null): void {
  asked = options;
}

/** True between `pauseTime` and `resumeTime`. */
export function timeIsPaused(): boolean {
  return isVirtual();
}
