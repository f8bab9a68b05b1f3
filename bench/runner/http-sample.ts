// One sample of an HTTP server: a fresh process under the load of the cell.
import type { Sample } from '../model.js';
import type { HttpCell, HttpLatencyCell, HttpRoundsCell, HttpServerCell, HttpSteadyCell } from '../workloads/cell.js';
import { requestWords } from '../workloads/http-requests.js';
import { takeIdleSample } from './idle-sample.js';
import {
  type HttpOpenLoopResult,
  type HttpResult,
  type HttpRoundsResult,
  type HttpSteadyResult,
  runLoad,
} from './load.js';
import {
  halfOf,
  latencyExtras,
  loadShare,
  type Measured,
  openLoopMeasured,
  openLoopOptions,
  perCpuSecond,
  type ServerSampleOptions,
  withServer,
} from './measured.js';
import type { Server } from './server.js';
import { measure, warmUp } from './warm-up.js';
import { isForWrk, loadByWrk } from './wrk.js';

/** Many connections from one address would leave too few ports. */
const SOURCES = 64;
const SHORTEST_SECONDS = 0.01;

/** @throws SampleError */
export async function takeHttpSample(cell: HttpServerCell, options: ServerSampleOptions): Promise<Sample> {
  const asked = requestWords(cell.asked);
  if (cell.kind === 'http-idle') return takeIdleSample(cell.server, cell.connections, asked, options);
  return withServer(cell.server, options, (server) => {
    switch (cell.kind) {
      case 'http-latency':
        return latency(cell, asked, server, options);
      case 'http-rounds':
        return rounds(cell, asked, server, options);
      case 'http-steady':
        return steady(cell, asked, server, options);
      default:
        return closed(cell, asked, server, options);
    }
  });
}

async function closed(
  cell: HttpCell,
  asked: readonly string[],
  server: Server,
  { generator, budget }: ServerSampleOptions,
): Promise<Measured> {
  const load = { connections: cell.connections, 'in-flight': cell.inFlight };
  let result: HttpResult;
  if (generator.wrk !== null && isForWrk(cell)) {
    await warmUp('http', load, server, generator, budget, asked);
    result = await loadByWrk(cell, server, generator, budget.seconds);
  } else {
    result = await measure<HttpResult>('http', load, server, generator, budget, asked);
  }
  return {
    ...perCpuSecond(result, result.requests, cell.bodyBytes === 0 ? 1 : cell.bodyBytes),
    extras: { messagesPerSecond: result.requestsPerSecond, ...loadShare(result), ...latencyExtras(result) },
  };
}

async function latency(
  cell: HttpLatencyCell,
  asked: readonly string[],
  server: Server,
  { generator, budget, commonRate }: ServerSampleOptions,
): Promise<Measured> {
  const load = { connections: cell.connections };
  // At the same rate for all, too: it warms the server up, and the same way for all.
  const own = await measure<HttpResult>('http', load, server, generator, budget, asked);
  const saturating = cell.rateOf === 'own' ? own.requestsPerSecond : commonRate;
  const rate = halfOf(saturating, 'node:http');
  const open = { ...load, ...openLoopOptions(rate, budget) };
  const result = await runLoad<HttpOpenLoopResult>(generator, 'http', server, open, asked);
  return openLoopMeasured(result, result.requests, {
    messagesPerSecond: result.requestsPerSecond,
    saturatingPerSecond: own.requestsPerSecond,
    ratePerSecond: rate,
  });
}

async function rounds(
  cell: HttpRoundsCell,
  asked: readonly string[],
  server: Server,
  { generator, budget }: ServerSampleOptions,
): Promise<Measured> {
  const load = { connections: cell.connections, 'requests-each': cell.requestsEach, sources: SOURCES };
  // What the server has never done before is kept apart.
  const cold = { ...load, warmup: 0, seconds: SHORTEST_SECONDS };
  const first = await runLoad<HttpRoundsResult>(generator, 'http', server, cold, asked);
  const result = await measure<HttpRoundsResult>('http', load, server, generator, budget, asked);
  return {
    ...perCpuSecond(result, result.requests),
    value: result.requestsPerSecond,
    first: first.firstRoundPerSecond,
    extras: {
      messagesPerSecond: result.requestsPerSecond,
      rounds: result.rounds,
      ...loadShare(result),
      ...latencyExtras(result),
    },
  };
}

async function steady(
  cell: HttpSteadyCell,
  asked: readonly string[],
  server: Server,
  { generator, budget }: ServerSampleOptions,
): Promise<Measured> {
  await warmUp('http', { connections: cell.connections }, server, generator, budget, asked);
  const load = { interval: cell.intervalMs, warmup: 0, seconds: cell.seconds };
  const result = await runLoad<HttpSteadyResult>(generator, 'http', server, load, asked);
  return {
    ...perCpuSecond(result, result.requests),
    value: result.latencyMicroseconds.p50,
    extras: {
      requests: result.requests,
      failures: result.failures,
      messagesPerSecond: result.requestsPerSecond,
      ...loadShare(result),
      ...latencyExtras(result),
    },
  };
}
