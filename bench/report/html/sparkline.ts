import type { Trend } from '../../analysis/trend.js';
import { formatCount } from '../../format.js';
import { at, escapeHtml } from './markup.js';
import { colourClass } from './palette.js';

const WIDTH = 92;
const HEIGHT = 26;
const MARGIN = 4;

/** Speed over load; the axis begins at zero, so that a small change looks small. */
export function sparkline(trend: Trend): string {
  const { points } = trend;
  const greatest = Math.max(...points.map(({ value }) => value));
  const step = (WIDTH - 2 * MARGIN) / (points.length - 1);
  const places = points.map(({ value }, k) => [
    MARGIN + k * step,
    HEIGHT - MARGIN - (value / greatest) * (HEIGHT - 2 * MARGIN),
  ]);
  const path = places.map(([x = 0, y = 0], k) => `${k === 0 ? 'M' : 'L'}${at(x)} ${at(y)}`).join('');
  const [endX = 0, endY = 0] = places.at(-1) ?? [];
  const text = points.map(({ load, value }) => `${load} ${formatCount(value)}`).join(', ');
  return `<svg class="${colourClass(trend.contestant)}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(text)}"><title>${escapeHtml(text)}</title><path class="spark" d="${path}"/><circle class="spark-end" cx="${at(endX)}" cy="${at(endY)}" r="2.6"/></svg>`;
}
