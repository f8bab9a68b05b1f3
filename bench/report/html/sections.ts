import type { Analysis, Finding } from '../../analysis/analyze.js';
import type { CellComparison } from '../../analysis/baseline.js';
import { rivalOf } from '../../analysis/ratios.js';
import { REFERENCE_NOTE, REFERENCE_ROWS } from '../../analysis/reference.js';
import { formatLimit, formatTarget, type Reached, type TargetRow, verdictOn } from '../../analysis/targets.js';
import { formatPercent, formatRatio, formatValue } from '../../format.js';
import type { CellReport, RunReport } from '../../model.js';
import { cellHeading, labelOf, resultTable, trendText } from '../tables.js';
import { barPanel } from './bar-panel.js';
import { latencyCurves } from './latency-curves.js';
import { escapeHtml, table } from './markup.js';
import { colourClass } from './palette.js';
import { SECTIONS } from './section-list.js';
import { sparkline } from './sparkline.js';

/** How to read a panel. */
const KEY = `<div class="key c-key">
<span><svg viewBox="0 0 34 14" aria-hidden="true"><rect class="bar" x="0" y="2" width="30" height="10" rx="2"/></svg>median, warm</span>
<span><svg viewBox="0 0 34 14" aria-hidden="true"><path class="whisker" d="M4 7H30M4 3V11M30 3V11"/></svg>range</span>
<span><svg viewBox="0 0 34 14" aria-hidden="true"><circle class="first" cx="17" cy="7" r="3.4"/></svg>first run, cold</span>
<span><svg viewBox="0 0 34 14" aria-hidden="true"><line class="one" x1="2" x2="32" y1="7" y2="7"/></svg>1.0x: the better Tokio, or what stands there</span>
</div>`;

export function workloadSections(report: RunReport, part: 'http' | 'other'): string {
  const parts: string[] = [];
  for (const { id, title, introduction, workloads } of SECTIONS) {
    if (id.startsWith('http') !== (part === 'http')) continue;
    const cells = report.cells.filter((cell) => workloads.some((workload) => workload === cell.workload));
    if (cells.length === 0) continue;
    parts.push(`<section id="${id}"><h2>${escapeHtml(title)}</h2>
<p class="note">${escapeHtml(introduction)}</p>
${KEY}
<div class="panels">${cells.map((cell) => barPanel(report, cell)).join('\n')}</div>
${cells.map((cell) => latencyCurves(report, cell)).join('\n')}
<details><summary>The numbers</summary>${cells.map((cell) => numbersTable(report, cell)).join('\n')}</details></section>`);
  }
  return parts.join('\n');
}

function numbersTable(report: RunReport, cell: CellReport): string {
  const { head, rows } = resultTable(report, cell);
  const lines = rows.map(({ runtime, figures }) => [runtime, ...figures].map(escapeHtml));
  return `<h3>${escapeHtml(cellHeading(cell))}</h3>${table(head.map(escapeHtml), lines, 'numbers')}`;
}

export function winnersTable(report: RunReport, { winners }: Analysis): string {
  const rows = winners.map(({ cell, winner, lead }) => {
    const rival = rivalOf(cell)?.result;
    return [
      escapeHtml(`${cell.title}, ${cell.load}`),
      `<span class="${colourClass(winner.contestant)}"><i class="swatch"></i></span>${escapeHtml(labelOf(report, winner.contestant))}`,
      escapeHtml(winner.value === null ? '' : `${formatValue(winner.value.median, cell.unit)} ${cell.unit}`),
      Number.isFinite(lead) ? `${formatRatio(lead)}` : 'ran alone',
      rival === undefined ? '' : escapeHtml(labelOf(report, rival.contestant)),
    ];
  });
  return table(['cell', 'winner', 'speed', 'to the second', 'held against'], rows, 'winners');
}

export function findingsTable(report: RunReport, findings: readonly Finding[]): string {
  const rows = findings.map(({ contestant, trend, bottleneck }) => [
    `<span class="${colourClass(contestant)}"><i class="swatch"></i></span>${escapeHtml(labelOf(report, contestant))}`,
    trend === null ? '' : `<span class="spark-cell">${sparkline(trend)}</span>`,
    escapeHtml(trend === null ? '' : trendText(trend)),
    escapeHtml([bottleneck.finding, ...bottleneck.remarks].join('; ')),
    `<span class="advice">${escapeHtml(bottleneck.advice)}</span>`,
  ]);
  return table(['runtime', 'over the loads', 'trend', 'what limits it', 'advice'], rows, 'prose');
}

