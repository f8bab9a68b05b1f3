// Finds and loads the addon. Packaging decides where it lies; until a prebuilt binary is found, the local build serves.
import { createRequire } from 'node:module';

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
}

const require = createRequire(import.meta.url);

export function loadAddon(): Addon {
  const override = process.env.MILLRACE_ADDON;
  if (override !== undefined && override !== '') return require(override) as Addon;
  const root = new URL('../..', import.meta.url).pathname;
  const candidates = [`${root}build/Release/millrace.node`, `${root}../build/Release/millrace.node`];
  let failure: unknown;
  for (const candidate of candidates) {
    try {
      return require(candidate) as Addon;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
