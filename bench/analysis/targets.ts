// The numbers that Millrace has to reach, each held against this run.
import type { CellReport, ContestantResult, RunReport } from '../model.js';
import { betterTokio, ratioOf, resultFor } from './ratios.js';

export type Reached = 'yes' | 'no' | 'not run';

export interface TargetPart {
  readonly cell: string;
  /** null: not run. */
  readonly measured: number | null;
}

export interface TargetRow {
  readonly what: string;
  readonly backend: 'auto' | 'uv';
  readonly unit: 'x' | 'M/s' | 'ms' | 'MB' | 'calls';
  readonly direction: 'at least' | 'at most';
  readonly must: number;
  readonly aim: number | null;
  readonly parts: readonly TargetPart[];
  /** The worst of its parts; null when none was run. */
  readonly measured: number | null;
  /** `yes` says that every part that was run reached it; see `complete`. */
  readonly reached: Reached;
  readonly aimReached: boolean;
  readonly complete: boolean;
}

type Measure = (cell: CellReport) => number | null;

interface Definition {
  readonly what: string;
  readonly unit: TargetRow['unit'];
  readonly direction?: TargetRow['direction'];
  readonly must: number;
  readonly aim: number | null;
  readonly cells: readonly string[];
  readonly measure: (backend: 'auto' | 'uv') => Measure;
  readonly backends?: readonly ('auto' | 'uv')[];
}

const FOUR_LOADS = ['light', 'medium', 'heavy', 'extreme'];
const loads = (workload: string) => FOUR_LOADS.map((load) => `${workload}/${load}`);
const SMALL_ECHO = ['echo/64B', 'echo/64Bx16'];
const LARGE_ECHO = ['echo/16KiB'];

/** Millrace's result in a style and backend against a rival's, as a ratio. */
function against(style: string, rival: (cell: CellReport) => ContestantResult | undefined): Definition['measure'] {
  return (backend) => (cell) => {
    const ratio = ratioOf(cell, millrace(cell, style, backend), rival(cell));
    return Number.isFinite(ratio) ? ratio : null;
  };
}

const tokio = betterTokio;
const one = (contestant: string) => (cell: CellReport) => resultFor(cell, contestant);

function millrace(cell: CellReport, style: string, backend: 'auto' | 'uv'): ContestantResult | undefined {
  return resultFor(cell, `millrace-${style}${backend === 'uv' ? '-uv' : ''}`);
}

