// millrace: what most programs need. The rest is in millrace/sync, millrace/net, millrace/buffer and millrace/test.
export { AbortError, MillraceError, type MillraceErrorCode, SystemError, TimeoutError } from './internal/errors.js';
export { type RuntimeInfo, runtimeInfo } from './internal/runtime-info.js';
export * from './task/index.js';
export * from './time/index.js';
