// Puts another implementation of the addon in the place of the native one.
import type { Addon } from './binding.js';
import { border } from './border.js';
import { setVirtual } from './clock.js';
import { MillraceError } from './errors.js';
import { armedTimers, forgetSlots } from './timers.js';

/**
 * Opens the border over `addon`, whose clock is virtual, instead of the one that was opened or would be loaded.
 * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` while timers are armed: they would be lost.
 */
export function installAddon(addon: Addon): void {
  const armed = armedTimers();
  if (armed > 0) {
    throw new MillraceError(
      'ERR_MILLRACE_INVALID_STATE',
      `${armed} timers are armed; wait for them or cancel them first`,
    );
  }
  forgetSlots();
  border.install(addon);
  setVirtual(true);
}
