// Runs the plan: rounds over all cells, and in each cell one sample of each contestant in turn, so that a disturbance of
// the machine falls on all of them and not on one.
import { CONTESTANTS, type Contestant, httpWarmUps, type Program, programOf } from '../contestants/catalog.js';
import type { Prepared } from '../contestants/prepare.js';
import type { CellReport, ContestantInfo, ContestantResult, RunReport, Sample } from '../model.js';
import { SCHEMA_VERSION } from '../model.js';
import { summarizeOrNull } from '../stats/summary.js';
import { cellsOf, type Part } from '../workloads/catalog.js';
import { type AnyCell, isHttpCell, isServerCell } from '../workloads/cell.js';
import { takeClientSample } from './client-sample.js';
import { SampleError, takeComputeSample } from './compute-sample.js';
import { finite } from './finite.js';
import { takeHttpSample } from './http-sample.js';
import { takeImportSample } from './import-sample.js';
import { generatorLimits, type LoadGenerator } from './load.js';
import { describeMachine } from './machine.js';
import { choosePinning, type Pinning } from './pinning.js';
import { type PlannedCell, planCells, rotate } from './plan.js';
import { prepareRun } from './prepare-run.js';
import type { Progress } from './progress.js';
import { saturatingRate } from './saturating-rate.js';
import { takeServerSample } from './server-sample.js';
import type { Service, ServiceName } from './services.js';
import type { LoadBudget } from './warm-up.js';
import { findWrk, type GeneratorChoice, isForWrk, type Wrk } from './wrk.js';

export interface RunSettings {
  readonly quick: boolean;
  /** null: all. */
  readonly part: Part | null;
  readonly only: readonly string[];
  readonly runtimes: readonly string[];
  readonly samples: number;
  readonly pin: boolean;
  readonly generator: GeneratorChoice;
  /** No round is begun that would end after this; Infinity: all rounds. */
  readonly limitSeconds: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  readonly echoWarmupSeconds: number;
  readonly echoSeconds: number;
  /** Of the other servers, and of the clients. */
  readonly networkWarmupSeconds: number;
  readonly networkSeconds: number;
  readonly settleSeconds: number;
}

/** Everything that a sample needs beside its cell and contestant. */
interface Bench {
  readonly settings: RunSettings;
  readonly pinning: Pinning;
  readonly load: Prepared;
  readonly wrk: Wrk | null;
  readonly programs: ReadonlyMap<Program, Prepared>;
  readonly services: ReadonlyMap<ServiceName, Service>;
  readonly commonRates: CommonRates;
}

/** What node:net and node:http take at most, in messages and requests a second; null where no cell asks for it. */
interface CommonRates {
  readonly latency: number | null;
  readonly 'http-latency': number | null;
}

interface Gathered {
  readonly samples: Sample[];
  readonly failures: string[];
}

export async function runBenchmark(settings: RunSettings, progress: Progress): Promise<RunReport> {
  const start = performance.now();
  // Before anything is built: that would count as load.
  const pinning = await choosePinning(settings.pin);
  const machine = describeMachine(pinning.description);
  const wanted = planCells(cellsOf(settings.part), CONTESTANTS, settings);
  const { plan, notRun, programs, load, services } = await prepareRun(wanted, pinning, progress);
  try {
    const commonRates: CommonRates = {
      latency: await commonRateFor('latency', plan, load, pinning, settings, progress),
      'http-latency': await commonRateFor('http-latency', plan, load, pinning, settings, progress),
    };
    const limits = await limitsFor(plan, load, pinning, settings, progress);
    const wrk = settings.generator === 'own' ? null : await findWrk();
    const bench: Bench = { settings, pinning, load, wrk, programs, services, commonRates };
    const gathered = new Map<string, Gathered>();
    const roundsDone = await runRounds(plan, bench, gathered, progress);
    progress.end();

    const entered = new Set(plan.flatMap(({ contestants }) => contestants));
    return {
      schema: SCHEMA_VERSION,
      date: new Date().toISOString(),
      mode: settings.quick ? 'quick' : 'full',
      durationSeconds: (performance.now() - start) / 1_000,
      samplesWanted: settings.samples,
      roundsDone,
      machine,
      contestants: CONTESTANTS.filter((contestant) => entered.has(contestant)).map((contestant) =>
        infoOf(contestant, programs),
      ),
      notRun,
      cells: plan.map(({ cell, contestants }) => reportCell(cell, contestants, gathered, wrk)),
      ...(limits === null ? {} : { generatorLimits: limits }),
      ...(services.size === 0 ? {} : { services: versionsOf(services) }),
    };
  } finally {
    for (const service of services.values()) if (service.ok) await service.stop();
  }
}

