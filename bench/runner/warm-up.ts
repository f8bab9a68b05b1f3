// A server is warm when it has worked for a while, not when a while has passed: on a busy machine a second may bring it a
// tenth of a second of CPU, in which no compiler gets far.
import { SampleError } from './compute-sample.js';
import { type LoadGenerator, type LoadOptions, type Mode, runLoad, type Window } from './load.js';
import type { Server } from './server.js';

export interface LoadBudget {
  /** CPU time of the server before anything is measured. */
  readonly warmupSeconds: number;
  /** Of the measured window. */
  readonly seconds: number;
  /** Silence before memory is read. */
  readonly settleSeconds: number;
}

/** Between the first message and the measured window, for all connections to get going. */
export const LEAD_IN_SECONDS = 0.1;

const STEP_SECONDS = 0.2;
const STEP_SECONDS_MIN = 0.05;
/** Less than this share of the wanted time is not worth another step. */
const REST = 0.1;
/** Of wall time for each second of CPU time that is wanted: a server that has little to do is not waited for. */
const PATIENCE = 4;

/** Loads a warmed up server for the window of the budget. @throws SampleError */
export async function measure<T>(
  mode: Mode,
  load: LoadOptions,
  server: Server,
  generator: LoadGenerator,
  budget: LoadBudget,
  asked: readonly string[] = [],
): Promise<T> {
  await warmUp(mode, load, server, generator, budget, asked);
  return runLoad<T>(generator, mode, server, { ...load, warmup: LEAD_IN_SECONDS, seconds: budget.seconds }, asked);
}

export async function warmUp(
  mode: Mode,
  load: LoadOptions,
  server: Server,
  generator: LoadGenerator,
  { warmupSeconds }: LoadBudget,
  asked: readonly string[] = [],
): Promise<void> {
  const end = performance.now() + warmupSeconds * PATIENCE * 1_000;
  let worked = 0;
  do {
    const seconds = Math.max(STEP_SECONDS_MIN, Math.min(STEP_SECONDS, warmupSeconds - worked));
    try {
      const window = await runLoad<Window>(generator, mode, server, { ...load, warmup: 0, seconds }, asked);
      worked += window.serverCpuSeconds;
    } catch (error) {
      // On a machine that is busy with something else nothing may come back in so short a time. What is really wrong with
      // the server shows again when it is measured.
      if (!(error instanceof SampleError)) throw error;
    }
  } while (worked < warmupSeconds * (1 - REST) && performance.now() < end);
}
