import { TOKIO_IDS } from '../contestants/catalog.js';
import type { CellReport, ContestantResult } from '../model.js';

/** How many times better `a` is than `b` in this cell; NaN when one of them has no figure. */
export function ratioOf(cell: CellReport, a: ContestantResult | undefined, b: ContestantResult | undefined): number {
  const x = a?.value?.median ?? Number.NaN;
  const y = b?.value?.median ?? Number.NaN;
  return cell.better === 'higher' ? x / y : y / x;
}

export function resultFor(cell: CellReport, contestant: string): ContestantResult | undefined {
  return cell.results.find((result) => result.contestant === contestant);
}

/** The best of those named, or of all; undefined when none has a figure. */
export function bestOf(cell: CellReport, among?: readonly string[]): ContestantResult | undefined {
  let best: ContestantResult | undefined;
  for (const result of cell.results) {
    if (result.value === null || (among !== undefined && !among.includes(result.contestant))) continue;
    if (best === undefined || ratioOf(cell, result, best) > 1) best = result;
  }
  return best;
}

/** The better of Tokio's two runtimes in this cell. */
export function betterTokio(cell: CellReport): ContestantResult | undefined {
  return bestOf(cell, TOKIO_IDS);
}

/** What the others are held against in a cell. */
export interface Rival {
  readonly label: string;
  readonly result: ContestantResult;
}

// A share of one's own speed, a latency at a rate of one's own, the memory of servers of which some chose large buffers:
// the figures of two runtimes are no race.
const WITHOUT_RIVAL = new Set([
  ...['import/millrace', 'idle/10k', 'busy-among-idle/100of10k', 'latency/own-rate'],
  ...['http-idle/10k', 'http-latency/own-rate', 'http-steady/10ms'],
]);

const BETTER_TOKIO = { name: 'better Tokio', contestants: TOKIO_IDS };

/** What stands in for 1.0x, where it is not the better Tokio: by kind of cell, or for a cell of its own. */
const RIVALS: Readonly<Record<string, { readonly name: string; readonly contestants: readonly string[] }>> = {
  client: { name: 'node:net', contestants: ['node'] },
  http: { name: 'node:http', contestants: ['node'] },
  'http-latency': { name: 'node:http', contestants: ['node'] },
  'http-rounds': { name: 'node:http', contestants: ['node'] },
  'http-static/64x16': { name: 'C on io_uring', contestants: ['c'] },
  'http-app/express': { name: 'Express on Node', contestants: ['express'] },
  'http-app/hono': { name: 'Hono on Node', contestants: ['hono-node'] },
};

function rivalFor({ id, kind }: CellReport) {
  return RIVALS[id] ?? RIVALS[kind] ?? BETTER_TOKIO;
}

/** The better Tokio; for clients node:net, for HTTP node:http or what the cell is about. undefined where there is none. */
export function rivalOf(cell: CellReport): Rival | undefined {
  if (WITHOUT_RIVAL.has(cell.id)) return undefined;
  const { name, contestants } = rivalFor(cell);
  const result = bestOf(cell, contestants);
  return result === undefined ? undefined : { label: name, result };
}

export function rivalNameOf(cell: CellReport): string {
  return rivalFor(cell).name;
}

/** Whether the better Tokio is what its figures are held against. */
export function isAgainstTokio(cell: CellReport): boolean {
  return rivalFor(cell) === BETTER_TOKIO;
}

/** How many times better than its cell's rival; NaN where there is none. */
export function ratioToRival(cell: CellReport, result: ContestantResult | undefined): number {
  return ratioOf(cell, result, rivalOf(cell)?.result);
}

/** Whether the cell is a race: whoever has the best figure has won. */
export function isRace(cell: CellReport): boolean {
  return !WITHOUT_RIVAL.has(cell.id);
}

/** The cells of each workload, in the order in which they ran. */
export function byWorkload(cells: readonly CellReport[]): Map<string, CellReport[]> {
  const groups = new Map<string, CellReport[]>();
  for (const cell of cells) {
    const group = groups.get(cell.workload);
    if (group === undefined) groups.set(cell.workload, [cell]);
    else group.push(cell);
  }
  return groups;
}