/** Half of it is the rate at which the latencies of all are compared, so it is measured once, before them. */
async function commonRateFor(
  kind: keyof CommonRates,
  plan: readonly PlannedCell[],
  load: Prepared,
  pinning: Pinning,
  settings: RunSettings,
  progress: Progress,
): Promise<number | null> {
  const cell = plan
    .map((planned) => planned.cell)
    .filter((cell) => cell.kind === 'latency' || cell.kind === 'http-latency')
    .find((cell) => cell.kind === kind && cell.rateOf === 'node');
  if (cell === undefined || !load.ok) return null;
  progress.step(`measuring the saturating rate of node:${kind === 'latency' ? 'net' : 'http'}`);
  return saturatingRate(cell, { command: load.command, pinning, wrk: null }, networkBudget(settings));
}

const CALIBRATION_SECONDS = 0.5;

async function limitsFor(
  plan: readonly PlannedCell[],
  load: Prepared,
  pinning: Pinning,
  { quick }: RunSettings,
  progress: Progress,
) {
  if (quick || !load.ok || !plan.some(({ cell }) => isServerCell(cell))) return null;
  progress.step('measuring the load generator itself');
  return generatorLimits({ command: load.command, pinning, wrk: null }, CALIBRATION_SECONDS);
}

async function runRounds(
  plan: readonly PlannedCell[],
  bench: Bench,
  gathered: Map<string, Gathered>,
  progress: Progress,
): Promise<number> {
  const { samples: rounds, limitSeconds } = bench.settings;
  const total = plan.reduce(
    (sum, { cell, contestants }) => sum + contestants.length * Math.min(rounds, cell.samplesMax),
    0,
  );
  const start = performance.now();
  const elapsedSeconds = () => (performance.now() - start) / 1_000;
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && elapsedSeconds() * (1 + 1 / round) > limitSeconds) {
      progress.note(`stopped after ${round} of ${rounds} rounds: the next would not end within the time limit`);
      return round;
    }
    for (const [index, { cell, contestants }] of plan.entries()) {
      if (round >= cell.samplesMax) continue;
      for (const contestant of rotate(contestants, round + index)) {
        const pace = done === 0 ? expectedSeconds(cell, bench.settings) : elapsedSeconds() / done;
        progress.sample(done, total, `${cell.title} ${cell.load}, ${contestant.label}`, pace * (total - done));
        const key = keyOf(cell.id, contestant.id);
        const into = gathered.get(key) ?? { samples: [], failures: [] };
        gathered.set(key, into);
        // What could not run in the first round will not in the next; each try may cost a time-out.
        if (into.failures.length > 0 && into.samples.length === 0) {
          done++;
          continue;
        }
        try {
          into.samples.push(finite(await takeSample(cell, contestant, bench, round)));
        } catch (error) {
          if (!(error instanceof SampleError)) throw error;
          into.failures.push(error.message);
          progress.note(`${cell.id}, ${contestant.label}: ${error.message}`);
        }
        done++;
      }
    }
  }
  return rounds;
}

function expectedSeconds(cell: AnyCell, settings: RunSettings): number {
  if (cell.kind === 'compute') return 0.3 + (settings.warmupMs + settings.measureMs) / 1_000;
  const { warmupSeconds, seconds } = budgetFor(cell, settings);
  return 0.3 + warmupSeconds + seconds;
}

function budgetFor(cell: AnyCell, settings: RunSettings): LoadBudget {
  if (cell.kind !== 'echo') return networkBudget(settings);
  const { echoWarmupSeconds, echoSeconds, settleSeconds } = settings;
  return { warmupSeconds: echoWarmupSeconds, seconds: echoSeconds, settleSeconds };
}

function networkBudget({ networkWarmupSeconds, networkSeconds, settleSeconds }: RunSettings): LoadBudget {
  return { warmupSeconds: networkWarmupSeconds, seconds: networkSeconds, settleSeconds };
}

