// What a server measures of itself, and how that is told.
export { EXPOSITION_TYPE, Exposition, type Labels } from './exposition.js';
export { type Distribution, Histogram } from './histogram.js';
export { prometheusText } from './prometheus.js';
export { type ReplyCount, ReplyCounts } from './reply-counts.js';
export { DURATION_BOUNDS_MS, type ServerStats } from './stats.js';