const DEFINITIONS: readonly Definition[] = [
  {
    what: 'scheduling, fibers / better Tokio',
    unit: 'x',
    must: 1,
    aim: 1.5,
    cells: loads('scheduling'),
    measure: against('fibers', tokio),
  },
  {
    what: 'I/O, fibers / better Tokio',
    unit: 'x',
    must: 1,
    aim: 3,
    cells: loads('io'),
    measure: against('fibers', tokio),
  },
  {
    what: 'allocation, fibers / better Tokio',
    unit: 'x',
    must: 0.8,
    aim: 1.2,
    cells: loads('allocation'),
    measure: against('fibers', tokio),
  },
  {
    what: 'scheduling, async functions / better Tokio',
    unit: 'x',
    must: 0.4,
    aim: 1,
    cells: loads('scheduling'),
    measure: against('async', tokio),
  },
  {
    what: 'I/O, async functions / better Tokio',
    unit: 'x',
    must: 1,
    aim: 1,
    cells: loads('io'),
    measure: against('async', tokio),
  },
  {
    what: 'allocation, async functions / better Tokio',
    unit: 'x',
    must: 0.6,
    aim: 1,
    cells: loads('allocation'),
    measure: against('async', tokio),
  },
  {
    what: 'echo 64 B, handlers / better Tokio',
    unit: 'x',
    must: 0.95,
    aim: 1.15,
    cells: SMALL_ECHO,
    measure: against('handlers', tokio),
    backends: ['auto'],
  },
  {
    what: 'echo 64 B, handlers / Bun',
    unit: 'x',
    must: 1.05,
    aim: null,
    cells: SMALL_ECHO,
    measure: against('handlers', one('bun')),
    backends: ['auto'],
  },
  {
    what: 'echo 64 B, handlers / node:net',
    unit: 'x',
    must: 1.5,
    aim: null,
    cells: SMALL_ECHO,
    measure: against('handlers', one('node')),
    backends: ['auto'],
  },
  {
    what: 'echo 16 KiB, handlers / better Tokio',
    unit: 'x',
    must: 0.85,
    aim: 1,
    cells: LARGE_ECHO,
    measure: against('handlers', tokio),
    backends: ['auto'],
  },
  {
    what: 'echo 16 KiB, handlers / node:net',
    unit: 'x',
    must: 1.6,
    aim: null,
    cells: LARGE_ECHO,
    measure: against('handlers', one('node')),
    backends: ['auto'],
  },
  {
    what: 'echo, all three, handlers / better Tokio',
    unit: 'x',
    must: 0.9,
    aim: 1,
    cells: [...SMALL_ECHO, ...LARGE_ECHO],
    measure: against('handlers', tokio),
    backends: ['uv'],
  },
  {
    what: 'echo, all three, handlers / node:net',
    unit: 'x',
    must: 1.4,
    aim: null,
    cells: [...SMALL_ECHO, ...LARGE_ECHO],
    measure: against('handlers', one('node')),
    backends: ['uv'],
  },
  {
    what: 'echo 64 B, for await and await write / better Tokio',
    unit: 'x',
    must: 0.75,
    aim: 0.9,
    cells: SMALL_ECHO,
    measure: against('streams', tokio),
  },
  {
    what: 'channel, fiber to fiber',
    unit: 'M/s',
    must: 5,
    aim: null,
    cells: ['channel/100k'],
    measure: figure('fibers', (result) => result.value?.median, 1e6),
  },
  {
    what: 'channel, fiber to fiber / better Tokio',
    unit: 'x',
    must: 0.5,
    aim: 1,
    cells: ['channel/100k'],
    measure: against('fibers', tokio),
  },
  {
    what: 'spawn and join an empty fiber / Tokio current_thread',
    unit: 'x',
    must: 0.8,
    aim: 1.2,
    cells: ['spawn/100k'],
    measure: against('fibers', one('tokio-current')),
  },
  {
    what: "import 'millrace', time",
    unit: 'ms',
    direction: 'at most',
    must: 25,
    aim: 10,
    cells: ['import/millrace'],
    measure: figure('import', (result) => result.value?.median, 1),
    backends: ['auto'],
  },
  {
    what: "import 'millrace', memory",
    unit: 'MB',
    direction: 'at most',
    must: 12,
    aim: null,
    cells: ['import/millrace'],
    measure: figure('import', (result) => result.peakMemoryBytes?.median, 1e6),
    backends: ['auto'],
  },
  {
    what: 'calls into JavaScript for each tick under load',
    unit: 'calls',
    direction: 'at most',
    must: 1,
    aim: null,
    cells: SMALL_ECHO,
    measure: figure('handlers', callsPerTick, 1),
  },
];

function figure(
  style: string,
  pick: (result: ContestantResult) => number | undefined,
  divisor: number,
): Definition['measure'] {
  return (backend) => (cell) => {
    const result = millrace(cell, style, backend);
    const value = result === undefined ? undefined : pick(result);
    return value === undefined ? null : value / divisor;
  };
}

function callsPerTick(result: ContestantResult): number | undefined {
  return result.extras.callsPerTick?.median;
}

/** Every target, on the automatic backend and on uv. */
export function evaluateTargets(report: RunReport): TargetRow[] {
  const rows: TargetRow[] = [];
  for (const backend of ['auto', 'uv'] as const) {
    for (const definition of DEFINITIONS) {
      if ((definition.backends ?? ['auto', 'uv']).includes(backend)) rows.push(evaluate(definition, backend, report));
    }
  }
  return rows;
}

function evaluate(definition: Definition, backend: 'auto' | 'uv', report: RunReport): TargetRow {
  const measure = definition.measure(backend);
  const parts = definition.cells.map((id) => {
    const cell = report.cells.find((candidate) => candidate.id === id);
    return { cell: id, measured: cell === undefined ? null : measure(cell) };
  });
  const direction = definition.direction ?? 'at least';
  const values = parts.map((part) => part.measured).filter((value) => value !== null);
  const meets = (limit: number) =>
    values.every((value) => (direction === 'at least' ? value >= limit : value <= limit));
  const { what, unit, must, aim } = definition;
  return {
    what,
    backend,
    unit,
    direction,
    must,
    aim,
    parts,
    measured: values.length === 0 ? null : direction === 'at least' ? Math.min(...values) : Math.max(...values),
    reached: values.length === 0 ? 'not run' : meets(must) ? 'yes' : 'no',
    aimReached: values.length > 0 && aim !== null && meets(aim),
    complete: values.length === parts.length,
  };
}

export function formatTarget(value: number | null, unit: TargetRow['unit']): string {
  if (value === null) return '-';
  return unit === 'x' ? `${value.toFixed(2)}x` : `${value.toFixed(unit === 'calls' ? 2 : 1)} ${unit}`;
}