function takeSample(cell: AnyCell, contestant: Contestant, bench: Bench, round: number): Promise<Sample> {
  const program = bench.programs.get(programOf(contestant));
  if (program?.ok !== true) throw new SampleError(`${contestant.label} is not prepared`);
  const { settings, pinning, services } = bench;
  const [executable = '', ...words] = program.command;
  // What `idle` asks for is a collection, which Node gives only so.
  const collects = cell.kind === 'idle' || cell.kind === 'http-idle';
  const flags = collects && executable === process.execPath ? ['--expose-gc'] : [];
  const command = pinning.measured([executable, ...flags, ...words, ...contestant.words], contestant.cores);
  const environment = environmentFor(contestant);
  const budget = budgetFor(cell, settings);
  switch (cell.kind) {
    case 'compute':
      return takeComputeSample(cell, command, environment, settings, round);
    case 'import':
      return takeImportSample(command, environment, round);
    case 'client': {
      const service = services.get(cell.service);
      if (service?.ok !== true) throw new SampleError(`the server for ${cell.service} is not running`);
      return takeClientSample(cell, command, environment, service.port, budget, round);
    }
    default: {
      const options = { command, environment, generator: generatorOf(bench), budget, round };
      if (!isHttpCell(cell)) return takeServerSample(cell, { ...options, commonRate: bench.commonRates.latency });
      const warmupSeconds = budget.warmupSeconds * httpWarmUps(contestant);
      const commonRate = bench.commonRates['http-latency'];
      return takeHttpSample(cell, { ...options, budget: { ...budget, warmupSeconds }, commonRate });
    }
  }
}

function generatorOf({ load, pinning, wrk }: Bench): LoadGenerator {
  if (!load.ok) throw new SampleError('the load generator is not prepared');
  return { command: load.command, pinning, wrk };
}

/** The caller's environment without what would change one runtime only. */
function environmentFor(contestant: Contestant): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const name of ['NODE_OPTIONS', 'GOMAXPROCS', 'GOGC', 'TOKIO_WORKER_THREADS', 'MILLRACE_BACKEND']) {
    delete environment[name];
  }
  if (contestant.backend !== undefined) environment.MILLRACE_BACKEND = contestant.backend;
  return environment;
}

function versionsOf(services: ReadonlyMap<ServiceName, Service>): string[] {
  return [...services.values()].flatMap((service) => (service.ok ? [service.version] : []));
}

function infoOf(contestant: Contestant, programs: ReadonlyMap<Program, Prepared>): ContestantInfo {
  const program = programs.get(programOf(contestant));
  return {
    id: contestant.id,
    label: contestant.label,
    family: contestant.family,
    version: program?.ok === true ? program.version : '',
    cores: contestant.cores === 'one' ? 'one core' : 'all cores',
  };
}

function reportCell(
  cell: AnyCell,
  contestants: readonly Contestant[],
  gathered: Map<string, Gathered>,
  wrk: Wrk | null,
): CellReport {
  const { id, workload, load, kind, title, n, unit, better } = cell;
  const results = contestants.map((contestant) =>
    resultOf(contestant.id, gathered.get(keyOf(id, contestant.id)) ?? { samples: [], failures: [] }),
  );
  const report = { id, workload, load, kind, title, n, unit, better, results };
  if (!isHttpCell(cell)) return report;
  return { ...report, generator: wrk !== null && isForWrk(cell) ? `wrk ${wrk.version}` : 'own' };
}

/** Sums up the samples of one contestant in one cell. */
export function resultOf(contestant: string, { samples, failures }: Gathered): ContestantResult {
  const over = (measure: (sample: Sample) => number) => summarizeOrNull(samples.map(measure));
  const extras: Record<string, NonNullable<ReturnType<typeof over>>> = {};
  for (const name of new Set(samples.flatMap((sample) => Object.keys(sample.extras)))) {
    const values = samples.map((sample) => sample.extras[name]).filter((value) => value !== undefined);
    const summary = summarizeOrNull(values);
    if (summary !== null) extras[name] = summary;
  }
  return {
    contestant,
    samples,
    failures,
    value: over((sample) => sample.value),
    first: summarizeOrNull(samples.map((sample) => sample.first).filter((first) => first !== null)),
    cpuNsPerOperation: summarizeOrNull(
      samples.map((sample) => sample.cpuNsPerOperation).filter((nanoseconds) => nanoseconds !== null),
    ),
    cpuShare: over((sample) => sample.cpuSeconds / sample.wallSeconds),
    peakMemoryBytes: over((sample) => sample.peakMemoryBytes),
    extras,
  };
}

function keyOf(cell: string, contestant: string): string {
  return `${cell} ${contestant}`;
}
