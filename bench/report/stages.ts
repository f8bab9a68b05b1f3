// The stages that the original report plans, 20,000, 50,000 and 100,000 requests a second: who reaches which.
import { STAGES } from '../analysis/http-targets.js';
import { formatCount } from '../format.js';
import type { RunReport } from '../model.js';
import { labelOf } from './tables.js';

export const STAGES_NOTE =
  'By the clock, which the load generator shares: a server that waits for it could do more. What one CPU-second of a server is worth is in the tables.';

/** Each runtime's requests a second, one in flight and pipelined; empty where no plaintext was run. */
export function stagesTable(report: RunReport): { head: string[]; rows: string[][] } | null {
  const cells = report.cells.filter(({ workload, load }) => workload === 'http-plaintext' && load.startsWith('64'));
  const contestants = new Set(cells.flatMap(({ results }) => results.map(({ contestant }) => contestant)));
  const rates = [...contestants].map((contestant) => ({
    contestant,
    perSecond: cells.map(
      ({ results }) => results.find((result) => result.contestant === contestant)?.extras.messagesPerSecond?.median,
    ),
  }));
  const ran = rates.filter(({ perSecond }) => perSecond.some((rate) => rate !== undefined));
  if (ran.length === 0) return null;
  const sorted = ran.sort((a, b) => (b.perSecond[0] ?? 0) - (a.perSecond[0] ?? 0));
  return {
    head: ['runtime', ...cells.flatMap(({ load }) => [`${load}, requests/s`, ...STAGES.map((stage) => `${stage} k`)])],
    rows: sorted.map(({ contestant, perSecond }) => [
      labelOf(report, contestant),
      ...perSecond.flatMap((rate) => [
        rate === undefined ? '-' : formatCount(rate),
        ...STAGES.map((stage) => (rate === undefined ? '-' : rate >= stage * 1_000 ? 'reached' : 'not reached')),
      ]),
    ]),
  };
}
