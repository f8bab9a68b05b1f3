import { preparers } from '../contestants/prepare.js';
import type { HttpLatencyCell, LatencyCell } from '../workloads/cell.js';
import { requestWords } from '../workloads/http-requests.js';
import { SampleError } from './compute-sample.js';
import type { EchoResult, HttpResult, LoadGenerator } from './load.js';
import { Server } from './server.js';
import { type LoadBudget, measure } from './warm-up.js';

const RUNS = 3;

/**
 * The messages a second that node:net echoes at most under the connections of `cell`, or the requests a second that node:http
 * answers: the median of three fresh processes. null when it cannot be had.
 */
export async function saturatingRate(
  cell: LatencyCell | HttpLatencyCell,
  generator: LoadGenerator,
  budget: LoadBudget,
): Promise<number | null> {
  const node = await preparers.node(() => {});
  if (!node.ok) return null;
  const name = cell.kind === 'latency' ? 'echo' : 'http';
  const rates: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    let server: Server | null = null;
    try {
      server = await Server.start(generator.pinning.measured([...node.command, name], 'one'), process.env);
      rates.push(await rateOf(cell, server, generator, budget));
    } catch (error) {
      if (!(error instanceof SampleError)) throw error;
    } finally {
      server?.kill();
    }
  }
  return rates.sort((a, b) => a - b)[Math.floor(rates.length / 2)] ?? null;
}

async function rateOf(
  cell: LatencyCell | HttpLatencyCell,
  server: Server,
  generator: LoadGenerator,
  budget: LoadBudget,
): Promise<number> {
  const { connections } = cell;
  if (cell.kind === 'http-latency') {
    const asked = requestWords(cell.asked);
    return (await measure<HttpResult>('http', { connections }, server, generator, budget, asked)).requestsPerSecond;
  }
  const load = { connections, bytes: cell.messageBytes };
  return (await measure<EchoResult>('echo', load, server, generator, budget)).messagesPerSecond;
}
