// How the figures were made, in the words of the report: [what, how].

import { formatBytes } from '../format.js';
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
      'Echo',
      '64 connections, closed loop, on loopback. The figure is messages per CPU-second of the server process (all its threads), since the load generator shares the machine.',
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
    ['Ratio', 'is to the better of Tokio’s two runtimes in the same cell of the same run.'],
  ];
}

function versionsOf(report: RunReport): string[] {
  return [...new Set(report.contestants.map(({ version }) => version))].filter((version) => version !== '');
}
