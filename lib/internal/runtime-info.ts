import type { AddonInfo } from './binding.js';
import { border } from './border.js';

/** What Millrace runs on here. */
export interface RuntimeInfo extends AddonInfo {
  node: string;
  platform: string;
  arch: string;
}

/**
 * Tells the backend, the kernel's features, why a fallback was taken, and the sizes of rings and buffers.
 *
 * @example
 * ```ts
 * console.log(runtimeInfo().backend); // for example uring
 * ```
 * @throws RangeError `ERR_MILLRACE_BACKEND` for an unknown MILLRACE_BACKEND; MillraceError `ERR_MILLRACE_ADDON` where the
 * addon does not load.
 */
export function runtimeInfo(): RuntimeInfo {
  return { node: process.version, platform: process.platform, arch: process.arch, ...border.open().info() };
}
