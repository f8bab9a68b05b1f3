// What servers and clients have to reach. On uv, which is what containers run, 0.9 of it is enough unless more is said.
import type { ContestantResult } from '../model.js';
import { betterTokio, resultFor } from './ratios.js';
import { against, type Definition, figure, millrace, onBoth, one } from './target-definition.js';

const SMALL_ECHO = ['echo/64B', 'echo/64Bx16'];
const LARGE_ECHO = ['echo/16KiB', 'echo/256KiB'];
const UDP = ['udp/64B', 'udp/64Bx4'];
const LATENCY = ['latency/same-rate'];

const node = one('node');

/** A percentile of ours as a share of a rival's: below 1 is better. */
function percentileTo(name: 'p99Us' | 'p999Us', rival: string): Definition['measure'] {
  return (backend) => (cell) => {
    const us = millrace(cell, 'handlers', backend)?.extras[name]?.median;
    const theirs = (rival === 'tokio' ? betterTokio(cell) : resultFor(cell, rival))?.extras[name]?.median;
    return us === undefined || theirs === undefined ? null : us / theirs;
  };
}

function callsPerTick(result: ContestantResult): number | undefined {
  return result.extras.callsPerTick?.median;
}

export const NETWORK_TARGETS: readonly Definition[] = [
  onBoth({
    what: 'echo 64 B, handlers / better Tokio',
    unit: 'x',
    must: 0.95,
    aim: 1.15,
    cells: SMALL_ECHO,
    measure: against('handlers', betterTokio),
  }),
  onBoth({
    what: 'echo 64 B, streams / better Tokio',
    unit: 'x',
    must: 0.8,
    aim: 1,
    cells: SMALL_ECHO,
    measure: against('streams', betterTokio),
  }),
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
    mustOnUv: 1.4,
    aim: null,
    cells: SMALL_ECHO,
    measure: against('handlers', node),
  },
  onBoth({
    what: 'echo 16 KiB and 256 KiB, handlers / better Tokio',
    unit: 'x',
    must: 0.9,
    aim: 1.05,
    cells: LARGE_ECHO,
    measure: against('handlers', betterTokio),
  }),
  onBoth({
    what: 'echo 16 KiB and 256 KiB, handlers / node:net',
    unit: 'x',
    must: 1.7,
    aim: null,
    cells: LARGE_ECHO,
    measure: against('handlers', node),
  }),
  {
    what: 'echo, all but 256 KiB, handlers / better Tokio',
    unit: 'x',
    must: 0.9,
    aim: 1,
    cells: [...SMALL_ECHO, 'echo/16KiB'],
    measure: against('handlers', betterTokio),
    backends: ['uv'],
  },
  onBoth({
    what: 'accept, one request, close, handlers / node:net',
    unit: 'x',
    must: 2.5,
    aim: null,
    cells: ['churn/64B'],
    measure: against('handlers', node),
  }),
  onBoth({
    what: 'accept, one request, close, handlers / better Tokio',
    unit: 'x',
    must: 0.9,
    aim: 1.1,
    cells: ['churn/64B'],
    measure: against('handlers', betterTokio),
  }),
  onBoth({
    what: 'memory of an idle connection, JavaScript included',
    unit: 'KiB',
    direction: 'at most',
    must: 2,
    aim: 1,
    cells: ['idle/10k'],
    measure: figure('handlers', (result) => result.value?.median, 1_024),
  }),
  onBoth({
    what: '100 busy connections among 10,000 / 100 alone',
    unit: 'x',
    must: 0.9,
    aim: 1,
    cells: ['busy-among-idle/100of10k'],
    measure: figure('handlers', (result) => result.value?.median, 1),
  }),
  onBoth({
    what: 'UDP echo 64 B, handlers / node:dgram',
    unit: 'x',
    must: 3,
    aim: null,
    cells: UDP,
    measure: against('handlers', node),
  }),
  onBoth({
    what: 'UDP echo 64 B, handlers / better Tokio',
    unit: 'x',
    must: 1,
    aim: 1.5,
    cells: UDP,
    measure: against('handlers', betterTokio),
  }),
  ...(['p99Us', 'p999Us'] as const).flatMap((name) => {
    const what = `${name === 'p99Us' ? 'p99' : 'p999'} latency at half of node:net’s saturating rate`;
    const common = { unit: 'x', direction: 'at most', cells: LATENCY } as const;
    return [
      onBoth({ ...common, what: `${what} / node:net’s`, must: 1, aim: null, measure: percentileTo(name, 'node') }),
      onBoth({ ...common, what: `${what} / better Tokio’s`, must: null, aim: 1, measure: percentileTo(name, 'tokio') }),
    ];
  }),
  onBoth({
    what: 'pg SELECT 1 over our socket / over node:net',
    unit: 'x',
    must: 1,
    aim: 1.2,
    cells: ['client/pg'],
    measure: against('sockets', node),
  }),
  onBoth({
    what: 'redis GET over our socket / over node:net',
    unit: 'x',
    must: 1,
    aim: 1.2,
    cells: ['client/redis'],
    measure: against('sockets', node),
  }),
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
