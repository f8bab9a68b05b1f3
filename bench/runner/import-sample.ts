import type { Sample } from '../model.js';
import { SampleError } from './compute-sample.js';
import { failureOf, runProgram } from './process.js';

interface ImportResult {
  readonly milliseconds: number;
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
}

/** What importing the package costs a fresh process beyond bare Node. @throws SampleError */
export async function takeImportSample(
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
  round: number,
): Promise<Sample> {
  const finished = await runProgram(command, { environment, timeoutMs: 30_000 });
  if (finished.code !== 0) throw new SampleError(failureOf(finished));
  const result = JSON.parse(finished.stdout) as ImportResult;
  return {
    round,
    value: result.milliseconds,
    first: null,
    wallSeconds: result.milliseconds / 1e3,
    cpuSeconds: result.cpuSeconds,
    cpuNsPerOperation: result.cpuSeconds * 1e9,
    peakMemoryBytes: result.memoryBytes,
    extras: {},
  };
}
