// Finds and loads the addon: MILLRACE_ADDON if that is set (a path: sanitizer builds), else what node-gyp-build finds in
// build/Release (a clone) or prebuilds/ (the package).
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { foreignRuntime, loadFailure, packageRoot, runtimeFailure } from './addon-failure.js';

export type Backend = 'auto' | 'uring' | 'uv';

export interface AddonInfo {
  backend: string;
  fallbackReason?: string;
  [key: string]: unknown;
}

/** What the addon exports; see docs/architecture.md. */
export interface Addon {
  open(
    options: { backend: Backend },
    drain: () => void,
  ): { control: ArrayBuffer; submissions: ArrayBuffer; completions: ArrayBuffer };
  flush(): void;
  wake(): void;
  clock(): number;
  openIo(): {
    receiveArena: ArrayBuffer;
    sendArena: ArrayBuffer;
    sendBlockSegments: ArrayBuffer;
    socketBytesSent: ArrayBuffer;
  };
  listen(address: string, port: number, backlog: number, flags: number): number;
  connect(address: string, port: number): number;
  name(handle: number, peer: boolean): { address: string; family: string; port: number } | number;
  setTime(mode: number, ms: number): void;
  info(): AddonInfo;
  counters(): Record<string, number>;
  /** The engine's continuation data, on Node 20 and 22 where it can be reached: see task-context.ts. */
  getContinuation?(): unknown;
  swapContinuation?(value: unknown): unknown;
}

const require = createRequire(import.meta.url);

/** Loads the addon, once. @throws MillraceError `ERR_MILLRACE_ADDON` where it cannot run. */
function load(): Addon {
  const runtime = foreignRuntime();
  if (runtime !== null) throw runtimeFailure(runtime);
  const given = process.env.MILLRACE_ADDON;
  let file = given ? resolve(given) : null;
  const root = packageRoot(import.meta.url);
  try {
    file ??= (require('node-gyp-build') as { resolve(root: string): string }).resolve(root);
    return require(file) as Addon;
  } catch (cause) {
    throw loadFailure(file, root, cause);
  }
}

const addon = load();

/** The addon. It is loaded with this module, so that importing Millrace fails where it cannot run; nothing is opened. */
export function loadAddon(): Addon {
  return addon;
}
