import { DURATION_BOUNDS_MS, type ServerStats } from './metrics/index.js';
import type { ServerCore } from './server-core.js';

/** A snapshot of what a server has counted. */
export function statsOf(core: ServerCore): ServerStats {
  const { counters } = core;
  return {
    uptimeMs: core.uptimeMs(),
    connections: { open: core.connections.length, total: counters.connections },
    requests: {
      total: counters.requests,
      inFlight: core.running,
      static: counters.staticReplies,
      failed: counters.handlerErrors,
      aborted: counters.gone,
    },
    replies: counters.replies.list(),
    durationMs: counters.durations.distribution(DURATION_BOUNDS_MS),
    bytes: { received: counters.bytesIn, sent: counters.bytesOut },
    rejections: counters.rejections(),
    queue: { length: core.queued, waitMs: counters.waits.distribution(DURATION_BOUNDS_MS) },
  };
}
