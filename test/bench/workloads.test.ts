import { describe, expect, it } from 'vitest';
import { readComputeSample, SampleError } from '../../bench/runner/compute-sample.js';
import { finite } from '../../bench/runner/finite.js';
import { countersIn } from '../../bench/runner/server.js';
import { CELLS } from '../../bench/workloads/catalog.js';
import type { ComputeCell } from '../../bench/workloads/cell.js';
import { type ComputeWorkload, checksums } from '../../bench/workloads/checksums.js';
import { cellNamed } from './race.js';

/** The workloads as the design states them, task by task. */
const naive: Readonly<Record<ComputeWorkload, (n: number) => bigint>> = {
  scheduling: (n) => {
    let sum = 0n;
    for (let i = 0; i < n; i++) for (let j = 0; j < 1_000; j++) sum += BigInt(i + j);
    return sum;
  },
  io: (n) => sumOf(n, (i) => 1 + (i % 1_000)),
  allocation: (n) => sumOf(n, (i) => 1_024 + (i % 4_096)),
  spawn: (n) => BigInt(n),
  yield: (n) => BigInt(n),
  channel: (n) => sumOf(n, (i) => i),
  timer: (n) => sumOf(n, (i) => 1 + (i % 100)),
  cancel: (n) => BigInt(n),
};

function sumOf(n: number, term: (i: number) => number): bigint {
  let sum = 0n;
  for (let i = 0; i < n; i++) sum += BigInt(term(i));
  return sum;
}

describe('the checksum that every runtime must arrive at', () => {
  it.each(Object.keys(naive) as ComputeWorkload[])('is what %s adds up to, done naively', (workload) => {
    for (const n of [0, 1, 99, 1_000, 1_001, workload === 'scheduling' ? 1_500 : 9_999]) {
      expect(checksums[workload](BigInt(n))).toBe(naive[workload](n));
    }
  });
});

describe('the catalog', () => {
  it('has the three workloads of the original report at its four loads', () => {
    for (const workload of ['scheduling', 'io', 'allocation']) {
      const loads = CELLS.filter((cell) => cell.workload === workload).map((cell) => cell.n);
      expect(loads).toEqual([1_000, 10_000, 50_000, 100_000]);
    }
  });

  it('names each cell once', () => {
    expect(new Set(CELLS.map(({ id }) => id)).size).toBe(CELLS.length);
  });
});

describe('a sample', () => {
  const sample = {
    ...{ round: 0, value: 1, first: null, wallSeconds: 1, cpuSeconds: 1, cpuNsPerOperation: 1, peakMemoryBytes: 1 },
    extras: { p99Us: 1 },
  };

  it('whose window was too short for a figure has failed, and says which', () => {
    expect(finite(sample)).toBe(sample);
    expect(finite({ ...sample, cpuNsPerOperation: null })).toBeDefined();
    expect(() => finite({ ...sample, value: 0 / 0 })).toThrow(/value is NaN/);
    expect(() => finite({ ...sample, extras: { p99Us: Number.POSITIVE_INFINITY } })).toThrow(/p99Us is Infinity/);
    expect(() => finite({ ...sample, wallSeconds: 0, cpuSeconds: 0 })).toThrow(SampleError);
  });
});

describe('what a peer prints', () => {
  const cell = cellNamed('spawn/100k') as ComputeCell;
  const run = (phase: string, nanoseconds: number, checksum = '100000') =>
    JSON.stringify({ phase, operations: 100_000, nanoseconds, checksum });
  const end = JSON.stringify({
    phase: 'end',
    firstCpuNanoseconds: 5e8,
    warmCpuNanoseconds: 2e8,
    peakMemoryBytes: 4_096,
  });
  const read = (...lines: string[]) => readComputeSample(cell, `${lines.join('\n')}\n`, 2);

  it('becomes a sample: warm work over warm time, the first run apart, warm-up left out', () => {
    const sample = read(run('first', 1e9), run('warm-up', 5e8), run('warm', 1e8), run('warm', 3e8), end);
    expect(sample).toMatchObject({ round: 2, value: 500_000, first: 100_000, wallSeconds: 0.4, cpuSeconds: 0.2 });
    expect(sample.cpuNsPerOperation).toBe(1_000);
    expect(sample.extras).toMatchObject({ warmRuns: 2, meanRunMs: 200, slowestRunMs: 300 });
  });

  it('is refused when one run of many computed something else', () => {
    expect(() => read(run('first', 1), run('warm', 1), run('warm', 1, '99999'), end)).toThrow(/wrong result.*99999/);
  });

  it('is refused when it is cut off, empty, or no protocol at all', () => {
    expect(() => read(run('first', 1), run('warm', 1))).toThrow(SampleError);
    expect(() => read(run('first', 1), end)).toThrow(/no warm run|no first or no warm/);
    expect(() => read('Segmentation fault')).toThrow(/Segmentation fault/);
  });

  it('takes CPU time for timers, whose wall time is the sleeps themselves', () => {
    const timers = cellNamed('timer/100k') as ComputeCell;
    const line = (phase: string) =>
      JSON.stringify({ phase, operations: 100_000, nanoseconds: 1e8, checksum: timers.expectedChecksum });
    const sample = readComputeSample(timers, [line('first'), line('warm'), end].join('\n'), 0);
    expect(sample).toMatchObject({ value: 500_000, first: 200_000 });
  });

  it('may hold counters after the port of a server', () => {
    expect(countersIn('4711\n{"callsPerTick":1,"note":"text","lost":null}\n')).toEqual({ callsPerTick: 1 });
  });
});
