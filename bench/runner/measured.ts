// What the samples of servers share: starting one, and the figures that a load gives.
import type { Sample } from '../model.js';
import { SampleError } from './compute-sample.js';
import type { Latencies, LoadGenerator } from './load.js';
import { Server } from './server.js';
import { LEAD_IN_SECONDS, type LoadBudget } from './warm-up.js';

export interface ServerSampleOptions {
  /** The peer without the name of its server. */
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly generator: LoadGenerator;
  readonly budget: LoadBudget;
  readonly round: number;
  /** Messages or requests a second that a latency takes as the same rate for all; null where no such cell is run. */
  readonly commonRate: number | null;
}

/** What a load tells about a server, without what is the same for all. */
export type Measured = Omit<Sample, 'round' | 'first' | 'peakMemoryBytes'> & { readonly first?: number };

/** Loads a fresh process of the server that is called `name`. @throws SampleError */
export async function withServer(
  name: string,
  { command, environment, round }: Pick<ServerSampleOptions, 'command' | 'environment' | 'round'>,
  load: (server: Server) => Promise<Measured>,
): Promise<Sample> {
  const server = await Server.start([...command, name], environment);
  try {
    const measured = await load(server);
    const peakMemoryBytes = await server.peakMemoryBytes();
    const counters = await server.stop();
    return { round, first: null, peakMemoryBytes, ...measured, extras: { ...measured.extras, ...counters } };
  } finally {
    server.kill();
  }
}

/** An open loop is measured for longer than a closed one: p999 needs many messages. */
const OPEN_LOOP_WINDOWS = 2;

export function openLoopOptions(rate: number, { seconds }: LoadBudget) {
  return { rate, schedule: 'poisson', warmup: LEAD_IN_SECONDS, seconds: seconds * OPEN_LOOP_WINDOWS } as const;
}

/** Half of what saturates, in whole operations a second. @throws SampleError where that is not known */
export function halfOf(saturatingPerSecond: number | null, of: string): number {
  if (saturatingPerSecond === null) throw new SampleError(`the saturating rate of ${of} could not be measured`);
  return Math.round(saturatingPerSecond / 2);
}

interface OpenLoopFigures {
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly loadCpuSeconds: number;
  readonly unanswered: number;
  readonly generatorLimited: boolean;
  readonly latencyMicroseconds: Latencies;
  readonly latenessMicroseconds: Latencies;
}

/** What an open loop of so many operations tells: the value is p99. */
export function openLoopMeasured(
  result: OpenLoopFigures,
  operations: number,
  perSecond: {
    readonly messagesPerSecond: number;
    readonly saturatingPerSecond: number;
    readonly ratePerSecond: number;
  },
): Measured {
  return {
    ...perCpuSecond(result, operations),
    value: result.latencyMicroseconds.p99,
    extras: {
      ...perSecond,
      unanswered: result.unanswered,
      generatorLimited: result.generatorLimited ? 1 : 0,
      generatorLateP99Us: result.latenessMicroseconds.p99,
      ...loadShare(result),
      ...latencyExtras(result),
    },
  };
}

export function perCpuSecond(
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

export function loadShare({ loadCpuSeconds, seconds }: { readonly loadCpuSeconds: number; readonly seconds: number }) {
  return { loadCpuShare: loadCpuSeconds / seconds };
}

export function latencyExtras({ latencyMicroseconds }: { readonly latencyMicroseconds: Latencies }) {
  const { p50, p90, p99, p999, max } = latencyMicroseconds;
  return { p50Us: p50, p90Us: p90, p99Us: p99, p999Us: p999, maxUs: max };
}
