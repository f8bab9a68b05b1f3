import type { CellKind, Family } from '../model.js';
import { SERVER_KINDS } from '../workloads/cell.js';

/** One runtime in one way of using it: a column of every table. */
export interface Contestant {
  readonly id: string;
  readonly label: string;
  readonly family: Family;
  /** `one`: all its threads are pinned to the first core. `all`: it may use every core. */
  readonly cores: 'one' | 'all';
  readonly kinds: readonly CellKind[];
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
  { id: 'go-one', label: 'Go, one core', family: 'go', cores: 'one', kinds: SERVER_KINDS, words: [], quick: true },
  { id: 'bun', label: 'Bun', family: 'bun', cores: 'one', kinds: ['compute', ...SERVER_KINDS], words: [], quick: true },
  {
    id: 'node',
    label: 'Node',
    family: 'node',
    cores: 'one',
    kinds: ['compute', ...SERVER_KINDS, 'client'],
    words: [],
    quick: true,
  },
];

/** Tokio's two runtimes: ratios are taken to the better of them, in each cell. */
export const TOKIO_IDS: readonly string[] = ['tokio-current', 'tokio-multi'];
