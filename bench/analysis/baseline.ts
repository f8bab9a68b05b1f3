import { readFile } from 'node:fs/promises';
import { type CellReport, type RunReport, SCHEMA_VERSION } from '../model.js';
import { type Comparison, compare } from '../stats/compare.js';
import { resultFor } from './ratios.js';

export class BaselineError extends Error {}

export interface CellComparison extends Comparison {
  readonly cell: CellReport;
  readonly contestant: string;
  readonly now: number;
  readonly before: number;
}

export interface BaselineComparison {
  readonly date: string;
  readonly sameMachine: boolean;
  readonly rows: readonly CellComparison[];
}

/** @throws BaselineError when the file cannot be read or is not a saved run. */
export async function readBaseline(file: string): Promise<RunReport> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new BaselineError(`cannot read the baseline: ${error instanceof Error ? error.message : String(error)}`);
  }
  let parsed: Partial<RunReport> | null;
  try {
    parsed = JSON.parse(text) as Partial<RunReport> | null;
  } catch {
    throw new BaselineError(`the baseline ${file} is not JSON`);
  }
  if (parsed?.schema !== SCHEMA_VERSION || !Array.isArray(parsed.cells) || parsed.machine === undefined) {
    throw new BaselineError(`the baseline ${file} is not a run saved by this version (--save-baseline)`);
  }
  return parsed as RunReport;
}

/** Runs that are older than the choice had no other. */
function driverOf({ generator = 'own' }: CellReport): string {
  return generator.startsWith('wrk') ? 'wrk' : generator;
}

/** Every cell and contestant that both runs have, driven by the same load generator. */
export function compareWithBaseline(report: RunReport, baseline: RunReport): BaselineComparison {
  const rows: CellComparison[] = [];
  for (const cell of report.cells) {
    const before = baseline.cells.find(({ id }) => id === cell.id);
    // Another unit is another measure, even under the same name.
    if (before === undefined || before.unit !== cell.unit || before.n !== cell.n) continue;
    if (driverOf(before) !== driverOf(cell)) continue;
    for (const result of cell.results) {
      const earlier = resultFor(before, result.contestant)?.value;
      if (result.value === null || earlier == null) continue;
      rows.push({
        cell,
        contestant: result.contestant,
        now: result.value.median,
        before: earlier.median,
        ...compare(result.value, earlier, cell.better),
      });
    }
  }
  return {
    date: baseline.date,
    sameMachine: baseline.machine.cpu === report.machine.cpu && baseline.machine.cores === report.machine.cores,
    rows,
  };
}
