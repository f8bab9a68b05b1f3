// The load generator's command line and what it prints (bench/load/README.md).
import type { GeneratorLimit } from '../model.js';
import { SampleError } from './compute-sample.js';
import type { Pinning } from './pinning.js';
import { failureOf, runProgram } from './process.js';
import type { Server } from './server.js';
import type { Wrk } from './wrk.js';

export interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Window {
  readonly seconds: number;
  readonly loadCpuSeconds: number;
  readonly serverCpuSeconds: number;
}

/** Of `echo` and `udp`, closed or open loop. */
export interface EchoResult extends Window {
  readonly messages: number;
  readonly messagesPerSecond: number;
  readonly latencyMicroseconds: Latencies;
}

export interface OpenLoopResult extends EchoResult {
  readonly rate: number;
  readonly scheduled: number;
  readonly unanswered: number;
  readonly latenessMicroseconds: Latencies;
  readonly generatorLimited: boolean;
}

export interface UdpResult extends EchoResult {
  readonly lost: number;
}

export interface ChurnResult extends Window {
  readonly connections: number;
  readonly connectionsPerSecond: number;
  readonly latencyMicroseconds: Latencies;
}

/** Of `http`, closed loop. */
export interface HttpResult extends Window {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly latencyMicroseconds: Latencies;
}

export interface HttpOpenLoopResult extends HttpResult {
  readonly unanswered: number;
  readonly latenessMicroseconds: Latencies;
  readonly generatorLimited: boolean;
}

export interface HttpRoundsResult extends HttpResult {
  readonly rounds: number;
  readonly firstRoundPerSecond: number;
}

export interface HttpSteadyResult extends HttpResult {
  readonly failures: number;
}

interface Memory {
  readonly rssBytes: number;
}

export interface IdleResult {
  readonly openSeconds: number;
  readonly memory: { readonly before: Memory; readonly open: Memory };
}

export interface BusyResult extends IdleResult {
  readonly busy: { readonly alone: EchoResult; readonly beside: EchoResult; readonly ratioPerServerCpuSecond: number };
}

export interface LoadGenerator {
  readonly command: readonly string[];
  readonly pinning: Pinning;
  /** Drives what it can, where it is to; null: our own generator drives all. */
  readonly wrk: Wrk | null;
}

export type Mode = 'echo' | 'udp' | 'http' | 'churn' | 'idle' | 'calibrate';
export type LoadOptions = Readonly<Record<string, string | number>>;

// Beside the measured window: opening connections, draining, settling.
const EXTRA_TIMEOUT_MS = 60_000;

/** Runs the generator against `server`. `asked`: what it asks for over HTTP. @throws SampleError */
export function runLoad<T>(
  generator: LoadGenerator,
  mode: Mode,
  server: Server,
  options: LoadOptions,
  asked: readonly string[] = [],
): Promise<T> {
  return run<T>(generator, mode, { port: server.port, 'server-pid': server.pid, ...options }, asked);
}

/** What the generator itself can do on this machine. @throws SampleError */
export async function generatorLimits(generator: LoadGenerator, seconds: number): Promise<readonly GeneratorLimit[]> {
  const { limits } = await run<{ limits: GeneratorLimit[] }>(generator, 'calibrate', { seconds });
  return limits.map(({ what, perSecond, perLoadCpuSecond }) => ({ what, perSecond, perLoadCpuSecond }));
}

async function run<T>(
  { command, pinning }: LoadGenerator,
  mode: Mode,
  options: LoadOptions,
  asked: readonly string[] = [],
): Promise<T> {
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const finished = await runProgram(pinning.load([...command, mode, ...words, ...asked]), {
    timeoutMs: EXTRA_TIMEOUT_MS,
  });
  if (finished.code !== 0) throw new SampleError(`load generator: ${failureOf(finished)}`);
  return JSON.parse(finished.stdout) as T;
}
