import type { CellKind } from '../model.js';
import { type ComputeWorkload, checksums } from './checksums.js';

/** One workload at one load: a row of every table. */
export interface Cell {
  readonly id: string;
  readonly workload: string;
  readonly load: string;
  readonly kind: CellKind;
  readonly title: string;
  /** Operations of one run (compute), or bytes of a message (echo). */
  readonly n: number;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly quick: boolean;
  /** A cell whose every sample takes long is sampled in the first rounds only. */
  readonly samplesMax: number;
}

/** A million tasks at once take seconds, and in some runtimes gigabytes. */
const LARGE_SAMPLES_MAX = 3;
const LARGE_N = 1_000_000;

export interface ComputeCell extends Cell {
  readonly kind: 'compute';
  readonly program: ComputeWorkload;
  readonly expectedChecksum: string;
  /** The sleeps' own length bounds the wall time of `timer`, so its figure is operations per CPU-second. */
  readonly perCpuSecond: boolean;
}

export interface EchoCell extends Cell {
  readonly kind: 'echo';
  readonly messageBytes: number;
  readonly inFlight: number;
  readonly connections: number;
}

export interface ImportCell extends Cell {
  readonly kind: 'import';
}

export type AnyCell = ComputeCell | EchoCell | ImportCell;

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

function echo(load: string, messageBytes: number, inFlight: number): EchoCell {
  return {
    id: `echo/${load}`,
    workload: 'echo',
    load,
    kind: 'echo',
    title: 'TCP echo',
    n: messageBytes,
    unit: 'messages per server CPU-second',
    better: 'higher',
    quick: true,
    samplesMax: Number.POSITIVE_INFINITY,
    messageBytes,
    inFlight,
    connections: 64,
  };
}

const importCell: ImportCell = {
  id: 'import/millrace',
  workload: 'import',
  load: 'millrace',
  kind: 'import',
  title: "import 'millrace'",
  n: 1,
  unit: 'ms',
  better: 'lower',
  quick: true,
  samplesMax: Number.POSITIVE_INFINITY,
};

export const CELLS: readonly AnyCell[] = [
  ...LOADED_WORKLOADS.flatMap((program) =>
    LOADS.map(({ id, n }) => compute(program, id, n, id === 'light' || id === 'extreme')),
  ),
  compute('spawn', '100k', 100_000, true),
  compute('yield', '100k', 100_000, false),
  compute('channel', '100k', 100_000, true),
  compute('timer', '100k', 100_000, false),
  compute('timer', '1M', 1_000_000, false),
  compute('cancel', '100k', 100_000, false),
  echo('64B', 64, 1),
  echo('64Bx16', 64, 16),
  echo('16KiB', 16_384, 1),
  importCell,
];

export const WORKLOADS: readonly string[] = [...new Set(CELLS.map((cell) => cell.workload))];
