import type { Sample } from '../model.js';
import type { ComputeCell } from '../workloads/cell.js';
import { failureOf, runProgram } from './process.js';

export interface ComputeBudget {
  readonly warmupMs: number;
  readonly measureMs: number;
}

const SAMPLE_TIMEOUT_MS = 120_000;

interface RunLine {
  readonly phase: 'first' | 'warm-up' | 'warm';
  readonly operations: number;
  readonly nanoseconds: number;
  readonly checksum: string;
}

interface EndLine {
  readonly phase: 'end';
  readonly firstCpuNanoseconds: number;
  readonly warmCpuNanoseconds: number;
  readonly peakMemoryBytes: number;
}

export class SampleError extends Error {}

/** Runs a peer once, in a fresh process. @throws SampleError when it fails or computes something else. */
export async function takeComputeSample(
  cell: ComputeCell,
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
  budget: ComputeBudget,
  round: number,
): Promise<Sample> {
  const finished = await runProgram(
    [...command, cell.program, String(cell.n), String(budget.warmupMs), String(budget.measureMs)],
    { environment, timeoutMs: SAMPLE_TIMEOUT_MS },
  );
  if (finished.code !== 0) throw new SampleError(failureOf(finished));
  return readComputeSample(cell, finished.stdout, round);
}

/** The peer's protocol (bench/peers/README.md) -> a sample. @throws SampleError */
export function readComputeSample(cell: ComputeCell, stdout: string, round: number): Sample {
  const runs: RunLine[] = [];
  let end: EndLine | null = null;
  for (const line of stdout.split('\n')) {
    if (line === '') continue;
    let parsed: RunLine | EndLine;
    try {
      parsed = JSON.parse(line) as RunLine | EndLine;
    } catch {
      throw new SampleError(`the peer printed something else than its protocol: ${line.slice(0, 80)}`);
    }
    if (parsed.phase === 'end') end = parsed;
    else runs.push(parsed);
  }
  if (end === null) throw new SampleError('the peer ended without its last line');
  for (const run of runs) {
    if (run.operations !== cell.n || run.checksum !== cell.expectedChecksum) {
      throw new SampleError(
        `wrong result: ${run.operations} operations with checksum ${run.checksum}, expected ${cell.n} with ${cell.expectedChecksum}`,
      );
    }
  }
  const first = runs.find((run) => run.phase === 'first');
  const warm = runs.filter((run) => run.phase === 'warm');
  if (first === undefined || warm.length === 0) throw new SampleError('the peer gave no first or no warm run');

  let warmNs = 0;
  let slowestNs = 0;
  for (const run of warm) {
    warmNs += run.nanoseconds;
    slowestNs = Math.max(slowestNs, run.nanoseconds);
  }
  const operations = warm.length * cell.n;
  // Work over time, not a median of runs: a pause of the collector in one run out of ten is part of the cost.
  const warmBasisNs = cell.perCpuSecond ? end.warmCpuNanoseconds : warmNs;
  const firstBasisNs = cell.perCpuSecond ? end.firstCpuNanoseconds : first.nanoseconds;
  return {
    round,
    value: operations / (warmBasisNs / 1e9),
    first: cell.n / (firstBasisNs / 1e9),
    wallSeconds: warmNs / 1e9,
    cpuSeconds: end.warmCpuNanoseconds / 1e9,
    cpuNsPerOperation: end.warmCpuNanoseconds / operations,
    peakMemoryBytes: end.peakMemoryBytes,
    extras: {
      warmRuns: warm.length,
      meanRunMs: warmNs / warm.length / 1e6,
      slowestRunMs: slowestNs / 1e6,
    },
  };
}
