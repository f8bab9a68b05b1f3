import type { Sample } from '../model.js';
import type { ClientCell } from '../workloads/cell.js';
import { SampleError } from './compute-sample.js';
import { failureOf, runProgram } from './process.js';
import type { LoadBudget } from './warm-up.js';

interface ClientResult {
  readonly operations: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

const SAMPLE_TIMEOUT_MS = 60_000;

/** A client of a real server, in a fresh process: requests per CPU-second of the client. @throws SampleError */
export async function takeClientSample(
  cell: ClientCell,
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
  port: number,
  { warmupSeconds, seconds: measuredSeconds }: LoadBudget,
  round: number,
): Promise<Sample> {
  const finished = await runProgram(
    [...command, 'client', cell.service, ...[port, warmupSeconds * 1_000, measuredSeconds * 1_000].map(String)],
    { environment, timeoutMs: SAMPLE_TIMEOUT_MS },
  );
  if (finished.code !== 0) throw new SampleError(failureOf(finished));
  const { operations, seconds, cpuSeconds, peakMemoryBytes } = JSON.parse(finished.stdout) as ClientResult;
  if (!(operations > 0)) throw new SampleError('no request was answered');
  return {
    round,
    value: operations / cpuSeconds,
    first: null,
    wallSeconds: seconds,
    cpuSeconds,
    cpuNsPerOperation: (cpuSeconds * 1e9) / operations,
    peakMemoryBytes,
    extras: { messagesPerSecond: operations / seconds },
  };
}
