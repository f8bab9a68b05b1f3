import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Sample } from '../model.js';
import type { EchoCell } from '../workloads/catalog.js';
import { SampleError } from './compute-sample.js';
import type { Pinning } from './pinning.js';
import { collect, failureOf, runProgram } from './process.js';

export interface EchoBudget {
  readonly warmupSeconds: number;
  readonly seconds: number;
}

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 3_000;

interface LoadResult {
  readonly seconds: number;
  readonly messages: number;
  readonly messagesPerSecond: number;
  readonly loadCpuSeconds: number;
  readonly serverCpuSeconds: number;
  readonly latencyMicroseconds: Readonly<Record<'p50' | 'p90' | 'p99' | 'p999' | 'max', number>>;
}

/** Starts a server in a fresh process, loads it, and ends it. @throws SampleError */
export async function takeEchoSample(
  cell: EchoCell,
  server: readonly string[],
  environment: NodeJS.ProcessEnv,
  load: readonly string[],
  pinning: Pinning,
  budget: EchoBudget,
  round: number,
): Promise<Sample> {
  const [program = '', ...words] = [...server, 'echo'];
  const child = spawn(program, words, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
  // A server that died shows in its exit; a failed write to its closed input must not end the runner.
  child.stdin.on('error', () => {});
  const output = collect(child);
  try {
    const port = await portOf(child, output);
    const pid = child.pid;
    if (pid === undefined) throw new SampleError('the server has no process id');
    const finished = await runProgram(
      [
        ...pinning.load(load),
        ...['--port', String(port), '--server-pid', String(pid)],
        ...['--connections', String(cell.connections), '--bytes', String(cell.messageBytes)],
        ...['--in-flight', String(cell.inFlight), '--seconds', String(budget.seconds)],
        ...['--warmup', String(budget.warmupSeconds)],
      ],
      { timeoutMs: (budget.seconds + budget.warmupSeconds) * 1_000 + 20_000 },
    );
    if (finished.code !== 0) throw new SampleError(`load generator: ${failureOf(finished)}`);
    const result = JSON.parse(finished.stdout) as LoadResult;
    const peakMemoryBytes = await peakMemoryOf(pid);
    await stop(child);
    return sampleOf(result, peakMemoryBytes, countersIn(output().stdout), round);
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

function sampleOf(
  result: LoadResult,
  peakMemoryBytes: number,
  counters: Readonly<Record<string, number>>,
  round: number,
): Sample {
  const latency = result.latencyMicroseconds;
  return {
    round,
    value: result.messages / result.serverCpuSeconds,
    first: null,
    wallSeconds: result.seconds,
    cpuSeconds: result.serverCpuSeconds,
    cpuNsPerOperation: (result.serverCpuSeconds * 1e9) / result.messages,
    peakMemoryBytes,
    extras: {
      messagesPerSecond: result.messagesPerSecond,
      p50Us: latency.p50,
      p99Us: latency.p99,
      p999Us: latency.p999,
      loadCpuShare: result.loadCpuSeconds / result.seconds,
      ...counters,
    },
  };
}

/** Waits for the port that a server prints as its first line. */
function portOf(child: ChildProcess, output: () => { stdout: string; stderr: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const alarm = setTimeout(() => reject(new SampleError('the server printed no port')), START_TIMEOUT_MS);
    const look = () => {
      const match = /^(\d+)\n/.exec(output().stdout);
      if (match === null) return;
      clearTimeout(alarm);
      resolve(Number(match[1]));
    };
    child.stdout?.on('data', look);
    child.once('error', (error) => {
      clearTimeout(alarm);
      reject(new SampleError(error.message));
    });
    child.once('close', (code, signal) => {
      clearTimeout(alarm);
      reject(new SampleError(`the server ended early: ${failureOf({ code, signal, ...output(), timedOut: false })}`));
    });
  });
}

/** Closes the server's standard input, which is its sign to end, and waits until its output is complete. */
function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const alarm = setTimeout(() => {
      child.kill('SIGKILL');
      resolve();
    }, STOP_TIMEOUT_MS);
    child.once('close', () => {
      clearTimeout(alarm);
      resolve();
    });
    child.stdin?.end();
  });
}

async function peakMemoryOf(pid: number): Promise<number> {
  try {
    const match = /^VmHWM:\s*(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
    return match === null ? 0 : Number(match[1]) * 1024;
  } catch {
    return 0;
  }
}

/** The counters that a server may print after its port: a JSON object whose numbers are kept. */
export function countersIn(stdout: string): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const line of stdout.split('\n').slice(1)) {
    if (!line.startsWith('{')) continue;
    for (const [name, value] of Object.entries(JSON.parse(line) as Record<string, unknown>)) {
      if (typeof value === 'number' && Number.isFinite(value)) counters[name] = value;
    }
  }
  return counters;
}