export function analysisSection(report: RunReport, analysis: Analysis): string {
  const groups = new Map<string, Finding[]>();
  for (const finding of analysis.findings) {
    const group = groups.get(finding.title);
    if (group === undefined) groups.set(finding.title, [finding]);
    else group.push(finding);
  }
  const tables = [...groups].map(
    ([title, findings], k) =>
      `<details${k < 3 ? ' open=""' : ''}><summary>${escapeHtml(title)}</summary>${findingsTable(report, findings)}</details>`,
  );
  return `<section id="analysis"><h2>Where each slows down, and why</h2>
<p class="note">Computed from CPU time against wall time, first against warm runs, memory across loads, and spread; at the greatest load that was run.</p>
${tables.join('\n')}</section>
<section id="winners"><h2>Winners</h2>${winnersTable(report, analysis)}</section>`;
}

export function targetsSection(targets: readonly TargetRow[]): string {
  const count = (reached: Reached) => targets.filter((target) => target.reached === reached).length;
  const group = (backend: 'auto' | 'uv', title: string) => {
    const rows = targets.filter((target) => target.backend === backend).map(targetRow);
    return rows.length === 0 ? '' : `<h3>${title}</h3>${table(TARGET_HEADINGS, rows, 'targets')}`;
  };
  return `<section id="targets"><h2>Targets</h2>
<p class="note">${count('yes')} reached, ${count('no')} not reached, ${count('not run')} not run. A row with several cells is as good as its worst.</p>
${group('auto', 'Automatic backend')}
${group('uv', 'uv backend (MILLRACE_BACKEND=uv), which containers run')}</section>`;
}

const TARGET_HEADINGS = ['what', 'reached', 'measured', 'must', 'aim', 'cells'];

const REACHED_CHIP: Readonly<Record<Reached, string>> = {
  yes: 'yes',
  no: 'no',
  'aim reached': 'yes',
  'aim missed': 'none',
  'not run': 'none',
};

function targetRow(target: TargetRow): string[] {
  const cells = target.parts
    .map(({ cell, measured }) => `${cell} ${measured === null ? 'not run' : formatTarget(measured, target.unit)}`)
    .join(', ');
  return [
    escapeHtml(target.what),
    `<span class="chip ${REACHED_CHIP[target.reached]}">${verdictOn(target)}</span>`,
    escapeHtml(formatTarget(target.measured, target.unit)),
    escapeHtml(formatLimit(target.must, target)),
    escapeHtml(formatLimit(target.aim, target)),
    escapeHtml(cells),
  ];
}

export function baselineSection(report: RunReport, { baseline }: Analysis): string {
  if (baseline === null) return '';
  const row = ({ cell, contestant, now, before, ratio, noise, verdict }: CellComparison) => [
    escapeHtml(`${cell.title}, ${cell.load}`),
    escapeHtml(labelOf(report, contestant)),
    escapeHtml(formatValue(before, cell.unit)),
    escapeHtml(formatValue(now, cell.unit)),
    formatRatio(ratio),
    Number.isNaN(noise) ? '-' : `±${formatPercent(noise)}`,
    `<span class="chip ${VERDICT_CHIP[verdict]}">${verdict}</span>`,
  ];
  const changed = baseline.rows.filter(({ verdict }) => verdict === 'better' || verdict === 'worse');
  const rest = baseline.rows.filter((comparison) => !changed.includes(comparison));
  const tableOf = (rows: readonly CellComparison[]) =>
    table(['cell', 'runtime', 'then', 'now', 'ratio', 'noise', 'verdict'], rows.map(row), 'baseline');
  const warning = baseline.sameMachine ? '' : ' It was made on another machine: the ratios say little.';
  return `<section id="baseline"><h2>Against the baseline</h2><p class="note">Saved ${escapeHtml(baseline.date)}.${warning} Better or worse is said only where the change is larger than the spread of both runs explains.</p>
${changed.length === 0 ? '<p>Nothing changed beyond noise.</p>' : tableOf(changed)}
<details><summary>${rest.length} without a change that can be told from noise</summary>${tableOf(rest)}</details></section>`;
}

const VERDICT_CHIP = { better: 'yes', worse: 'no', same: 'none', unsure: 'none' } as const;

export function referenceSection(): string {
  const figure = ([rate, latencyUs]: readonly [number, number | null]) =>
    escapeHtml(
      `${rate.toLocaleString('en-US')}${latencyUs === null ? '' : ` · ${latencyUs.toLocaleString('en-US')} us`}`,
    );
  const rows = REFERENCE_ROWS.map((row) => [
    escapeHtml(row.tasks === null ? row.load : `${row.load} ${row.tasks.toLocaleString('en-US')}`),
    figure(row.scheduling),
    figure(row.io),
    figure(row.allocation),
  ]);
  return `<section id="reference"><h2>Reference rows</h2><p class="note">${escapeHtml(REFERENCE_NOTE)}</p>
${table(['load', 'scheduling ops/s', 'I/O ops/s', 'allocation ops/s'], rows, 'reference')}</section>`;
}
