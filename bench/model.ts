// What a run produces, in the shape in which it is saved (`--json`, `--save-baseline`) and given to analysis and report.
import type { Summary } from './stats/summary.js';

export const SCHEMA_VERSION = 1;

export type HttpKind = 'http' | 'http-app' | 'http-latency' | 'http-idle' | 'http-rounds' | 'http-steady';
export type CellKind =
  | 'compute'
  | 'echo'
  | 'udp'
  | 'churn'
  | 'idle'
  | 'busy'
  | 'latency'
  | 'client'
  | 'import'
  | HttpKind;
export type Family = 'tokio' | 'millrace' | 'go' | 'bun' | 'node' | 'deno' | 'c';

/** One measure in one fresh process. */
export interface Sample {
  readonly round: number;
  /** In the cell's unit: operations/s, messages per CPU-second, milliseconds. */
  readonly value: number;
  /** The first, cold run in the same unit; null where there is none. */
  readonly first: number | null;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** null where there are no operations. */
  readonly cpuNsPerOperation: number | null;
  readonly peakMemoryBytes: number;
  /** Further measures by name, e.g. `p99Us`. */
  readonly extras: Readonly<Record<string, number>>;
}

export interface ContestantResult {
  readonly contestant: string;
  readonly samples: readonly Sample[];
  readonly failures: readonly string[];
  /** null when every sample failed. */
  readonly value: Summary | null;
  readonly first: Summary | null;
  readonly cpuNsPerOperation: Summary | null;
  /** CPU seconds for each second of wall time: 1 is one busy core. */
  readonly cpuShare: Summary | null;
  readonly peakMemoryBytes: Summary | null;
  readonly extras: Readonly<Record<string, Summary>>;
}

export interface CellReport {
  readonly id: string;
  readonly workload: string;
  readonly load: string;
  readonly kind: CellKind;
  readonly title: string;
  readonly n: number;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Who has loaded the servers over HTTP: `wrk` with its version, or `own`. Absent in other cells. */
  readonly generator?: string;
  readonly results: readonly ContestantResult[];
}

export interface ContestantInfo {
  readonly id: string;
  readonly label: string;
  readonly family: Family;
  readonly version: string;
  readonly cores: string;
}

export interface NotRun {
  readonly id: string;
  readonly label: string;
  readonly reason: string;
  readonly how: string;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly platform: string;
  readonly pinning: string;
  /** The one-minute load average when the run began: above 0.5 something else was running. */
  readonly loadAverage: number;
}

/** What the load generator itself can do here, against a server of its own: above it a figure is the generator's. */
export interface GeneratorLimit {
  readonly what: string;
  readonly perSecond: number;
  readonly perLoadCpuSecond: number;
}

export interface RunReport {
  readonly schema: typeof SCHEMA_VERSION;
  readonly date: string;
  readonly mode: 'quick' | 'full';
  readonly durationSeconds: number;
  readonly samplesWanted: number;
  readonly roundsDone: number;
  readonly machine: Machine;
  readonly contestants: readonly ContestantInfo[];
  readonly notRun: readonly NotRun[];
  readonly cells: readonly CellReport[];
  /** Absent where no server was loaded, and in quick runs. */
  readonly generatorLimits?: readonly GeneratorLimit[];
  /** The servers whose clients were measured, with their versions. */
  readonly services?: readonly string[];
}
