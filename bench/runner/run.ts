// Runs the plan: rounds over all cells, and in each cell one sample of each contestant in turn, so that a disturbance of
// the machine falls on all of them and not on one.
import { CONTESTANTS, type Contestant } from '../contestants/catalog.js';
import { type Prepared, prepareLoad, preparers } from '../contestants/prepare.js';
import type { CellReport, ContestantInfo, ContestantResult, Family, NotRun, RunReport, Sample } from '../model.js';
import { SCHEMA_VERSION } from '../model.js';
import { summarizeOrNull } from '../stats/summary.js';
import { type AnyCell, CELLS } from '../workloads/catalog.js';
import { SampleError, takeComputeSample } from './compute-sample.js';
import { takeEchoSample } from './echo-sample.js';
import { takeImportSample } from './import-sample.js';
import { describeMachine } from './machine.js';
import { choosePinning, type Pinning } from './pinning.js';
import { type PlannedCell, planCells, rotate } from './plan.js';
import type { Progress } from './progress.js';

export interface RunSettings {
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly runtimes: readonly string[];
  readonly samples: number;
  readonly pin: boolean;
  /** No round is begun that would end after this; Infinity: all rounds. */
  readonly limitSeconds: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  readonly echoWarmupSeconds: number;
  readonly echoSeconds: number;
}

/** Everything that a sample needs beside its cell and contestant. */
interface Bench {
  readonly settings: RunSettings;
  readonly pinning: Pinning;
  readonly load: Prepared;
  readonly programs: ReadonlyMap<Family, Prepared>;
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
  const wanted = planCells(CELLS, CONTESTANTS, settings);
  const programs = await preparePrograms(wanted, progress);
  const needsLoad = wanted.some(({ cell }) => cell.kind === 'echo');
  const load: Prepared = needsLoad
    ? await prepareLoad((what) => progress.step(what))
    : { ok: false, reason: 'not asked for', how: '' };
  const { plan, notRun } = withoutMissing(wanted, programs, load);

  const bench: Bench = { settings, pinning, load, programs };
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
    cells: plan.map(({ cell, contestants }) => reportCell(cell, contestants, gathered)),
  };
}

async function preparePrograms(plan: readonly PlannedCell[], progress: Progress): Promise<Map<Family, Prepared>> {
  const programs = new Map<Family, Prepared>();
  for (const { contestants } of plan) {
    for (const { family } of contestants) {
      if (programs.has(family)) continue;
      progress.step(`looking for ${family}`);
      programs.set(family, await preparers[family]((what) => progress.step(what)));
    }
  }
  return programs;
}

function withoutMissing(
  wanted: readonly PlannedCell[],
  programs: ReadonlyMap<Family, Prepared>,
  load: Prepared,
): { plan: PlannedCell[]; notRun: NotRun[] } {
  const notRun = new Map<string, NotRun>();
  const plan: PlannedCell[] = [];
  for (const { cell, contestants } of wanted) {
    if (cell.kind === 'echo' && !load.ok) {
      notRun.set('echo', { id: 'echo', label: 'TCP echo', reason: load.reason, how: load.how });
      continue;
    }
    const present = contestants.filter((contestant) => {
      const program = programs.get(contestant.family);
      if (program?.ok === true) {
        // Where io_uring is not to be had the automatic backend is libuv already.
        if (contestant.backend !== 'uv' || program.automaticBackend !== 'uv') return true;
        notRun.set(contestant.id, {
          id: contestant.id,
          label: contestant.label,
          reason: 'the automatic backend is uv on this machine: its row is the same',
          how: 'Linux 6.1 or later with io_uring allowed',
        });
        return false;
      }
      notRun.set(contestant.id, {
        id: contestant.id,
        label: contestant.label,
        reason: program?.reason ?? 'not prepared',
        how: program?.how ?? '',
      });
      return false;
    });
    if (present.length > 0) plan.push({ cell, contestants: present });
  }
  return { plan, notRun: [...notRun.values()] };
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
          into.samples.push(await takeSample(cell, contestant, bench, round));
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
  if (cell.kind === 'echo') return 0.3 + settings.echoWarmupSeconds + settings.echoSeconds;
  return 0.3 + (settings.warmupMs + settings.measureMs) / 1_000;
}

function takeSample(cell: AnyCell, contestant: Contestant, bench: Bench, round: number): Promise<Sample> {
  const program = bench.programs.get(contestant.family);
  if (program?.ok !== true) throw new SampleError(`${contestant.label} is not prepared`);
  const { settings, pinning, load } = bench;
  const command = pinning.measured([...program.command, ...contestant.words], contestant.cores);
  const environment = environmentFor(contestant);
  switch (cell.kind) {
    case 'compute':
      return takeComputeSample(cell, command, environment, settings, round);
    case 'echo': {
      if (!load.ok) throw new SampleError('the load generator is not prepared');
      const budget = { warmupSeconds: settings.echoWarmupSeconds, seconds: settings.echoSeconds };
      return takeEchoSample(cell, command, environment, load.command, pinning, budget, round);
    }
    case 'import':
      return takeImportSample(command, environment, round);
  }
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

function infoOf(contestant: Contestant, programs: ReadonlyMap<Family, Prepared>): ContestantInfo {
  const program = programs.get(contestant.family);
  return {
    id: contestant.id,
    label: contestant.label,
    family: contestant.family,
    version: program?.ok === true ? program.version : '',
    cores: contestant.cores === 'one' ? 'one core' : 'all cores',
  };
}

function reportCell(cell: AnyCell, contestants: readonly Contestant[], gathered: Map<string, Gathered>): CellReport {
  const { id, workload, load, kind, title, n, unit, better } = cell;
  const results = contestants.map((contestant) =>
    resultOf(contestant.id, gathered.get(keyOf(id, contestant.id)) ?? { samples: [], failures: [] }),
  );
  return { id, workload, load, kind, title, n, unit, better, results };
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
    cpuNsPerOperation: over((sample) => sample.cpuNsPerOperation),
    cpuShare: over((sample) => sample.cpuSeconds / sample.wallSeconds),
    peakMemoryBytes: over((sample) => sample.peakMemoryBytes),
    extras,
  };
}

function keyOf(cell: string, contestant: string): string {
  return `${cell} ${contestant}`;
}
