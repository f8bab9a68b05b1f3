import type { CellReport, ContestantResult, RunReport } from '../model.js';
import { cellsOf, PARTS } from '../workloads/catalog.js';
import { type BaselineComparison, compareWithBaseline } from './baseline.js';
import { type Bottleneck, bottleneckOf } from './bottleneck.js';
import { bestOf, byWorkload, isRace, ratioOf, ratioToRival } from './ratios.js';
import { evaluateTargets, type TargetRow } from './targets.js';
import { type Trend, trendsOf } from './trend.js';

export interface Winner {
  readonly cell: CellReport;
  readonly winner: ContestantResult;
  /** How far ahead of the second; NaN when it ran alone. */
  readonly lead: number;
}

/** What is said about one runtime in one workload, at the greatest load that it ran. */
export interface Finding {
  readonly workload: string;
  readonly title: string;
  readonly contestant: string;
  readonly ratioToRival: number;
  readonly trend: Trend | null;
  readonly bottleneck: Bottleneck;
}

export interface Analysis {
  readonly winners: readonly Winner[];
  readonly findings: readonly Finding[];
  readonly targets: readonly TargetRow[];
  readonly baseline: BaselineComparison | null;
}

/** The loads of an echo are different work, not more of it: they make no trend. */
const WITHOUT_TREND = new Set([
  ...['echo', 'udp', 'client'],
  ...['http-plaintext', 'http-static', 'http-json', 'http-params', 'http-body', 'http-stream', 'http-app'],
]);
/** What is no speed has no bottleneck. */
const WITHOUT_FINDING = new Set([
  ...['import', 'idle', 'busy-among-idle', 'latency'],
  ...['http-idle', 'http-latency', 'http-rounds', 'http-steady'],
]);

export function analyze(report: RunReport, baseline: RunReport | null): Analysis {
  return {
    winners: report.cells.filter(isRace).flatMap(winnerOf),
    findings: findingsOf(report),
    targets: targetsOf(report),
    baseline: baseline === null ? null : compareWithBaseline(report, baseline),
  };
}

/** The targets of the parts of which anything was run: `bench net` says nothing about computing. */
function targetsOf(report: RunReport): TargetRow[] {
  const ran = PARTS.map((part) => new Set(cellsOf(part).map(({ id }) => id))).filter((ids) =>
    report.cells.some(({ id }) => ids.has(id)),
  );
  return evaluateTargets(report).filter(({ parts }) => ran.some((ids) => parts.some(({ cell }) => ids.has(cell))));
}

function winnerOf(cell: CellReport): Winner[] {
  const winner = bestOf(cell);
  if (winner === undefined) return [];
  const others = cell.results.map((result) => result.contestant).filter((id) => id !== winner.contestant);
  return [{ cell, winner, lead: ratioOf(cell, winner, bestOf(cell, others)) }];
}

function findingsOf(report: RunReport): Finding[] {
  const findings: Finding[] = [];
  for (const [workload, cells] of byWorkload(report.cells)) {
    if (WITHOUT_FINDING.has(workload)) continue;
    const trends = WITHOUT_TREND.has(workload) ? [] : trendsOf(cells);
    const ordered = [...cells].sort((a, b) => a.n - b.n);
    for (const contestant of new Set(cells.flatMap((cell) => cell.results.map((result) => result.contestant)))) {
      const info = report.contestants.find(({ id }) => id === contestant);
      const last = ordered
        .flatMap((cell) =>
          cell.results.filter((result) => result.contestant === contestant).map((result) => ({ cell, result })),
        )
        .filter(({ result }) => result.value !== null)
        .at(-1);
      if (last === undefined) continue;
      findings.push({
        workload,
        title: last.cell.title,
        contestant,
        ratioToRival: ratioToRival(last.cell, last.result),
        trend: trends.find((trend) => trend.contestant === contestant) ?? null,
        bottleneck: bottleneckOf(last.cell, last.result, WITHOUT_TREND.has(workload) ? [] : cells, info),
      });
    }
  }
  return findings;
}
