import type { RunReport } from '../model.js';
import { cellHeading, RESULT_HEADINGS, resultRows } from './tables.js';

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

export function terminalTables(report: RunReport): string {
  const parts: string[] = [];
  for (const cell of report.cells) {
    const rows = resultRows(report, cell);
    const lines = alignColumns([
      RESULT_HEADINGS,
      ...rows.map((row) => [
        `${row.isBest ? '*' : ' '} ${row.runtime}`,
        row.value,
        row.ratio,
        row.spread,
        row.range,
        row.first,
        row.cpu,
        row.memory,
      ]),
    ]);
    parts.push([cellHeading(cell), ...lines.map((line) => `  ${line}`)].join('\n'));
    for (const row of rows) {
      if (row.failure !== '') parts.push(`  ${row.runtime} failed: ${row.failure}`);
    }
  }
  for (const { label, reason, how } of report.notRun) {
    parts.push(`not run: ${label}: ${reason}${how === '' ? '' : `. To run it: ${how}`}`);
  }
  return `${parts.join('\n\n')}\n`;
}
