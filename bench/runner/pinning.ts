import { readFileSync } from 'node:fs';
import { runProgram } from './process.js';

/** Where processes run. With two cores the measured program has the first and what drives it has the second. */
export interface Pinning {
  readonly description: string;
  /** Puts in front of a command what pins it. */
  measured(command: readonly string[], cores: 'one' | 'all'): string[];
  load(command: readonly string[]): string[];
}

/** `0-2,5` as the kernel writes it -> [0, 1, 2, 5] */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const part of text.trim().split(',')) {
    const [from, to] = part.split('-');
    const first = Number.parseInt(from ?? '', 10);
    const last = to === undefined ? first : Number.parseInt(to, 10);
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}

function allowedCpus(): number[] {
  try {
    const match = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return parseCpuList(match?.[1] ?? '');
  } catch {
    return [];
  }
}

function unpinned(description: string): Pinning {
  return {
    description,
    measured: (command) => [...command],
    load: (command) => [...command],
  };
}

export async function choosePinning(wanted: boolean): Promise<Pinning> {
  if (!wanted) return unpinned('none (asked for by --no-pin)');
  const cpus = allowedCpus();
  const [first, second] = cpus;
  if (first === undefined || second === undefined) return unpinned('none (fewer than two cores, or not Linux)');
  const probe = await runProgram(['taskset', '-c', String(first), 'true'], { timeoutMs: 5_000 });
  if (probe.code !== 0) return unpinned('none (taskset is missing: apt-get install util-linux)');
  // The runner itself only waits while a sample runs, but what it does must not be on the measured core.
  await runProgram(['taskset', '-a', '-c', '-p', String(second), String(process.pid)], { timeoutMs: 5_000 });
  const all = cpus.join(',');
  return {
    description:
      `single-threaded runtimes and echo servers on core ${first}, load generator and runner on core ${second}; ` +
      `Tokio multi_thread and Go (compute) on cores ${all}`,
    measured: (command, cores) => ['taskset', '-c', cores === 'one' ? String(first) : all, ...command],
    load: (command) => ['taskset', '-c', String(second), ...command],
  };
}
