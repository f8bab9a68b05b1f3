// How the figures were made, in the words of the report: [what, how].

import { formatBytes, formatCount } from '../format.js';
import type { RunReport } from '../model.js';
import { formatDuration } from '../runner/progress.js';

export function methodOf(report: RunReport): [string, string][] {
  const { machine } = report;
  return [
    [
      'Machine',
      `${machine.cpu}, ${machine.cores} cores, ${formatBytes(machine.memoryBytes)}, ${machine.kernel}, ${machine.platform}. Load average at the start: ${machine.loadAverage.toFixed(2)}${machine.loadAverage > 0.5 ? ' (something else was running: take the figures with care)' : ''}.`,
    ],
    ['Runtimes', `${versionsOf(report).join('; ')}.`],
    [
      'Samples',
      `${report.roundsDone} of ${report.samplesWanted} rounds, ${formatDuration(report.durationSeconds)} in all. Each round goes through all cells and takes one sample of every runtime in turn; who is first rotates. Each sample is a fresh process.`,
    ],
    [
      'A figure',
      'is the median over the samples; ± is 1.48 times the median absolute deviation, or half the range below five samples. A sample is work over time of all warm runs in its process, so that pauses count. The first run (cold code, cold memory) is kept apart. No figure is corrected, and none is left out.',
    ],
    ['Cores', `${machine.pinning}.`],
    [
      'Same work',
      'Every compute run adds up to a checksum that is known beforehand; a sample with another is a failure. Echoes are compared byte by byte. Programs are under bench/peers, each written in its runtime’s own idiom.',
    ],
    [
      'Servers',
      '64 connections, closed loop, on loopback. Before it is measured each server works for a while, counted in its own CPU time. The figure is messages per CPU-second of the server process (all its threads), since the load generator shares the machine; bytes, one direction, where messages are 16 KiB or more. UDP: 64 sockets with one or four datagrams each in flight; what is not back in 0.2 s is lost and counts for nothing. Accept and close: the server closes first.',
    ],
    [
      'Idle memory',
      'is what the resident set grows by with 10,000 connections that have sent and got one message each and then fall silent, divided by them; 100 others had come and gone before. Beside it the same with garbage collections asked for all the while (global.gc, Bun.gc, debug.FreeOSMemory), in another process. Busy among idle: the load generator measures 100 connections alone, opens 9,900 that stay idle, and measures the 100 again, in one process of the server.',
    ],
    ['Latency', latencyMethod(report)],
    ...httpMethod(report),
    [
      'Clients',
      `The servers are started for the run and share the load generator’s core; nothing is written.${report.services === undefined ? '' : ` ${report.services.join(', ')}.`}`,
    ],
    ['Timers', 'The sleeps themselves last up to 100 ms, so the figure is timers per CPU-second.'],
    [
      'Yield',
      'is what gives other tasks and I/O a turn: yield_now, Gosched, setImmediate, yieldNow. Node and Bun have no tasks: calling an async function is their spawn.',
    ],
    [
      'Allocation',
      'uses what each runtime’s users have: malloc through Vec, Go’s and V8’s and JavaScriptCore’s heaps, Millrace’s BufferPool. Every buffer must be zero when it comes and is dirty when it goes.',
    ],
    [
      'Ratio',
      'is to the better of Tokio’s two runtimes in the same cell of the same run; for clients to node:net, which pg and ioredis use by themselves; over HTTP to node:http, for a static route to a fixed reply in C on io_uring, for an app to the same app on Node.',
    ],
    ...generatorMethod(report),
  ];
}

function generatorMethod({ generatorLimits }: RunReport): [string, string][] {
  if (generatorLimits === undefined || generatorLimits.length === 0) return [];
  const limits = generatorLimits.map(
    ({ what, perSecond, perLoadCpuSecond }) =>
      `${what}: ${formatCount(perSecond)}/s, ${formatCount(perLoadCpuSecond)} for each of its CPU-seconds`,
  );
  return [['Load generator', `its own limits here, against a server of its own. ${limits.join('; ')}.`]];
}

function httpMethod(report: RunReport): [string, string][] {
  if (!report.cells.some(({ workload }) => workload.startsWith('http'))) return [];
  const rate = rateAt(report, 'http-latency/same-rate');
  return [
    [
      'HTTP',
      `${generators(report)} A figure is requests (or bytes of body) per CPU-second of the server. Handlers read method and path and build their replies; the two fixed replies, on Tokio and in C on io_uring, look for empty lines and know no HTTP. What is compiled while it runs is warmed up for twice the CPU time of the others, frameworks for three times.`,
    ],
    [
      'HTTP latency',
      `As for messages, at half of what node:http reached${rate === null ? '' : ` (${formatCount(rate)} requests/s in this run)`}.`,
    ],
    [
      'HTTP scenarios',
      'run over and over in a warm process; a round counts from its first connection to its last reply. The first round is the first that the process ever answers.',
    ],
  ];
}

/** Who has driven which cells, as their headings say too. */
function generators(report: RunReport): string {
  const own =
    'Our own load generator reads the server’s CPU clock at the edges of the window, and compares status and body of every reply byte by byte.';
  const cells = report.cells.filter(({ generator }) => generator !== undefined && generator !== 'own');
  const [first] = cells;
  if (first === undefined) return own;
  return `${cells.map(({ title, load }) => `${title}, ${load}`).join('; ')}: by ${first.generator}, for whole seconds and on the core of our own generator, which has warmed the server up before and has checked its replies; wrk counts its requests, and the server’s CPU clock is read before wrk begins and when it has ended. Through wrk a pipelined latency is that of the whole pipeline. All other cells: ${own.charAt(0).toLowerCase()}${own.slice(1)}`;
}

function rateAt(report: RunReport, id: string): number | null {
  const cell = report.cells.find((candidate) => candidate.id === id);
  const result = cell?.results.find(({ extras }) => extras.ratePerSecond !== undefined);
  return result?.extras.ratePerSecond?.median ?? null;
}

function latencyMethod(report: RunReport): string {
  const rate = rateAt(report, 'latency/same-rate');
  const common = rate === null ? '' : ` (${formatCount(rate)} messages/s in this run)`;
  return `Each server first runs a closed loop, which tells its saturating rate; then an open loop with a Poisson schedule over the same 64 connections. The same rate for all is half of what node:net reached in three processes before the first round${common}. A latency counts from the time at which the schedule wanted the message sent, so nothing is lost to coordinated omission; how late the load generator itself was is in the table.`;
}

function versionsOf(report: RunReport): string[] {
  return [...new Set(report.contestants.map(({ version }) => version))].filter((version) => version !== '');
}
