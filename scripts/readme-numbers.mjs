// Fills the blocks between `numbers:begin` and `numbers:end` in README.md and docs/benchmarks.md from a benchmark's JSON
// export, so that no number there is written by hand: `npm run docs:numbers [-- FILE]`, by default the latest run.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BEGIN = '<!-- numbers:begin -->';
const END = '<!-- numbers:end -->';
/** Below this a median says little. */
const SAMPLES_MIN = 3;

const ROWS = [
  ['scheduling/light', 'Scheduling, 1,000 tasks'],
  ['scheduling/extreme', 'Scheduling, 100,000 tasks'],
  ['io/light', 'I/O, 1,000 tasks'],
  ['io/extreme', 'I/O, 100,000 tasks'],
  ['allocation/light', 'Allocation, 1,000 tasks'],
  ['allocation/extreme', 'Allocation, 100,000 tasks'],
  ['spawn/100k', 'Spawn and join'],
  ['channel/100k', 'Bounded channel'],
  ['echo/64B', 'TCP echo, 64 B'],
  ['echo/64Bx16', 'TCP echo, 64 B, 16 in flight'],
  ['echo/16KiB', 'TCP echo, 16 KiB'],
];
/** Columns: what stands in each for computing and for echo; the better where there are several. */
const COLUMNS = [
  ['Millrace: fibers, handlers', ['millrace-fibers', 'millrace-handlers']],
  ['Millrace: async, streams', ['millrace-async', 'millrace-streams']],
  ['Millrace: fast path on uv', ['millrace-fibers-uv', 'millrace-handlers-uv']],
  ['Tokio, the better', ['tokio-current', 'tokio-multi']],
  ['Go', ['go', 'go-one']],
  ['Bun', ['bun']],
  ['Node', ['node']],
];
const MILLRACE = COLUMNS[0][1];
const TOKIO = COLUMNS[3][1];

/** The README's table of `report`. @throws Error where there is nothing to show, or too few samples. */
export function table(report) {
  const cells = ROWS.flatMap(([id, title]) => {
    const cell = report.cells.find((candidate) => candidate.id === id);
    return cell === undefined || best(cell, MILLRACE) === null ? [] : [{ title, cell }];
  });
  if (cells.length === 0) throw new Error('this run has no figures of Millrace');
  const samples = Math.min(...cells.flatMap(({ cell }) => cell.results.flatMap(({ value }) => value?.count ?? [])));
  if (samples < SAMPLES_MIN) {
    throw new Error(`this run has cells with ${samples} samples; a published figure needs at least ${SAMPLES_MIN}`);
  }
  const columns = COLUMNS.filter(([, ids]) => cells.some(({ cell }) => best(cell, ids) !== null));
  const rows = cells.map(({ title, cell }) => {
    const ours = best(cell, MILLRACE);
    const theirs = best(cell, TOKIO);
    const ratio = theirs === null ? '-' : `${(ours / theirs).toFixed(2)}x`;
    const values = columns.map(([, ids]) => (best(cell, ids) === null ? '-' : count(best(cell, ids))));
    return [title, ...values, ratio];
  });
  return [markdown(['', ...columns.map(([title]) => title), 'to Tokio'], rows), caption(report, samples)].join('\n\n');
}

/** The median of the best of `ids` in `cell`; null if none was run. */
function best(cell, ids) {
  const medians = cell.results.flatMap(({ contestant, value }) =>
    ids.includes(contestant) && value !== null ? [value.median] : [],
  );
  return medians.length === 0 ? null : Math.max(...medians);
}

function caption(report, samples) {
  const { machine } = report;
  const versions = [...new Set(report.contestants.map(({ version }) => version))].filter((version) => version !== '');
  const busy =
    machine.loadAverage > 0.5
      ? ` Something else was running: the load average was ${machine.loadAverage.toFixed(1)}.`
      : '';
  const absent = report.notRun.length === 0 ? '' : ` Not run: ${report.notRun.map(({ label }) => label).join(', ')}.`;
  return (
    `Operations a second, one core; for echo messages a CPU-second of the server, 64 connections. Warm medians of at least ` +
    `${samples} fresh processes, ${report.mode} run of ${report.date.slice(0, 10)} on ${machine.cpu}, ${machine.cores} cores, ` +
    `${machine.kernel}. ${versions.join('; ')}.${absent}${busy} Tokio multi_thread and Go compute on all cores.`
  );
}

/** 1234567 -> `1.23 M` */
function count(value) {
  const [size, unit] = value >= 999.5e3 ? [value / 1e6, ' M'] : value >= 999.5 ? [value / 1e3, ' k'] : [value, ''];
  return `${size >= 100 ? size.toFixed(0) : size >= 10 ? size.toFixed(1) : size.toFixed(2)}${unit}`;
}

function markdown(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** `text` with `block` between its marks. @throws Error unless there is one pair of them. */
export function fill(text, block) {
  const [before, rest, ...more] = text.split(BEGIN);
  const [, after, ...evenMore] = rest?.split(END) ?? [];
  if (after === undefined || more.length + evenMore.length > 0)
    throw new Error(`there must be one ${BEGIN} ... ${END}`);
  return `${before}${BEGIN}\n\n${block}\n\n${END}${after}`;
}

async function main([file = 'bench/results/latest.json']) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const report = JSON.parse(readFileSync(join(root, file), 'utf8'));
  const { analyze } = await import('../dist/bench/analysis/analyze.js');
  const { markdownReport } = await import('../dist/bench/report/markdown.js');
  // Its title goes, and its headings become parts of the page's own section.
  const full = markdownReport(report, analyze(report, null))
    .replace(/^# .*\n+/, '')
    .replace(/^#/gm, '##')
    .trimEnd();
  const blocks = { 'README.md': table(report), 'docs/benchmarks.md': full };
  for (const [target, block] of Object.entries(blocks)) {
    const path = join(root, target);
    writeFileSync(path, fill(readFileSync(path, 'utf8'), block));
  }
  console.log(`README.md and docs/benchmarks.md show the run of ${report.date}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(`docs:numbers: ${error.message}`);
    process.exitCode = 1;
  }
}
