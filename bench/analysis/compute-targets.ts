// What tasks, timers, memory and the import have to reach.

import { betterTokio } from './ratios.js';
import { against, type Definition, figure, one } from './target-definition.js';

const FOUR_LOADS = ['light', 'medium', 'heavy', 'extreme'];
const loads = (workload: string) => FOUR_LOADS.map((load) => `${workload}/${load}`);

export const COMPUTE_TARGETS: readonly Definition[] = [
  {
    what: 'scheduling, fibers / better Tokio',
    unit: 'x',
    must: 1,
    aim: 1.5,
    cells: loads('scheduling'),
    measure: against('fibers', betterTokio),
  },
  {
    what: 'I/O, fibers / better Tokio',
    unit: 'x',
    must: 1,
    aim: 3,
    cells: loads('io'),
    measure: against('fibers', betterTokio),
  },
  {
    what: 'allocation, fibers / better Tokio',
    unit: 'x',
    must: 0.8,
    aim: 1.2,
    cells: loads('allocation'),
    measure: against('fibers', betterTokio),
  },
  {
    what: 'scheduling, async functions / better Tokio',
    unit: 'x',
    must: 0.4,
    aim: 1,
    cells: loads('scheduling'),
    measure: against('async', betterTokio),
  },
  {
    what: 'I/O, async functions / better Tokio',
    unit: 'x',
    must: 1,
    aim: 1,
    cells: loads('io'),
    measure: against('async', betterTokio),
  },
  {
    what: 'allocation, async functions / better Tokio',
    unit: 'x',
    must: 0.6,
    aim: 1,
    cells: loads('allocation'),
    measure: against('async', betterTokio),
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
    measure: against('fibers', betterTokio),
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
];
