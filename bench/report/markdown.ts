import type { Analysis } from '../analysis/analyze.js';
import { REFERENCE_NOTE, REFERENCE_ROWS } from '../analysis/reference.js';
import { formatLimit, formatTarget, verdictOn } from '../analysis/targets.js';
import { formatPercent, formatRatio, formatValue } from '../format.js';
import type { RunReport } from '../model.js';
import { headline } from './headline.js';
import { methodOf } from './method.js';
import { STAGES_NOTE, stagesTable } from './stages.js';
import { cellHeading, labelOf, resultTable, trendText } from './tables.js';

/** The report as Markdown tables. */
export function markdownReport(report: RunReport, analysis: Analysis): string {
  return `${[
    `# Millrace benchmark, ${report.date.slice(0, 10)}`,
    headline(report),
    '## Targets',
    targets(analysis),
    '## Results',
    ...report.cells.map((cell) => results(report, cell)),
    ...stages(report),
    ...(analysis.baseline === null ? [] : ['## Against the baseline', baseline(report, analysis)]),
    '## Where each slows down, and why',
    findings(report, analysis),
    '## Reference rows',
    REFERENCE_NOTE,
    reference(),
    ...(report.notRun.length === 0 ? [] : ['## Not run', notRun(report)]),
    '## Method',
    methodOf(report)
      .map(([what, how]) => `- **${what}**: ${how}`)
      .join('\n'),
  ].join('\n\n')}\n`;
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, k) => (k === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function targets({ targets }: Analysis): string {
  const rows = targets.map((target) => {
    const done = target.parts.filter(({ measured }) => measured !== null).length;
    return [
      target.what,
      target.backend,
      formatLimit(target.must, target),
      formatLimit(target.aim, target),
      formatTarget(target.measured, target.unit),
      verdictOn(target),
      `${done} of ${target.parts.length}`,
    ];
  });
  return markdownTable(['what', 'backend', 'must', 'aim', 'measured (worst cell)', 'reached', 'cells run'], rows);
}

function results(report: RunReport, cell: RunReport['cells'][number]): string {
  const { head, rows } = resultTable(report, cell);
  const lines = rows.map(({ runtime, figures, isBest }) => [isBest ? `**${runtime}**` : runtime, ...figures]);
  return `### ${cellHeading(cell)}\n\n${markdownTable(head, lines)}`;
}

function stages(report: RunReport): string[] {
  const table = stagesTable(report);
  return table === null ? [] : ['## Stages', STAGES_NOTE, markdownTable(table.head, table.rows)];
}

function baseline(report: RunReport, analysis: Analysis): string {
  const rows = (analysis.baseline?.rows ?? []).map(({ cell, contestant, now, before, ratio, noise, verdict }) => [
    cell.id,
    labelOf(report, contestant),
    formatValue(before, cell.unit),
    formatValue(now, cell.unit),
    formatRatio(ratio),
    Number.isNaN(noise) ? '-' : `±${formatPercent(noise)}`,
    verdict,
  ]);
  return markdownTable(['cell', 'runtime', 'then', 'now', 'ratio', 'noise', 'verdict'], rows);
}

function findings(report: RunReport, analysis: Analysis): string {
  const rows = analysis.findings.map(({ title, contestant, trend, bottleneck }) => [
    title,
    labelOf(report, contestant),
    trend === null ? '' : trendText(trend),
    [bottleneck.finding, ...bottleneck.remarks].join('; '),
    bottleneck.advice,
  ]);
  return markdownTable(['workload', 'runtime', 'trend', 'what limits it', 'advice'], rows);
}

function reference(): string {
  const figure = ([rate, latencyUs]: readonly [number, number | null]) =>
    `${rate.toLocaleString('en-US')}${latencyUs === null ? '' : `, ${latencyUs.toLocaleString('en-US')} us`}`;
  const rows = REFERENCE_ROWS.map((row) => [row.load, figure(row.scheduling), figure(row.io), figure(row.allocation)]);
  return markdownTable(['load', 'scheduling ops/s', 'I/O ops/s', 'allocation ops/s'], rows);
}

function notRun(report: RunReport): string {
  return markdownTable(
    ['what', 'why', 'how to get it'],
    report.notRun.map(({ label, reason, how }) => [label, reason, how]),
  );
}
