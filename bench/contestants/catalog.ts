import type { CellKind, Family } from '../model.js';
import { type Cell, HTTP_KINDS, SERVER_KINDS } from '../workloads/cell.js';

/** What is found or built to run contestants. Most families have one program for all that they do. */
export type Program =
  | Family
  | 'millrace-http'
  | 'millrace-express'
  | 'millrace-hono'
  | 'hyper'
  | 'express'
  | 'fastify'
  | 'hono-node'
  | 'hono-bun'
  | 'uws';

/** One runtime in one way of using it: a column of every table. */
export interface Contestant {
  readonly id: string;
  readonly label: string;
  readonly family: Family;
  /** Where it is not the family's. */
  readonly program?: Program;
  /** `one`: all its threads are pinned to the first core. `all`: it may use every core. */
  readonly cores: 'one' | 'all';
  readonly kinds: readonly CellKind[];
  /** Of these kinds, the workloads or cells that it runs; without it all. */
  readonly only?: readonly string[];
  /** Words between the family's program and the workload. */
  readonly words: readonly string[];
  readonly backend?: 'auto' | 'uv';
  readonly quick: boolean;
}

function millrace(
  id: string,
  label: string,
  kinds: readonly CellKind[],
  style: string,
  backend: 'auto' | 'uv',
  quick: boolean,
): Contestant {
  const suffix = backend === 'uv' ? '-uv' : '';
  return {
    id: `millrace-${id}${suffix}`,
    label: `Millrace ${label}${backend === 'uv' ? ', uv' : ''}`,
    family: 'millrace',
    cores: 'one',
    kinds,
    words: [style],
    backend,
    quick,
  };
}

/** A server of ours: the words of its program name the server. */
function millraceHttp(
  id: 'http' | 'express' | 'hono',
  label: string,
  backend: 'auto' | 'uv',
  only?: readonly string[],
): Contestant {
  const kinds = id === 'http' ? HTTP_KINDS : (['http-app'] as const);
  const base = millrace(id, label, kinds, '', backend, id === 'http');
  return { ...base, words: [], program: `millrace-${id}`, ...(only === undefined ? {} : { only }) };
}

/** A framework's app, or a server that only some cells are for. */
function other(
  family: Family,
  program: Program,
  label: string,
  kinds: readonly CellKind[],
  only: readonly string[] | null,
): Contestant {
  const base = { id: program, label, family, program, cores: 'one', kinds, words: [], quick: false } as const;
  return only === null ? base : { ...base, only };
}

const FRAMEWORK_CELLS = ['http-plaintext/64', 'http-json', 'http-params'];

const OUR_HTTP: readonly Contestant[] = [
  millraceHttp('http', 'HTTP', 'auto'),
  millraceHttp('http', 'HTTP', 'uv'),
  millraceHttp('express', 'under Express', 'auto', ['http-app/express']),
  millraceHttp('express', 'under Express', 'uv', ['http-app/express']),
  millraceHttp('hono', 'under Hono', 'auto', ['http-app/hono']),
  millraceHttp('hono', 'under Hono', 'uv', ['http-app/hono']),
];

const OTHER_HTTP: readonly Contestant[] = [
  { ...other('tokio', 'hyper', 'hyper on Tokio', HTTP_KINDS, null), words: ['hyper'] },
  {
    ...other('tokio', 'hyper', 'Tokio, fixed reply', ['http'], ['http-plaintext', 'http-static']),
    id: 'tokio-fixed',
    words: ['fixed'],
    quick: true,
  },
  other('c', 'c', 'C io_uring, fixed reply', ['http'], ['http-plaintext', 'http-static']),
  other('deno', 'deno', 'Deno', HTTP_KINDS, null),
  other('node', 'uws', 'µWebSockets.js', HTTP_KINDS, null),
  other('node', 'express', 'Express on Node', ['http', 'http-app'], [...FRAMEWORK_CELLS, 'http-app/express']),
  other('node', 'fastify', 'Fastify on Node', ['http'], FRAMEWORK_CELLS),
  other('node', 'hono-node', 'Hono on Node', ['http-app'], ['http-app/hono']),
  other('bun', 'hono-bun', 'Hono on Bun', ['http-app'], ['http-app/hono']),
];

