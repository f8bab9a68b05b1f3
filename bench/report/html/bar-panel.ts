import { ratioToRival, rivalOf } from '../../analysis/ratios.js';
import { formatBytes, formatNs, formatPercent, formatRatio, formatValue } from '../../format.js';
import type { CellReport, ContestantResult, RunReport } from '../../model.js';
import { relativeNoise } from '../../stats/summary.js';
import { labelOf } from '../tables.js';
import { at, escapeHtml } from './markup.js';
import { colourClass } from './palette.js';

const WIDTH = 480;
const LABEL_WIDTH = 166;
const FIGURE_WIDTH = 112;
const ROW = 27;
const BAR = 15;
const TOP = 20;
const BOTTOM = 6;
const PLOT = WIDTH - LABEL_WIDTH - FIGURE_WIDTH;

/**
 * One cell: a bar for each runtime, its spread as a whisker, its first run as a ring, and a line at the better Tokio.
 */
export function barPanel(report: RunReport, cell: CellReport): string {
  const measured = cell.results.filter((result) => result.value !== null);
  const rival = rivalOf(cell);
  const line = rival?.result.value?.median;
  const greatest = Math.max(
    ...measured.flatMap((result) => [result.value?.max ?? 0, result.first?.median ?? 0]),
    line ?? 0,
  );
  const height = TOP + cell.results.length * ROW + BOTTOM;
  const scale = (value: number) => LABEL_WIDTH + (greatest > 0 ? (value / greatest) * PLOT : 0);
  const rows = cell.results.map((result, k) => barRow(report, cell, result, TOP + k * ROW, scale)).join('\n');
  const heading = `${escapeHtml(cell.title)}, ${escapeHtml(cell.load)}`;
  return `<figure class="panel"><h3>${heading} <span>${escapeHtml(panelNote(cell))}</span></h3>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${heading}: ${escapeHtml(summaryOf(report, cell))}">
${rival === undefined || line === undefined ? '' : rivalLine(rival.label, scale(line), height)}
${rows}
</svg></figure>`;
}

function panelNote(cell: CellReport): string {
  if (cell.kind !== 'compute') return cell.unit;
  return `${cell.n.toLocaleString('en-US')} · ${cell.unit}`;
}

function rivalLine(label: string, x: number, height: number): string {
  const anchor = x > LABEL_WIDTH + PLOT - 30 ? 'end' : 'middle';
  return `<line class="one" x1="${at(x)}" x2="${at(x)}" y1="${TOP - 4}" y2="${height - BOTTOM}"/>
<text class="tiny" x="${at(x)}" y="${TOP - 8}" text-anchor="${anchor}">${escapeHtml(label)} = 1.0x</text>`;
}

function barRow(
  report: RunReport,
  cell: CellReport,
  result: ContestantResult,
  top: number,
  scale: (value: number) => number,
): string {
  const middle = top + ROW / 2;
  const baseline = at(middle + 4.5);
  const isOurs = result.contestant.startsWith('millrace');
  const label = escapeHtml(labelOf(report, result.contestant));
  const name = `<text class="${isOurs ? 'strong' : 'soft'}" x="${LABEL_WIDTH - 10}" y="${baseline}" text-anchor="end">${label}</text>`;
  const { value, first } = result;
  if (value === null) {
    const why = escapeHtml(result.failures[0] ?? 'no sample');
    return `<g class="row"><title>${label}: failed. ${why}</title>${name}<text class="tiny" x="${LABEL_WIDTH}" y="${baseline}">failed</text></g>`;
  }
  const left = LABEL_WIDTH;
  const end = scale(value.median);
  const low = scale(value.min);
  const high = scale(value.max);
  const ratio = ratioToRival(cell, result);
  const reach = `M${at(low)} ${at(middle)}H${at(high)}M${at(low)} ${at(middle - 4)}V${at(middle + 4)}M${at(high)} ${at(middle - 4)}V${at(middle + 4)}`;
  const whisker =
    value.count > 1 ? `<path class="whisker-back" d="${reach}"/><path class="whisker" d="${reach}"/>` : '';
  const ring =
    first === null ? '' : `<circle class="first" cx="${at(scale(first.median))}" cy="${at(middle)}" r="3.2"/>`;
  const figureX = WIDTH - FIGURE_WIDTH + 12;
  return `<g class="row ${colourClass(result.contestant)}"><title>${escapeHtml(describe(label, cell, result))}</title>${name}
<rect class="bar" x="${left}" y="${at(middle - BAR / 2)}" width="${at(Math.max(1, end - left))}" height="${BAR}" rx="2"/>${whisker}${ring}
<text class="${isOurs ? 'strong' : ''}" x="${figureX}" y="${baseline}">${escapeHtml(formatValue(value.median, cell.unit))}</text>
<text class="soft" x="${WIDTH - 1}" y="${baseline}" text-anchor="end">${Number.isFinite(ratio) ? formatRatio(ratio) : ''}</text></g>`;
}

function describe(label: string, cell: CellReport, result: ContestantResult): string {
  const { value, first } = result;
  if (value === null) return label;
  const lines = [
    label,
    `${formatValue(value.median, cell.unit)} ${cell.unit}, median of ${value.count}`,
    `${formatValue(value.min, cell.unit)} .. ${formatValue(value.max, cell.unit)}, ±${formatPercent(relativeNoise(value))}`,
  ];
  if (first !== null) lines.push(`first run: ${formatValue(first.median, cell.unit)} ${cell.unit}`);
  if (result.cpuNsPerOperation !== null) lines.push(`CPU: ${formatNs(result.cpuNsPerOperation.median)} for each`);
  if (result.peakMemoryBytes !== null) lines.push(`peak memory: ${formatBytes(result.peakMemoryBytes.median)}`);
  const { p50Us, p99Us } = result.extras;
  if (p50Us !== undefined && p99Us !== undefined) {
    lines.push(`latency: median ${p50Us.median.toFixed(0)} us, 99 % ${p99Us.median.toFixed(0)} us`);
  }
  return lines.join('\n');
}

function summaryOf(report: RunReport, cell: CellReport): string {
  return cell.results
    .map((result) => {
      const figure = result.value === null ? 'failed' : formatValue(result.value.median, cell.unit);
      return `${labelOf(report, result.contestant)} ${figure}`;
    })
    .join('; ');
}
