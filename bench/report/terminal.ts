import type { Analysis } from '../analysis/analyze.js';
import { formatLimit, formatTarget, verdictOn } from '../analysis/targets.js';
import { formatPercent, formatRatio, formatValue } from '../format.js';
import type { RunReport } from '../model.js';
import { headline } from './headline.js';
import { stagesTable } from './stages.js';
import { cellHeading, labelOf, resultTable } from './tables.js';

/** Columns padded to their widest entry; the first is text, the others stand right. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [k, text] of row.entries()) widths[k] = Math.max(widths[k] ?? 0, text.length);
  }
  return rows.map((row) =>
    row
      .map((text, k) => (k === 0 ? text.padEnd(widths[k] ?? 0) : text.padStart(widths[k] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Everything for the terminal: the tables, the targets, the comparison with the baseline, and what did not run. */
export function terminalReport(report: RunReport, analysis: Analysis): string {
  const parts = cellTables(report);
  parts.push(
    stageLines(report),
    targetLines(analysis),
    baselineLines(report, analysis),
    notRunLines(report),
    headline(report),
  );
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function cellTables(report: RunReport): string[] {
  const parts: string[] = [];
  for (const cell of report.cells) {
    const { head, rows } = resultTable(report, cell);
    const lines = alignColumns([
      head,
      ...rows.map(({ runtime, figures, isBest }) => [`${isBest ? '*' : ' '} ${runtime}`, ...figures]),
    ]);
    parts.push([cellHeading(cell), ...lines.map((line) => `  ${line}`)].join('\n'));
    for (const row of rows) {
      if (row.failure !== '') parts.push(`  ${row.runtime} failed: ${row.failure}`);
    }
  }
  return parts;
}

function stageLines(report: RunReport): string {
  const table = stagesTable(report);
  if (table === null) return '';
  return ['Stages, by the clock', ...alignColumns([table.head, ...table.rows]).map((line) => `  ${line}`)].join('\n');
}

function targetLines({ targets }: Analysis): string {
  const run = targets.filter(({ reached }) => reached !== 'not run');
  if (run.length === 0) return '';
  const rows = run.map((target) => [
    `${target.what}${target.backend === 'uv' ? ' [uv]' : ''}`,
    formatLimit(target.must, target, ['>=', '<=']),
    formatTarget(target.measured, target.unit),
    verdictOn(target),
  ]);
  const skipped = targets.length - run.length;
  const lines = alignColumns([['target', 'must', 'measured', 'reached'], ...rows]);
  return ['Targets (the worst cell of each)', ...lines.map((line) => `  ${line}`), `  ${skipped} not run`].join('\n');
}

function baselineLines(report: RunReport, { baseline }: Analysis): string {
  if (baseline === null) return '';
  const rows = baseline.rows.map(({ cell, contestant, now, before, ratio, noise, verdict }) => [
    `${cell.id} ${labelOf(report, contestant)}`,
    formatValue(before, cell.unit),
    formatValue(now, cell.unit),
    formatRatio(ratio),
    formatPercent(noise),
    verdict,
  ]);
  const lines = alignColumns([['against the baseline', 'then', 'now', 'ratio', 'noise', 'verdict'], ...rows]);
  const warning = baseline.sameMachine ? '' : ' (made on another machine)';
  return [`Baseline of ${baseline.date}${warning}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function notRunLines(report: RunReport): string {
  return report.notRun
    .map(({ label, reason, how }) => `not run: ${label}: ${reason}${how === '' ? '' : `. To run it: ${how}`}`)
    .join('\n');
}
