// Fills the blocks between the marks `numbers`, `numbers:network` and `numbers:http` in README.md and docs/benchmarks.md from a benchmark's
// JSON export, so that no number there is written by hand: `npm run docs:numbers [-- FILE]`, by default the latest run.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The parts of a run, and the name of the mark of each. A run that has none of a part leaves its blocks as they are. */
const PARTS = { compute: 'numbers', net: 'numbers:network', http: 'numbers:http' };
/** Below this a median says little; a run of the network is long, and its caption tells that there were two. Memory does not
 * flicker: one sample is what `idle` has. */
const COMPUTE_SAMPLES_MIN = 3;
const NETWORK_SAMPLES_MIN = 2;
const ONE_SAMPLE = new Set(['idle/10k', 'http-idle/10k', 'http-steady/10ms']);

const kib = (value) => `${(value / 1_024).toFixed(1)} KiB`;
const us = (value) => `${value.toFixed(0)} us`;

const COMPUTE_ROWS = [
  ['scheduling/light', 'Scheduling, 1,000 tasks', count],
  ['scheduling/extreme', 'Scheduling, 100,000 tasks', count],
  ['io/light', 'I/O, 1,000 tasks', count],
  ['io/extreme', 'I/O, 100,000 tasks', count],
  ['allocation/light', 'Allocation, 1,000 tasks', count],
  ['allocation/extreme', 'Allocation, 100,000 tasks', count],
  ['spawn/100k', 'Spawn and join', count],
  ['channel/100k', 'Bounded channel', count],
];
const NETWORK_ROWS = [
  ['echo/64B', 'TCP echo, 64 B', count],
  ['echo/64Bx16', 'TCP echo, 64 B, 16 in flight', count],
  ['echo/16KiB', 'TCP echo, 16 KiB', bytes],
  ['echo/256KiB', 'TCP echo, 256 KiB', bytes],
  ['udp/64B', 'UDP echo, 64 B', count],
  ['udp/64Bx4', 'UDP echo, 64 B, 4 in flight', count],
  ['churn/64B', 'Accept, one request, close', count],
  ['idle/10k', 'An idle connection of 10,000', kib],
  ['busy-among-idle/100of10k', '100 busy among 10,000, to 100 alone', (value) => `${value.toFixed(2)}x`],
  ['latency/same-rate', 'p99 at half of node:net’s limit', us],
  ['client/pg', 'pg, SELECT 1', count],
  ['client/redis', 'ioredis, GET', count],
];
const HTTP_ROWS = [
  ['http-plaintext/64', 'Plaintext', count],
  ['http-plaintext/64x16', 'Plaintext, 16 pipelined', count],
  ['http-plaintext/1024', 'Plaintext, 1,024 connections', count],
  ['http-static/64x16', 'Static route, 16 pipelined', count],
  ['http-params/64', 'Route with parameters', count],
  ['http-json/1KiB', 'JSON echo, 1 KiB', count],
  ['http-stream/16x1KiB', 'Streaming, 16 times 1 KiB', count],
  ['http-body/get-10KiB', 'Download of 10 KiB', bytes],
  ['http-body/get-1MiB', 'Download of 1 MiB', bytes],
  ['http-body/post-10KiB', 'Upload of 10 KiB', bytes],
  ['http-body/post-1MiB', 'Upload of 1 MiB', bytes],
  ['http-latency/same-rate', 'p99 at half of node:http’s limit', us],
  ['http-idle/10k', 'An idle connection of 10,000', kib],
];
/** An app on each server: the columns are the servers. */
const APP_ROWS = [
  ['http-app/express', 'Express app', count],
  ['http-app/hono', 'Hono app', count],
];
const TOKIO = ['Tokio, the better', ['tokio-current', 'tokio-multi']];
/** Columns: what stands in each; the better where there are several. The first is held against Tokio. */
const COMPUTE_COLUMNS = [
  ['Millrace fibers', ['millrace-fibers']],
  ['Millrace async', ['millrace-async']],
  ['Millrace fibers, uv', ['millrace-fibers-uv']],
  TOKIO,
  ['Go', ['go']],
  ['Bun', ['bun']],
  ['Node', ['node']],
];
const NETWORK_COLUMNS = [
  ['Millrace handlers', ['millrace-handlers', 'millrace-sockets']],
  ['Millrace streams', ['millrace-streams']],
  ['Millrace handlers, uv', ['millrace-handlers-uv', 'millrace-sockets-uv']],
  TOKIO,
  ['Go', ['go-one']],
  ['Bun', ['bun']],
  ['Node', ['node']],
];
const NODE = ['Node', ['node']];
const HTTP_COLUMNS = [
  ['Millrace', ['millrace-http']],
  ['Millrace, uv', ['millrace-http-uv']],
  NODE,
  ['Bun', ['bun']],
  ['Deno', ['deno']],
  ['µWebSockets.js', ['uws']],
  ['Go', ['go-one']],
  ['hyper', ['hyper']],
  ['Tokio, fixed reply', ['tokio-fixed']],
  ['C io_uring, fixed reply', ['c']],
];
const APP_ON_NODE = ['Node', ['express', 'hono-node']];
const APP_COLUMNS = [
  ['Millrace', ['millrace-express', 'millrace-hono']],
  ['Millrace, uv', ['millrace-express-uv', 'millrace-hono-uv']],
  APP_ON_NODE,
  ['Bun', ['hono-bun']],
];
/** No race, but figures of each alone. */
const WITHOUT_RATIO = new Set(['idle/10k', 'busy-among-idle/100of10k', 'http-idle/10k']);