export const CONTESTANTS: readonly Contestant[] = [
  millrace('fibers', 'fibers', ['compute'], 'fibers', 'auto', true),
  millrace('async', 'async', ['compute'], 'async', 'auto', true),
  millrace('fibers', 'fibers', ['compute'], 'fibers', 'uv', false),
  millrace('async', 'async', ['compute'], 'async', 'uv', false),
  millrace('handlers', 'handlers', SERVER_KINDS, 'handlers', 'auto', true),
  millrace('streams', 'streams', SERVER_KINDS, 'streams', 'auto', true),
  millrace('handlers', 'handlers', SERVER_KINDS, 'handlers', 'uv', true),
  millrace('streams', 'streams', SERVER_KINDS, 'streams', 'uv', false),
  millrace('sockets', 'sockets', ['client'], 'sockets', 'auto', true),
  millrace('sockets', 'sockets', ['client'], 'sockets', 'uv', false),
  millrace('import', 'import', ['import'], 'import', 'auto', true),
  ...OUR_HTTP,
  {
    id: 'tokio-current',
    label: 'Tokio current_thread',
    family: 'tokio',
    cores: 'one',
    kinds: ['compute', ...SERVER_KINDS],
    words: ['current'],
    quick: true,
  },
  {
    id: 'tokio-multi',
    label: 'Tokio multi_thread',
    family: 'tokio',
    cores: 'all',
    kinds: ['compute', ...SERVER_KINDS],
    words: ['multi'],
    quick: true,
  },
  { id: 'go', label: 'Go', family: 'go', cores: 'all', kinds: ['compute'], words: [], quick: true },
  {
    id: 'go-one',
    label: 'Go, one core',
    family: 'go',
    cores: 'one',
    kinds: [...SERVER_KINDS, ...HTTP_KINDS],
    words: [],
    quick: true,
  },
  {
    id: 'bun',
    label: 'Bun',
    family: 'bun',
    cores: 'one',
    kinds: ['compute', ...SERVER_KINDS, ...HTTP_KINDS],
    words: [],
    quick: true,
  },
  {
    id: 'node',
    label: 'Node',
    family: 'node',
    cores: 'one',
    kinds: ['compute', ...SERVER_KINDS, 'client', ...HTTP_KINDS],
    words: [],
    quick: true,
  },
  ...OTHER_HTTP,
];

/** Whether this contestant runs this cell at all. */
export function enters({ kinds, only }: Contestant, { id, workload, kind }: Cell): boolean {
  return kinds.includes(kind) && (only === undefined || only.includes(id) || only.includes(workload));
}

/** What its compiler does not see before it runs: V8 takes two CPU-seconds to get used to a framework. */
const JUST_IN_TIME: readonly Family[] = ['millrace', 'node', 'bun', 'deno'];
const FRAMEWORKS: readonly Program[] = [
  ...(['express', 'fastify', 'hono-node', 'hono-bun', 'millrace-express', 'millrace-hono'] as const),
];

/** How many times the usual warm-up it gets before an HTTP cell is measured. */
export function httpWarmUps(contestant: Contestant): number {
  if (FRAMEWORKS.includes(programOf(contestant))) return 3;
  return JUST_IN_TIME.includes(contestant.family) ? 2 : 1;
}

export function programOf({ program, family }: Contestant): Program {
  return program ?? family;
}

/** Tokio's two runtimes: ratios are taken to the better of them, in each cell. */
export const TOKIO_IDS: readonly string[] = ['tokio-current', 'tokio-multi'];
