import { cpus, loadavg, release, type as systemName, totalmem } from 'node:os';
import type { Machine } from '../model.js';

export function describeMachine(pinning: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    // All of them: availableParallelism() would count the runner's own, which is pinned.
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: `${systemName()} ${release()}`,
    platform: `${process.platform}-${process.arch}`,
    pinning,
    loadAverage: loadavg()[0] ?? 0,
  };
}
