// One sample of a server: a fresh process under the load of the cell.
import type { Sample } from '../model.js';
import type { BusyCell, ChurnCell, EchoCell, IdleCell, LatencyCell, ServerCell, UdpCell } from '../workloads/cell.js';
import { SampleError } from './compute-sample.js';
import {
  type BusyResult,
  type ChurnResult,
  type EchoResult,
  type IdleResult,
  type Latencies,
  type LoadGenerator,
  type OpenLoopResult,
  runLoad,
  type UdpResult,
} from './load.js';
import { Server } from './server.js';
import { LEAD_IN_SECONDS, type LoadBudget, measure, warmUp } from './warm-up.js';

export interface ServerSampleOptions {
  /** The peer without the name of its server. */
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly generator: LoadGenerator;
  readonly budget: LoadBudget;
  readonly round: number;
  /** Messages a second that `latency` takes as the same rate for all; null where no such cell is run. */
  readonly commonRate: number | null;
}

/** What a load tells about a server, without what is the same for all. */
type Measured = Omit<Sample, 'round' | 'first' | 'peakMemoryBytes'>;

const SERVERS: Readonly<Record<ServerCell['kind'], 'echo' | 'churn' | 'udp'>> = {
  echo: 'echo',
  churn: 'churn',
  idle: 'echo',
  busy: 'echo',
  udp: 'udp',
  latency: 'echo',
};

/** @throws SampleError */
export async function takeServerSample(cell: ServerCell, options: ServerSampleOptions): Promise<Sample> {
  if (cell.kind === 'idle') return takeIdleSample(cell, options);
  return withServer(cell, options, async (server) => {
    switch (cell.kind) {
      case 'echo':
        return echo(cell, server, options);
      case 'udp':
        return udp(cell, server, options);
      case 'churn':
        return churn(cell, server, options);
      case 'busy':
        return busy(cell, server, options);
      case 'latency':
        return latency(cell, server, options);
    }
  });
}

async function withServer(
  cell: ServerCell,
  { command, environment, round }: Pick<ServerSampleOptions, 'command' | 'environment' | 'round'>,
  load: (server: Server) => Promise<Measured>,
): Promise<Sample> {
  const server = await Server.start([...command, SERVERS[cell.kind]], environment);
  try {
    const measured = await load(server);
    const peakMemoryBytes = await server.peakMemoryBytes();
    const counters = await server.stop();
    return { round, first: null, peakMemoryBytes, ...measured, extras: { ...measured.extras, ...counters } };
  } finally {
    server.kill();
  }
}

async function echo(cell: EchoCell, server: Server, { generator, budget }: ServerSampleOptions): Promise<Measured> {
  const result = await measure<EchoResult>('echo', closedLoop(cell), server, generator, budget);
  const perMessage = cell.inBytes ? cell.messageBytes : 1;
  return {
    ...perCpuSecond(result, result.messages, perMessage),
    extras: { messagesPerSecond: result.messagesPerSecond, ...loadShare(result), ...latencyExtras(result) },
  };
}

async function udp(cell: UdpCell, server: Server, { generator, budget }: ServerSampleOptions): Promise<Measured> {
  const result = await measure<UdpResult>('udp', closedLoop(cell), server, generator, budget);
  return {
    ...perCpuSecond(result, result.messages),
    extras: {
      messagesPerSecond: result.messagesPerSecond,
      lostShare: result.lost / (result.lost + result.messages),
      ...loadShare(result),
      ...latencyExtras(result),
    },
  };
}

async function churn(cell: ChurnCell, server: Server, { generator, budget }: ServerSampleOptions): Promise<Measured> {
  const load = { bytes: cell.messageBytes, parallel: cell.parallel, close: 'server' };
  const result = await measure<ChurnResult>('churn', load, server, generator, budget);
  return {
    ...perCpuSecond(result, result.connections),
    extras: { messagesPerSecond: result.connectionsPerSecond, ...loadShare(result), ...latencyExtras(result) },
  };
}

