import type { Analysis } from '../../analysis/analyze.js';
import type { RunReport } from '../../model.js';
import { headline, heroes } from '../headline.js';
import { methodOf } from '../method.js';
import { httpOverview, stagesSection } from './http-page.js';
import { escapeHtml, table } from './markup.js';
import { ratioStrip } from './ratio-strip.js';
import { analysisSection, baselineSection, referenceSection, targetsSection, workloadSections } from './sections.js';
import { stylesheet } from './style.js';

// A machine that only waits stays below it.
const QUIET_LOAD_MAX = 0.5;

/** The whole report as one HTML file that loads nothing from elsewhere. */
export function htmlReport(report: RunReport, analysis: Analysis): string {
  const date = new Date(report.date).toUTCString();
  const strip = ratioStrip(report);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>Millrace benchmark, ${escapeHtml(report.date.slice(0, 10))}</title>
<style>${stylesheet()}</style>
</head>
<body>
<header>
<div class="brand">${WHEEL}<span>Millrace benchmark</span></div>
<h1>${titleOf(report)}</h1>
<p class="lede">${escapeHtml(headline(report))}</p>
${heroTiles(report)}
<ul class="facts">
<li><b>${escapeHtml(date)}</b></li>
<li><b>${escapeHtml(report.machine.cpu)}</b>, ${report.machine.cores} cores</li>
<li>${escapeHtml(report.machine.kernel)}</li>
<li>${report.mode} run, ${report.roundsDone} samples in each cell</li>
</ul>
${unquietNote(report)}
</header>
<main>
${strip === '' ? '' : `<section id="overview"><h2>Everything at a glance</h2><p class="note">How many times the speed of the better of Tokio’s two runtimes, on a logarithmic axis. Right of the line is faster. The stroke behind a dot is its range.</p>${strip}</section>`}
${workloadSections(report, 'other')}
${httpOverview(report)}
${workloadSections(report, 'http')}
${stagesSection(report)}
${targetsSection(analysis.targets)}
${baselineSection(report, analysis)}
${analysisSection(report, analysis)}
${referenceSection()}
${notRunSection(report)}
<section id="method"><h2>How it was measured</h2><dl class="method">
${methodOf(report)
  .map(([what, how]) => `<dt>${escapeHtml(what)}</dt><dd>${escapeHtml(how)}</dd>`)
  .join('\n')}
</dl></section>
</main>
<footer>Made by <code>npx millrace bench</code>. Everything in this page was computed from one run on one machine.</footer>
</body>
</html>
`;
}

function titleOf({ cells }: RunReport): string {
  return cells.length > 0 && cells.every(({ workload }) => workload.startsWith('http'))
    ? 'The race against node:http'
    : 'The race against Tokio';
}

/** The one thing that a reader must know before any number. */
function unquietNote(report: RunReport): string {
  const { loadAverage } = report.machine;
  if (loadAverage <= QUIET_LOAD_MAX) return '';
  return `<p class="warning">Something else was running: the load average was ${loadAverage.toFixed(1)} at the start. Take the figures with care.</p>`;
}

function heroTiles(report: RunReport): string {
  const tiles = heroes(report).map(
    ({ title, detail, ratio, rival }) =>
      `<div class="hero${ratio < 1 ? ' behind' : ''}"><div class="number">${ratio.toFixed(2)}<small>x</small></div><div class="what">${escapeHtml(title)}</div><div class="how">${escapeHtml(detail)}, to ${escapeHtml(rival.replace('better', 'the better'))}</div></div>`,
  );
  return tiles.length === 0 ? '' : `<div class="heroes">${tiles.join('')}</div>`;
}

function notRunSection(report: RunReport): string {
  if (report.notRun.length === 0) return '';
  const rows = report.notRun.map(({ label, reason, how }) => [escapeHtml(label), escapeHtml(reason), escapeHtml(how)]);
  return `<section id="not-run"><h2>Not run</h2>${table(['what', 'why', 'how to get it'], rows, 'prose')}</section>`;
}

// A mill wheel: a rim and eight paddles.
const WHEEL = `<svg viewBox="0 0 40 40" aria-hidden="true"><g fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"><circle cx="20" cy="20" r="10.5"/><circle cx="20" cy="20" r="2.2"/>${Array.from(
  { length: 8 },
  (_, k) => `<line x1="20" y1="13.5" x2="20" y2="3" transform="rotate(${k * 45} 20 20)"/>`,
).join('')}</g></svg>`;
