// What each compute workload must add up to: every run of every runtime is held against this, so that none can be fast
// by doing less.

/** 0 + 1 + ... + (n - 1) */
function triangle(n: bigint): bigint {
  return (n * (n - 1n)) / 2n;
}

/** The sum of `base + i % period` for i in 0..n-1. */
function periodicSum(n: bigint, base: bigint, period: bigint): bigint {
  return n * base + (n / period) * triangle(period) + triangle(n % period);
}

export const checksums = {
  scheduling: (n: bigint) => 1_000n * triangle(n) + n * triangle(1_000n),
  io: (n: bigint) => periodicSum(n, 1n, 1_000n),
  allocation: (n: bigint) => periodicSum(n, 1_024n, 4_096n),
  spawn: (n: bigint) => n,
  yield: (n: bigint) => n,
  channel: triangle,
  timer: (n: bigint) => periodicSum(n, 1n, 100n),
  cancel: (n: bigint) => n,
} as const;

export type ComputeWorkload = keyof typeof checksums;
