import { preparers } from '../contestants/prepare.js';
import type { LatencyCell } from '../workloads/cell.js';
import { SampleError } from './compute-sample.js';
import type { EchoResult, LoadGenerator } from './load.js';
import { Server } from './server.js';
import { type LoadBudget, measure } from './warm-up.js';

const RUNS = 3;

/**
 * The messages a second that node:net echoes at most under the connections of `cell`: the median of three fresh processes.
 * null when it cannot be had.
 */
export async function saturatingRate(
  cell: LatencyCell,
  generator: LoadGenerator,
  budget: LoadBudget,
): Promise<number | null> {
  const node = await preparers.node(() => {});
  if (!node.ok) return null;
  const rates: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    let server: Server | null = null;
    try {
      server = await Server.start(generator.pinning.measured([...node.command, 'echo'], 'one'), process.env);
      const load = { connections: cell.connections, bytes: cell.messageBytes };
      const result = await measure<EchoResult>('echo', load, server, generator, budget);
      rates.push(result.messagesPerSecond);
    } catch (error) {
      if (!(error instanceof SampleError)) throw error;
    } finally {
      server?.kill();
    }
  }
  return rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)] ?? null;
}