/** The README's table of computing. @throws Error where there is nothing to show, or too few samples. */
export function computeTable(report) {
  const what = 'Operations a second, one core; Tokio multi_thread and Go on all cores.';
  return table(report, COMPUTE_ROWS, COMPUTE_COLUMNS, what, COMPUTE_SAMPLES_MIN);
}

/** The README's table of the network. @throws as `computeTable` */
export function networkTable(report) {
  const what =
    'Messages, bytes, connections or requests a CPU-second of the server, of the client in the last two rows; 64 connections where none are told. Clients are held against Node: the same client over node:net.';
  return table(report, NETWORK_ROWS, NETWORK_COLUMNS, what, NETWORK_SAMPLES_MIN);
}

/** The README's tables of HTTP: servers, and under it apps on them where they were run. @throws as `computeTable` */
export function httpTable(report) {
  const servers = rowsOf(report, HTTP_ROWS, HTTP_COLUMNS, NODE);
  const apps = rowsOf(report, APP_ROWS, APP_COLUMNS, APP_ON_NODE);
  if (servers === null) throw new Error('this run has no figures of Millrace');
  const what =
    'Requests, or bytes of body, a CPU-second of the server, which has one core; 64 connections where none are told. A ' +
    'handler reads method and path and builds its reply; the two fixed replies know no HTTP.';
  const cells = [...servers.cells, ...(apps?.cells ?? [])];
  const text = caption(report, what, samplesIn(cells, NETWORK_SAMPLES_MIN));
  return [servers.text, ...(apps === null ? [] : [apps.text]), text].join('\n\n');
}

function table(report, rows, columns, what, samplesMin) {
  const shown = rowsOf(report, rows, columns, TOKIO);
  if (shown === null) throw new Error('this run has no figures of Millrace');
  return [shown.text, caption(report, what, samplesIn(shown.cells, samplesMin))].join('\n\n');
}

/** A table of the rows in which the first column has a figure, held against `rival`; null where there are none. */
function rowsOf(report, rows, allColumns, rival) {
  const [, ours] = allColumns[0];
  const shown = rows.flatMap(([id, title, format]) => {
    const cell = report.cells.find((candidate) => candidate.id === id);
    return cell === undefined || best(cell, ours) === null ? [] : [{ title, format, cell }];
  });
  if (shown.length === 0) return null;
  const columns = allColumns.filter(([, ids]) => shown.some(({ cell }) => best(cell, ids) !== null));
  const lines = shown.map(({ title, format, cell }) => {
    const values = columns.map(([, ids]) => (best(cell, ids) === null ? '-' : format(best(cell, ids))));
    return [title, ...values, ratio(cell, ours, rival)];
  });
  const head = ['', ...columns.map(([title]) => title), rival === TOKIO ? 'to Tokio' : 'to Node'];
  return { text: markdown(head, lines), cells: shown.map(({ cell }) => cell) };
}

/** The fewest samples of a figure. @throws Error when they are too few to be published. */
function samplesIn(cells, samplesMin) {
  const counted = cells.filter(({ id }) => !ONE_SAMPLE.has(id));
  if (counted.length === 0) return 1;
  const samples = Math.min(...counted.flatMap(({ results }) => results.flatMap(({ value }) => value?.count ?? [])));
  if (samples >= samplesMin) return samples;
  throw new Error(`this run has cells with ${samples} samples; a published figure needs at least ${samplesMin}`);
}

