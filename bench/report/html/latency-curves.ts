import { formatCount, formatNs } from '../../format.js';
import type { CellReport, ContestantResult, RunReport } from '../../model.js';
import { labelOf } from '../tables.js';
import { at, escapeHtml } from './markup.js';
import { colourClass } from './palette.js';

const WIDTH = 900;
const HEIGHT = 360;
const LEFT = 70;
const RIGHT = 190;
const TOP = 18;
const BOTTOM = 34;

/** Where each percentile stands: as far from the last as there are fewer messages above it. */
const PERCENTILES = [
  { name: 'p50Us', share: 0.5, label: '50 %' },
  { name: 'p90Us', share: 0.9, label: '90 %' },
  { name: 'p99Us', share: 0.99, label: '99 %' },
  { name: 'p999Us', share: 0.999, label: '99.9 %' },
] as const;

const LABEL_GAP = 15;

interface Curve {
  readonly contestant: string;
  readonly label: string;
  readonly rate: number;
  readonly points: readonly number[];
}

/** The percentiles of each runtime as a curve, on logarithmic axes; nothing for a cell that is not about latency. */
export function latencyCurves(report: RunReport, cell: CellReport): string {
  if (cell.kind !== 'latency' && cell.kind !== 'http-latency') return '';
  const messages = cell.kind === 'latency' ? 'messages' : 'requests';
  const curves = cell.results.flatMap((result) => curveOf(report, result));
  const values = curves.flatMap(({ points }) => points);
  if (values.length === 0) return '';
  const low = Math.log10(Math.min(...values) / 1.15);
  const high = Math.log10(Math.max(...values) * 1.15);
  const y = (value: number) => TOP + ((high - Math.log10(value)) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const steps = Math.log10(1 / (1 - PERCENTILES[3].share)) - Math.log10(1 / (1 - PERCENTILES[0].share));
  const x = (share: number) => LEFT + ((Math.log10(1 / (1 - share)) - Math.log10(2)) / steps) * (WIDTH - LEFT - RIGHT);
  const places = spread(curves.map(({ points }) => y(points.at(-1) ?? 1)));
  const heading = `${cell.title}, ${cell.load}`;
  return `<h3>${escapeHtml(heading)}: percentiles</h3>
<div class="scroll wide"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(heading)}: latency over percentiles; the table below has the numbers">
${axes(low, high, x, y)}
${curves.map((curve, k) => drawn(curve, messages, places[k] ?? 0, x, y)).join('\n')}
</svg></div>`;
}

function curveOf(report: RunReport, { contestant, extras }: ContestantResult): Curve[] {
  const points = PERCENTILES.map(({ name }) => extras[name]?.median);
  const rate = extras.ratePerSecond?.median;
  if (rate === undefined || !points.every((value) => value !== undefined && value > 0)) return [];
  return [{ contestant, label: labelOf(report, contestant), rate, points: points.map(Number) }];
}

function axes(low: number, high: number, x: (share: number) => number, y: (value: number) => number): string {
  const columns = PERCENTILES.map(
    ({ share, label }) =>
      `<line class="axis" x1="${at(x(share))}" x2="${at(x(share))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text class="soft" x="${at(x(share))}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${label}</text>`,
  );
  const rows: string[] = [];
  for (let decade = Math.floor(low); decade <= high; decade++) {
    for (const step of [1, 2, 5]) {
      const value = step * 10 ** decade;
      if (Math.log10(value) < low || Math.log10(value) > high) continue;
      rows.push(
        `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(value))}" y2="${at(y(value))}"/><text class="soft" x="${LEFT - 10}" y="${at(y(value) + 4)}" text-anchor="end">${escapeHtml(formatNs(value * 1_000))}</text>`,
      );
    }
  }
  return [...columns, ...rows].join('\n');
}

function drawn(
  curve: Curve,
  messages: string,
  labelY: number,
  x: (share: number) => number,
  y: (value: number) => number,
): string {
  const places = curve.points.map((value, k) => [x(PERCENTILES[k]?.share ?? 0.5), y(value)] as const);
  const path = places.map(([px, py], k) => `${k === 0 ? 'M' : 'L'}${at(px)} ${at(py)}`).join('');
  const [endX, endY] = places.at(-1) ?? [0, 0];
  const figures = curve.points.map((value, k) => `${PERCENTILES[k]?.label}: ${formatNs(value * 1_000)}`);
  const title = [`${curve.label}, ${formatCount(curve.rate)} ${messages}/s`, ...figures].join('\n');
  const isOurs = curve.contestant.startsWith('millrace');
  return `<g class="row ${colourClass(curve.contestant)}"><title>${escapeHtml(title)}</title><path class="spark" d="${path}"/>${places
    .map(([px, py]) => `<circle class="dot" cx="${at(px)}" cy="${at(py)}" r="3.4"/>`)
    .join('')}<line class="reach" x1="${at(endX + 4)}" x2="${at(endX + 14)}" y1="${at(endY)}" y2="${at(labelY)}"/>
<text class="${isOurs ? 'strong' : 'soft'}" x="${at(endX + 18)}" y="${at(labelY + 4)}">${escapeHtml(curve.label)}</text></g>`;
}

/** Moves places apart so that labels do not lie on each other, keeping their order. */
function spread(places: readonly number[]): number[] {
  const order = places.map((_, k) => k).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  const moved = [...places];
  let floor = TOP;
  for (const k of order) {
    moved[k] = Math.max(floor, moved[k] ?? 0);
    floor = (moved[k] ?? 0) + LABEL_GAP;
  }
  // What was pushed out at the bottom goes up again, and takes its neighbours along.
  let ceiling = HEIGHT - 6;
  for (const k of order.reverse()) {
    moved[k] = Math.min(ceiling, moved[k] ?? 0);
    ceiling = (moved[k] ?? 0) - LABEL_GAP;
  }
  return moved;
}
