// What limits a runtime in a cell, read from what was measured: CPU time against wall time, CPU time against the other
// Tokio runtime's, slowest run against mean run, memory across loads, first run against warm runs, spread.

import { formatBytes, formatNs, formatPercent } from '../format.js';
import type { CellReport, ContestantInfo, ContestantResult } from '../model.js';
import { relativeNoise } from '../stats/summary.js';
import { resultFor } from './ratios.js';

export type Limit = 'waiting' | 'coordination' | 'memory' | 'pauses' | 'cpu' | 'unknown';

export interface Bottleneck {
  readonly limit: Limit;
  readonly finding: string;
  readonly advice: string;
  /** What is worth knowing beside the limit: warm-up, noise. */
  readonly remarks: readonly string[];
}

const IDLE_BELOW = 0.75;
const PARALLEL_ABOVE = 1.15;
const COORDINATION_ABOVE = 1.3;
const PAUSE_ABOVE = 4;
const PAUSE_RUNS_MIN = 20;
const MEMORY_GROWTH_ABOVE = 2;
const MEMORY_BYTES_ABOVE = 64 * 1_048_576;
const COLD_BELOW = 0.5;
const NOISY_ABOVE = 0.1;

/** `cells` are the workload's cells with other loads, this one among them. */
export function bottleneckOf(
  cell: CellReport,
  result: ContestantResult,
  cells: readonly CellReport[],
  contestant: ContestantInfo | undefined,
): Bottleneck {
  return { ...limitOf(cell, result, cells, contestant), remarks: remarksOn(result) };
}

function limitOf(
  cell: CellReport,
  result: ContestantResult,
  cells: readonly CellReport[],
  contestant: ContestantInfo | undefined,
): Omit<Bottleneck, 'remarks'> {
  const share = result.cpuShare?.median;
  const cpuNs = result.cpuNsPerOperation?.median;
  if (share === undefined || cpuNs === undefined) {
    return { limit: 'unknown', finding: 'no sample succeeded', advice: 'see the failure' };
  }
  if (cell.workload === 'timer') return timerLimit(cpuNs, result);
  if (share < IDLE_BELOW) return waitingLimit(cell, share, result);
  const sibling =
    contestant?.family === 'tokio' ? resultFor(cell, 'tokio-current')?.cpuNsPerOperation?.median : undefined;
  if (share > PARALLEL_ABOVE && sibling !== undefined && cpuNs > sibling * COORDINATION_ABOVE) {
    return {
      limit: 'coordination',
      finding: `threads pay for each other: ${(cpuNs / sibling).toFixed(1)} times current_thread's CPU time for each operation, on ${share.toFixed(1)} cores`,
      advice: 'tasks this small want current_thread, or fewer and larger tasks',
    };
  }
  const growth = memoryGrowth(result, cells);
  if (growth !== null) return growth;
  const pause = pauses(result);
  if (pause !== null) return pause;
  const cores = share > PARALLEL_ABOVE ? ` on ${share.toFixed(1)} cores` : '';
  return {
    limit: 'cpu',
    finding: `CPU-bound: ${formatNs(cpuNs)} of CPU time for each operation${cores}`,
    advice: CPU_ADVICE[cell.workload] ?? 'only less work for each operation makes it faster: profile it',
  };
}

const CPU_ADVICE: Readonly<Record<string, string>> = {
  scheduling: 'the cost is resuming a task: yield less often, or give each turn more to do',
  io: 'timers end in time and the cost is bookkeeping: coalesce sleeps, or sleep longer and less often',
  allocation: 'the cost is getting and zeroing memory: pool buffers, or reuse one for each task',
  spawn: 'the cost is making a task: join work into fewer tasks',
  yield: 'the cost is one turn of the run queue',
  channel: 'the cost is one message: send batches',
  cancel: 'the cost is unwinding a task: cancel a scope, not single tasks',
  echo: 'the cost is mostly the kernel: larger messages, or more of them in flight, spread it',
  udp: 'the cost is mostly the kernel: batches of datagrams spread it',
  churn: 'the cost is making and ending a connection: keep connections alive',
  'http-plaintext': 'the cost is mostly the kernel, a write and a read for each request: pipelining spreads it',
  'http-static': 'the cost is the parser and copying the reply; the kernel’s is spread over what comes together',
  'http-json': 'the cost is parsing and writing JSON, and a turn for the body',
  'http-params': 'the cost is matching the route, and the reply',
  'http-body': 'the cost is copying bytes between the kernel and the server',
  'http-stream': 'the cost is a turn for each piece: larger pieces spread it',
  'http-app': 'the cost is the framework’s: middleware, objects for each request and reply',
  client: 'the cost is the client’s own parsing and promises, and a system call for each write: pipeline',
};