/** How much better than the rival; a client than Node. */
function ratio(cell, ours, rival) {
  if (WITHOUT_RATIO.has(cell.id)) return '';
  const isClient = cell.kind === 'client';
  const theirs = best(cell, isClient ? NODE[1] : rival[1]);
  if (theirs === null) return '-';
  const value = cell.better === 'lower' ? theirs / best(cell, ours) : best(cell, ours) / theirs;
  return `${value.toFixed(2)}x${isClient ? ' Node' : ''}`;
}

/** The median of the best of `ids` in `cell`; null if none was run. */
function best(cell, ids) {
  const medians = cell.results.flatMap(({ contestant, value }) =>
    ids.includes(contestant) && value !== null ? [value.median] : [],
  );
  if (medians.length === 0) return null;
  return cell.better === 'lower' ? Math.min(...medians) : Math.max(...medians);
}

function caption(report, what, samples) {
  const { machine } = report;
  const versions = [...new Set(report.contestants.map(({ version }) => version))].filter((version) => version !== '');
  const busy =
    machine.loadAverage > 0.5
      ? ` Something else was running: the load average was ${machine.loadAverage.toFixed(1)}.`
      : '';
  const absent = report.notRun.length === 0 ? '' : ` Not run: ${report.notRun.map(({ label }) => label).join(', ')}.`;
  return (
    `${what} Warm medians of at least ${samples} fresh processes, ${report.mode} run of ${report.date.slice(0, 10)} on ` +
    `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}. ${versions.join('; ')}.${absent}${busy}`
  );
}

/** 2147483648 -> `2.15 GB` */
function bytes(value) {
  return value >= 1e9 ? `${(value / 1e9).toFixed(2)} GB` : `${(value / 1e6).toFixed(0)} MB`;
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

/** `text` with `block` between the marks `name`. @throws Error unless there is one pair of them. */
export function fill(text, block, name = 'numbers') {
  const begin = `<!-- ${name}:begin -->`;
  const end = `<!-- ${name}:end -->`;
  const [before, rest, ...more] = text.split(begin);
  const [, after, ...evenMore] = rest?.split(end) ?? [];
  if (after === undefined || more.length + evenMore.length > 0)
    throw new Error(`there must be one ${begin} ... ${end}`);
  return `${before}${begin}\n\n${block}\n\n${end}${after}`;
}

async function main([file = 'bench/results/latest.json']) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const whole = JSON.parse(readFileSync(join(root, file), 'utf8'));
  const { cellsOf } = await import('../dist/bench/workloads/catalog.js');
  const done = [];
  for (const [part, mark] of Object.entries(PARTS)) {
    const ids = new Set(cellsOf(part).map(({ id }) => id));
    const report = partOf(whole, ids);
    if (report.cells.length === 0) continue;
    const short = { compute: computeTable, net: networkTable, http: httpTable }[part](report);
    const blocks = { 'README.md': short, 'docs/benchmarks.md': await fullReport(report) };
    for (const [target, block] of Object.entries(blocks)) {
      const path = join(root, target);
      writeFileSync(path, fill(readFileSync(path, 'utf8'), block, mark));
    }
    done.push(part);
  }
  if (done.length === 0) throw new Error('this run has no cells');
  console.log(`README.md and docs/benchmarks.md show the run of ${whole.date} (${done.join(', ')})`);
}

/** The report with the cells of one part, and who ran them. */
export function partOf(report, ids) {
  const cells = report.cells.filter(({ id }) => ids.has(id));
  const entered = new Set(cells.flatMap(({ results }) => results.map(({ contestant }) => contestant)));
  return { ...report, cells, contestants: report.contestants.filter(({ id }) => entered.has(id)) };
}

/** Its title goes, and its headings become parts of the page's own section. */
async function fullReport(report) {
  const { analyze } = await import('../dist/bench/analysis/analyze.js');
  const { markdownReport } = await import('../dist/bench/report/markdown.js');
  return markdownReport(report, analyze(report, null))
    .replace(/^# .*\n+/, '')
    .replace(/^#/gm, '##')
    .trimEnd();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(`docs:numbers: ${error.message}`);
    process.exitCode = 1;
  }
}
