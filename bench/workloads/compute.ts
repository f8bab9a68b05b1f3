import type { ComputeCell } from './cell.js';
import { type ComputeWorkload, checksums } from './checksums.js';

/** A million tasks at once take seconds, and in some runtimes gigabytes. */
const LARGE_SAMPLES_MAX = 3;
const LARGE_N = 1_000_000;

export const LOADS = [
  { id: 'light', n: 1_000 },
  { id: 'medium', n: 10_000 },
  { id: 'heavy', n: 50_000 },
  { id: 'extreme', n: 100_000 },
] as const;

export const LOADED_WORKLOADS = ['scheduling', 'io', 'allocation'] as const;

const TITLES: Readonly<Record<ComputeWorkload, string>> = {
  scheduling: 'Scheduling',
  io: 'I/O',
  allocation: 'Allocation',
  spawn: 'Spawn and join',
  yield: 'Yield',
  channel: 'Channel',
  timer: 'Timers',
  cancel: 'Cancel',
};

function compute(program: ComputeWorkload, load: string, n: number, quick: boolean): ComputeCell {
  const perCpuSecond = program === 'timer';
  const noun = program === 'channel' ? 'messages' : program === 'yield' ? 'yields' : 'tasks';
  return {
    id: `${program}/${load}`,
    workload: program,
    load,
    kind: 'compute',
    title: TITLES[program],
    n,
    unit: perCpuSecond ? 'timers per CPU-second' : `${noun}/s`,
    better: 'higher',
    quick,
    samplesMax: n >= LARGE_N ? LARGE_SAMPLES_MAX : Number.POSITIVE_INFINITY,
    program,
    expectedChecksum: String(checksums[program](BigInt(n))),
    perCpuSecond,
  };
}

export const COMPUTE_CELLS: readonly ComputeCell[] = [
  ...LOADED_WORKLOADS.flatMap((program) =>
    LOADS.map(({ id, n }) => compute(program, id, n, id === 'light' || id === 'extreme')),
  ),
  compute('spawn', '100k', 100_000, true),
  compute('yield', '100k', 100_000, false),
  compute('channel', '100k', 100_000, true),
  compute('timer', '100k', 100_000, false),
  compute('timer', '1M', 1_000_000, false),
  compute('cancel', '100k', 100_000, false),
];
