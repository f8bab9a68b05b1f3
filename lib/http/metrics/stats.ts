import type { Distribution } from './histogram.js';
import type { ReplyCount } from './reply-counts.js';

/** Bounds in milliseconds of the buckets that Prometheus is given. */
export const DURATION_BOUNDS_MS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
];

/** What a server has done since it was started, and what it does now. */
export interface ServerStats {
  /** Milliseconds since the start. */
  readonly uptimeMs: number;
  readonly connections: {
    /** Now. */
    readonly open: number;
    readonly total: number;
  };
  readonly requests: {
    /** Heads that were understood. */
    readonly total: number;
    /** Handlers that have not answered yet, now. */
    readonly inFlight: number;
    /** Answered in C++, without a handler; part of the total. */
    readonly static: number;
    /** Handlers that threw. */
    readonly failed: number;
    /** Peers that had gone before their reply was complete. */
    readonly aborted: number;
  };
  readonly replies: readonly ReplyCount[];
  /** Milliseconds from the bytes that brought a head to the end of the reply. */
  readonly durationMs: Distribution;
  readonly bytes: { readonly received: number; readonly sent: number };
  /** What was refused without a handler, by reason: `uri-too-long`, `head-timeout`, `overload` and so on. */
  readonly rejections: Readonly<Record<string, number>>;
  readonly queue: {
    /** Requests that wait for a handler, now. */
    readonly length: number;
    /** Milliseconds that they have waited, those that had to. */
    readonly waitMs: Distribution;
  };
}
