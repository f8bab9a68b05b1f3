// Validators, conditional requests and range requests (RFC 9110, 8.8, 13, 14).
export { type ConditionOutcome, evaluateConditions, rangeIsFresh, type Validators } from './evaluate.js';
export { formatHttpDate, parseHttpDate } from './http-date.js';
export { type ByteRange, contentRange, parseRanges, type RangeLimits, type RangeOutcome } from './ranges.js';
export { entityTagOf, type FileStat, lastModifiedOf, parseEntityTag, weakened } from './validators.js';
