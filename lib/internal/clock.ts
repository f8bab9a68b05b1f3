// Millrace's clock: milliseconds on the wheel's clock (CLOCK_MONOTONIC), or the virtual time of a test.
//
// `performance.now()` costs 40 ns and a call into the addon as much again, so the offset between the two is measured
// once: the addon's reading is taken after ours, so the offset is never too small, and a deadline never too early.
import { border } from './border.js';
import { SLICE_MS, scheduler } from './scheduler.js';

let offsetMs = Number.NaN;
let virtual = false;

/** Now, in milliseconds. Only differences and deadlines mean anything. */
export function now(): number {
  if (virtual) return border.open().clock();
  const at = performance.now() + offsetMs;
  // biome-ignore lint/suspicious/noSelfCompare: it is NaN until the offset has been measured
  return at === at ? at : measure();
}

function measure(): number {
  const addon = border.open();
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const before = performance.now();
    const offset = addon.clock() - before;
    if (offset < best) best = offset;
  }
  offsetMs = best;
  return performance.now() + offsetMs;
}

/** Virtual time is on: the addon's clock stands still until it is moved. How fast the machine is must not show then. */
export function setVirtual(on: boolean): void {
  virtual = on;
  // Real time goes on from where virtual time has arrived: the offset is another one.
  offsetMs = Number.NaN;
  scheduler.sliceMs = on ? Number.POSITIVE_INFINITY : SLICE_MS;
}

export function isVirtual(): boolean {
  return virtual;
}
