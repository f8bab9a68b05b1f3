// A made-up run, for tests of what is computed from one.
import type { CellReport, ContestantInfo, RunReport, Sample } from '../../bench/model.js';
import { resultOf } from '../../bench/runner/run.js';
import { CELLS } from '../../bench/workloads/catalog.js';
import type { AnyCell } from '../../bench/workloads/cell.js';

export interface Made {
  /** The value of each sample. */
  readonly values: readonly number[];
  readonly first?: number;
  /** CPU seconds for each second of wall time. Default 1. */
  readonly cpuShare?: number;
  readonly cpuNsPerOperation?: number | null;
  readonly peakMemoryBytes?: number;
  readonly extras?: Readonly<Record<string, number>>;
  readonly failures?: readonly string[];
}

export function cellNamed(id: string): AnyCell {
  const cell = CELLS.find((candidate) => candidate.id === id);
  if (cell === undefined) throw new Error(`no cell ${id}`);
  return cell;
}

/** A cell with these results: contestant -> what it measured. */
export function madeCell(id: string, results: Readonly<Record<string, Made>>): CellReport {
  const { workload, load, kind, title, n, unit, better } = cellNamed(id);
  return {
    ...{ id, workload, load, kind, title, n, unit, better },
    results: Object.entries(results).map(([contestant, made]) =>
      resultOf(contestant, {
        samples: made.values.map((value, round) => madeSample(value, round, made)),
        failures: [...(made.failures ?? [])],
      }),
    ),
  };
}

function madeSample(value: number, round: number, made: Made): Sample {
  return {
    round,
    value,
    first: made.first ?? null,
    wallSeconds: 0.5,
    cpuSeconds: 0.5 * (made.cpuShare ?? 1),
    cpuNsPerOperation: made.cpuNsPerOperation === undefined ? 1e9 / value : made.cpuNsPerOperation,
    peakMemoryBytes: made.peakMemoryBytes ?? 10 * 1_048_576,
    extras: made.extras ?? {},
  };
}

export function madeReport(cells: readonly CellReport[], changes: Partial<RunReport> = {}): RunReport {
  const ids = [...new Set(cells.flatMap((cell) => cell.results.map(({ contestant }) => contestant)))];
  return {
    schema: 1,
    date: '2026-11-21T03:07:53.861Z',
    mode: 'full',
    durationSeconds: 320,
    samplesWanted: 3,
    roundsDone: 3,
    machine: {
      cpu: 'Test CPU',
      cores: 2,
      memoryBytes: 8 * 1_073_741_824,
      kernel: 'Linux 6.1',
      platform: 'linux-x64',
      pinning: 'none',
      loadAverage: 0.1,
    },
    contestants: ids.map(infoFor),
    notRun: [],
    cells,
    ...changes,
  };
}

function infoFor(id: string): ContestantInfo {
  const family = id.startsWith('tokio') ? 'tokio' : id.startsWith('millrace') ? 'millrace' : 'node';
  return { id, label: id, family, version: `${family} 1.0`, cores: 'one core' };
}
