import { parseArgs } from 'node:util';
import { CONTESTANTS } from '../contestants/catalog.js';
import type { RunSettings } from '../runner/run.js';
import type { GeneratorChoice } from '../runner/wrk.js';
import { CELLS, cellsOf, PARTS, type Part, workloadsOf } from '../workloads/catalog.js';

export interface BenchOptions {
  readonly help: boolean;
  readonly list: boolean;
  readonly settings: RunSettings;
  readonly json: string | null;
  readonly markdown: string | null;
  readonly html: string | null;
  readonly baseline: string | null;
  readonly saveBaseline: string | null;
}

/** The command line is wrong; the message says what and what would be right. */
export class UsageError extends Error {}

export const USAGE = `Usage: millrace bench [part] [options]

Races Millrace against Tokio, Go, Bun, Deno and plain Node on this machine: the same work, interleaved, a fresh process for
each sample. Missing toolchains are left out with the reason. It ends with the place of the report.

  net                   servers under load and clients of real servers only: about 10 minutes
  http                  HTTP servers, and apps on them, only: about 20 minutes
  compute               all but those

  --quick               a short run: at most 3 minutes once the peers are built
  --only LIST           workloads (${workloadsOf(CELLS).join(', ')}) or cells (scheduling/light, echo/64B, ...)
  --runtimes LIST       families (tokio, millrace, go, bun, node, deno, c) or single ones (see --list)
  --samples N           samples of each runtime in each cell (1 to 1000; default 5, net and http 3, quick 3)
  --measure-ms MS       warm work of one sample (default 500, echo 2000, quick 300 to 600)
  --generator G         who drives closed loops over HTTP: auto (default: wrk where it is installed), wrk, own
  --no-pin              do not pin processes to cores
  --baseline FILE       compare with a run that was saved before
  --save-baseline FILE  save this run to compare a later one with
  --json FILE           write the results as JSON
  --markdown FILE       write the tables as Markdown
  --html FILE           write the report as one HTML file
  --list                print the cells and the runtimes, and end
  -h, --help            print this, and end
`;

const GENERATORS: readonly GeneratorChoice[] = ['auto', 'wrk', 'own'];

// A round of the quick plan takes about 50 s: three fit, on a slow machine two. Building peers does not count.
const QUICK_LIMIT_SECONDS = 170;

interface LoadWindow {
  /** CPU time of the server. */
  readonly warmup: number;
  readonly measured: number;
  /** Silence before memory is read. */
  readonly settle: number;
}

const ECHO: LoadWindow = { warmup: 1, measured: 2, settle: 1 };
const QUICK_ECHO: LoadWindow = { warmup: 0.3, measured: 0.6, settle: 1 };
// So many servers and cells that each sample must be short: three rounds in less than 15 minutes.
const NETWORK: LoadWindow = { warmup: 0.8, measured: 0.5, settle: 1 };
const QUICK_NETWORK: LoadWindow = { warmup: 0.3, measured: 0.3, settle: 1 };

/** In less than this a busy machine may see no answer at all. */
const WINDOW_SECONDS_MIN = 0.3;
const WARMUP_SECONDS_MIN = 0.05;

/** What `--measure-ms` makes of a load. */
function windowOf(measureMs: number): LoadWindow {
  const seconds = measureMs / 1_000;
  const measured = Math.max(WINDOW_SECONDS_MIN, seconds);
  const warmup = Math.min(NETWORK.warmup, Math.max(WARMUP_SECONDS_MIN, seconds));
  return { warmup, measured, settle: Math.min(NETWORK.settle, measured) };
}

/** @throws UsageError */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parse(argv);
  const quick = values.quick === true;
  const part = partIn(positionals);
  const cells = cellsOf(part);
  const isOfServers = part === 'net' || part === 'http';
  // Named, so that the quick mode leaves none of them out.
  const only = list('--only', values.only, [...workloadsOf(cells), ...cells.map((cell) => cell.id)]);
  const measureMs = wholeNumber('--measure-ms', values['measure-ms'], 1, 60_000);
  const echo = measureMs === undefined ? (quick ? QUICK_ECHO : isOfServers ? NETWORK : ECHO) : windowOf(measureMs);
  const network = measureMs === undefined ? (quick ? QUICK_NETWORK : NETWORK) : windowOf(measureMs);
  return {
    help: values.help === true,
    list: values.list === true,
    settings: {
      quick,
      part,
      only: only.length === 0 && part === 'net' ? workloadsOf(cells) : only,
      runtimes: list('--runtimes', values.runtimes, [
        ...new Set(CONTESTANTS.flatMap((contestant) => [contestant.family, contestant.id])),
      ]),
      samples: wholeNumber('--samples', values.samples, 1, 1_000) ?? (quick || isOfServers ? 3 : 5),
      pin: values['no-pin'] !== true,
      generator: generatorIn(values.generator),
      limitSeconds: quick && values.samples === undefined ? QUICK_LIMIT_SECONDS : Number.POSITIVE_INFINITY,
      warmupMs: quick ? 200 : 500,
      measureMs: measureMs ?? (quick ? 300 : 500),
      echoWarmupSeconds: echo.warmup,
      echoSeconds: echo.measured,
      networkWarmupSeconds: network.warmup,
      networkSeconds: network.measured,
      settleSeconds: network.settle,
    },
    json: file('--json', values.json),
    markdown: file('--markdown', values.markdown),
    html: file('--html', values.html),
    baseline: file('--baseline', values.baseline),
    saveBaseline: file('--save-baseline', values['save-baseline']),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        only: { type: 'string' },
        runtimes: { type: 'string' },
        samples: { type: 'string' },
        'measure-ms': { type: 'string' },
        generator: { type: 'string' },
        'no-pin': { type: 'boolean' },
        baseline: { type: 'string' },
        'save-baseline': { type: 'string' },
        json: { type: 'string' },
        markdown: { type: 'string' },
        html: { type: 'string' },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function partIn(positionals: readonly string[]): Part | null {
  const [word, ...more] = positionals;
  if (word === undefined) return null;
  const part = PARTS.find((candidate) => candidate === word);
  if (part === undefined || more.length > 0) {
    throw new UsageError(`expected nothing or one of: ${PARTS.join(', ')}; got ${positionals.join(' ')}`);
  }
  return part;
}

function generatorIn(text: string | undefined): GeneratorChoice {
  if (text === undefined) return 'auto';
  const choice = GENERATORS.find((candidate) => candidate === text);
  if (choice === undefined) throw new UsageError(`--generator must be one of ${GENERATORS.join(', ')}, got ${text}`);
  return choice;
}

function list(name: string, text: string | undefined, known: readonly string[]): string[] {
  if (text === undefined) return [];
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (words.length === 0) throw new UsageError(`${name} needs at least one of: ${known.join(', ')}`);
  for (const word of words) {
    if (!known.includes(word)) throw new UsageError(`${name}: unknown ${word}; known are: ${known.join(', ')}`);
  }
  return words;
}

function wholeNumber(name: string, text: string | undefined, low: number, high: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high)) {
    throw new UsageError(`${name} must be a whole number from ${low} to ${high}, got ${text}`);
  }
  return value;
}

function file(name: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text === '') throw new UsageError(`${name} needs a file name`);
  return text;
}
