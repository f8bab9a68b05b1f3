// millrace/test: virtual time.
export { advance } from './advance.js';
export { type PauseOptions, timeIsPaused } from './time-mode.js';
export { pauseTime, resumeTime, withVirtualTime } from './virtual-time.js';
