// millrace/time: sleeping, intervals, time limits.
export { now } from '../internal/clock.js';
export { type Interval, type IntervalOptions, interval, type MissedTicks } from './interval.js';
export { type Sleep, sleep, sleepUntil } from './sleep.js';
export { deadline, timeout } from './timeout.js';
