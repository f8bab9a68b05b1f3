import type { ServerCore } from './server-core.js';
export interface ServerStats {
  readonly requests: number;
}
export function statsOf(core: ServerCore): ServerStats {
  return { requests: core.counters.requests };
}