async function busy(cell: BusyCell, server: Server, { generator, budget }: ServerSampleOptions): Promise<Measured> {
  // Or what is measured first, the 100 alone, would be slower for being cold.
  await warmUp('echo', { connections: cell.busy }, server, generator, budget);
  const result = await runLoad<BusyResult>(generator, 'idle', server, {
    connections: cell.idle,
    busy: cell.busy,
    settle: 0,
    warmup: LEAD_IN_SECONDS,
    seconds: budget.seconds,
  });
  const { alone, beside } = result.busy;
  return {
    ...perCpuSecond(beside, beside.messages),
    value: result.busy.ratioPerServerCpuSecond,
    extras: {
      messagesPerSecond: beside.messagesPerSecond,
      alonePerSecond: alone.messagesPerSecond,
      ...loadShare(beside),
      ...latencyExtras(beside),
    },
  };
}

/** An open loop is measured for longer than a closed one: p999 needs many messages. */
const OPEN_LOOP_WINDOWS = 2;

async function latency(cell: LatencyCell, server: Server, options: ServerSampleOptions): Promise<Measured> {
  const { generator, budget } = options;
  const shape = { connections: cell.connections, bytes: cell.messageBytes };
  // At the same rate for all, too: it warms the server up, and the same way for all.
  const own = await measure<EchoResult>('echo', shape, server, generator, budget);
  const saturating = cell.rateOf === 'own' ? own.messagesPerSecond : options.commonRate;
  if (saturating === null) throw new SampleError('the saturating rate of node:net could not be measured');
  const rate = Math.round(saturating / 2);
  const result = await runLoad<OpenLoopResult>(generator, 'echo', server, {
    ...shape,
    rate,
    schedule: 'poisson',
    warmup: LEAD_IN_SECONDS,
    seconds: budget.seconds * OPEN_LOOP_WINDOWS,
  });
  return {
    ...perCpuSecond(result, result.messages),
    value: result.latencyMicroseconds.p99,
    extras: {
      messagesPerSecond: result.messagesPerSecond,
      saturatingPerSecond: own.messagesPerSecond,
      ratePerSecond: rate,
      unanswered: result.unanswered,
      generatorLimited: result.generatorLimited ? 1 : 0,
      generatorLateP99Us: result.latenessMicroseconds.p99,
      ...loadShare(result),
      ...latencyExtras(result),
    },
  };
}

const COLLECT_EVERY_MS = 200;

/**
 * Twice, each time in a fresh process: once as it runs by itself, which is the figure, and once with garbage collections
 * asked for, which leaves what the connections really hold.
 */
async function takeIdleSample(cell: IdleCell, options: ServerSampleOptions): Promise<Sample> {
  const once = (collects: boolean) =>
    withServer(cell, options, async (server) => {
      const timer = collects ? setInterval(() => server.collectGarbage(), COLLECT_EVERY_MS) : undefined;
      try {
        const result = await runLoad<IdleResult>(options.generator, 'idle', server, {
          connections: cell.connections,
          settle: options.budget.settleSeconds,
        });
        const grown = result.memory.open.rssBytes - result.memory.before.rssBytes;
        return {
          value: grown / cell.connections,
          wallSeconds: result.openSeconds,
          cpuSeconds: 0,
          cpuNsPerOperation: null,
          extras: { openSeconds: result.openSeconds },
        };
      } finally {
        clearInterval(timer);
      }
    });
  const byItself = await once(false);
  const collected = await once(true);
  return { ...byItself, extras: { ...byItself.extras, collectedBytes: collected.value } };
}

function closedLoop(cell: EchoCell | UdpCell) {
  return { connections: cell.connections, bytes: cell.messageBytes, 'in-flight': cell.inFlight };
}

function perCpuSecond(
  { seconds, serverCpuSeconds }: { readonly seconds: number; readonly serverCpuSeconds: number },
  operations: number,
  perOperation = 1,
) {
  return {
    value: (operations * perOperation) / serverCpuSeconds,
    wallSeconds: seconds,
    cpuSeconds: serverCpuSeconds,
    cpuNsPerOperation: (serverCpuSeconds * 1e9) / operations,
  };
}

function loadShare({ loadCpuSeconds, seconds }: { readonly loadCpuSeconds: number; readonly seconds: number }) {
  return { loadCpuShare: loadCpuSeconds / seconds };
}

function latencyExtras({ latencyMicroseconds }: { readonly latencyMicroseconds: Latencies }) {
  const { p50, p90, p99, p999, max } = latencyMicroseconds;
  return { p50Us: p50, p90Us: p90, p99Us: p99, p999Us: p999, maxUs: max };
}