function timerLimit(cpuNs: number, result: ContestantResult): Omit<Bottleneck, 'remarks'> {
  const meanMs = result.extras.meanRunMs?.median;
  // The longest sleep is 100 ms: what a run takes beyond that is work that the CPU could not do in time.
  const late = meanMs !== undefined && meanMs > 150;
  return late
    ? {
        limit: 'cpu',
        finding: `sleeps of at most 100 ms took ${meanMs.toFixed(0)} ms: arming and waking cost ${formatNs(cpuNs)} of CPU time each`,
        advice: 'so many timers at once end late: spread them, or let one timer serve many waiters',
      }
    : {
        limit: 'waiting',
        finding: `every sleep ended about in time; ${formatNs(cpuNs)} of CPU time each`,
        advice: 'nothing to gain but CPU time',
      };
}

const CLOSED_LOOPS: ReadonlySet<string> = new Set(['echo', 'udp', 'churn', 'http', 'http-app']);

function waitingLimit(cell: CellReport, share: number, result: ContestantResult): Omit<Bottleneck, 'remarks'> {
  const finding = `waits: its CPU is busy for ${formatPercent(share)} of the time`;
  if (cell.kind === 'client') {
    return {
      limit: 'waiting',
      finding: `${finding}, for the server’s answers`,
      advice: 'more requests at once fill the wait',
    };
  }
  if (CLOSED_LOOPS.has(cell.kind)) {
    const load = result.extras.loadCpuShare?.median ?? 0;
    return {
      limit: 'waiting',
      finding: `${finding}; the load generator's for ${formatPercent(load)}`,
      advice: 'what is done for each CPU-second stays right; for the most a second add load',
    };
  }
  return {
    limit: 'waiting',
    finding,
    advice:
      cell.workload === 'io'
        ? 'the resolution of its timers sets the pace, not its speed: run more tasks at once, or use finer timers'
        : 'look for sleeping threads and late wake-ups',
  };
}

function memoryGrowth(result: ContestantResult, cells: readonly CellReport[]): Omit<Bottleneck, 'remarks'> | null {
  const smallest = [...cells].sort((a, b) => a.n - b.n)[0];
  const before = smallest && resultFor(smallest, result.contestant)?.peakMemoryBytes?.median;
  const now = result.peakMemoryBytes?.median;
  if (!before || now === undefined || now < MEMORY_BYTES_ABOVE || now < before * MEMORY_GROWTH_ABOVE) return null;
  return {
    limit: 'memory',
    finding: `memory grows with the load: ${formatBytes(before)} at ${smallest?.load}, ${formatBytes(now)} here`,
    advice: 'bound what is alive at once, or pool it: the collector or the allocator pays for the rest',
  };
}

function pauses(result: ContestantResult): Omit<Bottleneck, 'remarks'> | null {
  const mean = result.extras.meanRunMs?.median;
  const slowest = result.extras.slowestRunMs?.median;
  const runs = result.extras.warmRuns?.median;
  if (mean === undefined || slowest === undefined || runs === undefined) return null;
  if (runs < PAUSE_RUNS_MIN || slowest < mean * PAUSE_ABOVE) return null;
  return {
    limit: 'pauses',
    finding: `pauses: its slowest warm run takes ${(slowest / mean).toFixed(1)} times the mean (${slowest.toFixed(1)} ms)`,
    advice: 'garbage collection or a late wake-up: allocate less for each task, and look at the tail, not the mean',
  };
}

function remarksOn(result: ContestantResult): string[] {
  const remarks: string[] = [];
  const { value, first } = result;
  if (value === null) return remarks;
  if (first !== null && first.median < value.median * COLD_BELOW) {
    remarks.push(`the first run is ${(value.median / first.median).toFixed(1)} times slower than warm ones`);
  }
  const noise = relativeNoise(value);
  if (noise > NOISY_ABOVE) remarks.push(`spread of ±${formatPercent(noise)}: run it again on a quieter machine`);
  return remarks;
}
