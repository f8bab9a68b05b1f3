import { isAgainstTokio, ratioToRival, rivalOf } from '../../analysis/ratios.js';
import { formatRatio } from '../../format.js';
import type { CellReport, RunReport } from '../../model.js';
import { labelOf } from '../tables.js';
import { at, escapeHtml } from './markup.js';
import { colourClass, colourKey } from './palette.js';

const WIDTH = 900;
const LEFT = 168;
const RIGHT = 24;
const ROW = 26;
const TOP = 34;
const BOTTOM = 12;
const TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

interface Dot {
  readonly contestant: string;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

const STRIPS = {
  tokio: { one: 'Tokio', rival: 'the better Tokio', has: isAgainstTokio },
  http: { one: '1x', rival: 'node:http', has: (cell: CellReport) => cell.workload.startsWith('http') },
} as const;

/**
 * Every cell in one picture: how each runtime stands to the better Tokio, or in HTTP to node:http, on a logarithmic axis with
 * 1.0x marked.
 */
export function ratioStrip(report: RunReport, kind: keyof typeof STRIPS = 'tokio'): string {
  const { one, rival, has } = STRIPS[kind];
  const rows = report.cells
    .filter((cell) => has(cell) && rivalOf(cell) !== undefined)
    .map((cell) => ({ cell, dots: dotsOf(cell) }));
  const ratios = rows.flatMap(({ dots }) => dots.flatMap(({ low, high }) => [low, high]));
  if (ratios.length === 0) return '';
  const least = Math.min(0.5, ...ratios) / 1.12;
  const greatest = Math.max(2, ...ratios) * 1.12;
  const span = Math.log(greatest / least);
  const x = (ratio: number) => LEFT + (Math.log(ratio / least) / span) * (WIDTH - LEFT - RIGHT);
  const height = TOP + rows.length * ROW + BOTTOM;
  const ticks = TICKS.filter((tick) => tick > least && tick < greatest)
    .map((tick) => {
      const line = tick === 1 ? 'one' : 'axis';
      const text = tick === 1 ? one : `${tick}x`;
      return `<line class="${line}" x1="${at(x(tick))}" x2="${at(x(tick))}" y1="${TOP - 8}" y2="${height - BOTTOM}"/><text class="${tick === 1 ? 'strong' : 'soft'}" x="${at(x(tick))}" y="${TOP - 15}" text-anchor="middle">${text}</text>`;
    })
    .join('\n');
  const marks = rows.map(({ cell, dots }, k) => stripRow(report, cell, dots, TOP + k * ROW + ROW / 2, x)).join('\n');
  const entered = new Set(rows.flatMap(({ dots }) => dots.map(({ contestant }) => contestant)));
  return `<ul class="legend">${legend(report, entered)}</ul>
<div class="scroll wide"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Ratio of every runtime to ${rival}, in every cell; the tables below have the numbers">
${ticks}
${marks}
</svg></div>`;
}

function dotsOf(cell: CellReport): Dot[] {
  const tokio = rivalOf(cell)?.result.value?.median;
  if (tokio === undefined) return [];
  return cell.results.flatMap((result) => {
    if (result.value === null) return [];
    const { min, max } = result.value;
    const [low, high] = cell.better === 'higher' ? [min / tokio, max / tokio] : [tokio / max, tokio / min];
    return [{ contestant: result.contestant, ratio: ratioToRival(cell, result), low, high }];
  });
}

function stripRow(
  report: RunReport,
  cell: CellReport,
  dots: readonly Dot[],
  y: number,
  x: (ratio: number) => number,
): string {
  // Ours are drawn last, to lie above the others.
  const ordered = [...dots].sort((a, b) => Number(isOurs(a)) - Number(isOurs(b)));
  const marks = ordered
    .map((dot) => {
      const title = `${labelOf(report, dot.contestant)}: ${formatRatio(dot.ratio)} (${formatRatio(dot.low)} .. ${formatRatio(dot.high)})`;
      return `<g class="row ${colourClass(dot.contestant)}"><title>${escapeHtml(title)}</title><line class="reach" x1="${at(x(dot.low))}" x2="${at(x(dot.high))}" y1="${at(y)}" y2="${at(y)}"/><circle class="dot" cx="${at(x(dot.ratio))}" cy="${at(y)}" r="${radiusOf(dot)}"/></g>`;
    })
    .join('');
  const label = `${cell.title.replace('HTTP ', '')}, ${cell.load}`;
  return `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y)}" y2="${at(y)}"/><text x="${LEFT - 14}" y="${at(y + 4.5)}" text-anchor="end">${escapeHtml(label)}</text>${marks}`;
}

function isOurs({ contestant }: Dot): boolean {
  return contestant.startsWith('millrace');
}

function radiusOf(dot: Dot): number {
  if (!isOurs(dot)) return 4.5;
  return dot.contestant.endsWith('-uv') ? 5 : 6.5;
}

/** One entry for each colour: what shares a colour never shares a row. */
function legend(report: RunReport, entered: ReadonlySet<string>): string {
  const byColour = new Map<string, { id: string; labels: string[] }>();
  for (const { id, label } of report.contestants) {
    if (!entered.has(id)) continue;
    const entry = byColour.get(colourKey(id));
    if (entry === undefined) byColour.set(colourKey(id), { id, labels: [label] });
    else entry.labels.push(label.replace('Millrace ', '').replace('Go, ', ''));
  }
  return [...byColour.values()]
    .map(({ id, labels }) => `<li class="${colourClass(id)}"><i></i>${escapeHtml(labels.join(' / '))}</li>`)
    .join('');
}
