// One sample of a server: a fresh process under the load of the cell.
import type { Sample } from '../model.js';
import type { BusyCell, ChurnCell, EchoCell, LatencyCell, NetworkServerCell, UdpCell } from '../workloads/cell.js';
import { takeIdleSample } from './idle-sample.js';
import {
  type BusyResult,
  type ChurnResult,
  type EchoResult,
  type OpenLoopResult,
  runLoad,
  type UdpResult,
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
import { LEAD_IN_SECONDS, measure, warmUp } from './warm-up.js';

const SERVERS: Readonly<Record<NetworkServerCell['kind'], 'echo' | 'churn' | 'udp'>> = {
  echo: 'echo',
  churn: 'churn',
  idle: 'echo',
  busy: 'echo',
  udp: 'udp',
  latency: 'echo',
};

/** @throws SampleError */
export async function takeServerSample(cell: NetworkServerCell, options: ServerSampleOptions): Promise<Sample> {
  if (cell.kind === 'idle') return takeIdleSample('echo', cell.connections, [], options);
  return withServer(SERVERS[cell.kind], options, async (server) => {
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

async function latency(cell: LatencyCell, server: Server, options: ServerSampleOptions): Promise<Measured> {
  const { generator, budget } = options;
  const shape = { connections: cell.connections, bytes: cell.messageBytes };
  // At the same rate for all, too: it warms the server up, and the same way for all.
  const own = await measure<EchoResult>('echo', shape, server, generator, budget);
  const saturating = cell.rateOf === 'own' ? own.messagesPerSecond : options.commonRate;
  const rate = halfOf(saturating, 'node:net');
  const result = await runLoad<OpenLoopResult>(generator, 'echo', server, {
    ...shape,
    ...openLoopOptions(rate, budget),
  });
  return openLoopMeasured(result, result.messages, {
    messagesPerSecond: result.messagesPerSecond,
    saturatingPerSecond: own.messagesPerSecond,
    ratePerSecond: rate,
  });
}

function closedLoop(cell: EchoCell | UdpCell) {
  return { connections: cell.connections, bytes: cell.messageBytes, 'in-flight': cell.inFlight };
}
