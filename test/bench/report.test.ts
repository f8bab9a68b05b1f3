import { describe, expect, it } from 'vitest';
import { analyze } from '../../bench/analysis/analyze.js';
import { htmlReport } from '../../bench/report/html/page.js';
import { SECTIONS } from '../../bench/report/html/section-list.js';
import { markdownReport } from '../../bench/report/markdown.js';
import { alignColumns, terminalReport } from '../../bench/report/terminal.js';
import { CELLS, workloadsOf } from '../../bench/workloads/catalog.js';
import { type Made, madeCell, madeReport } from './race.js';

const around = (value: number, first?: number): Made => ({
  values: [value, value * 1.1, value * 0.9],
  ...(first === undefined ? {} : { first }),
});

/** A run of the open loop whose p99 is this. */
function latencies(p99Us: number): Record<string, number> {
  return { p50Us: p99Us / 5, p90Us: p99Us / 2, p99Us, p999Us: p99Us * 3, maxUs: p99Us * 4, ratePerSecond: 25_000 };
}

const HOSTILE = '<script>alert("x")</script> & \'co\'';

const report = madeReport(
  [
    madeCell('scheduling/light', {
      'millrace-fibers': around(1.5e6, 3e5),
      'tokio-current': around(1e6, 9e5),
      node: { values: [], failures: [HOSTILE] },
    }),
    madeCell('scheduling/extreme', { 'millrace-fibers': around(1.2e6, 3e5), 'tokio-current': around(1e6, 9e5) }),
    madeCell('echo/64B', {
      'millrace-handlers': { ...around(2e5), extras: { p50Us: 280, p99Us: 410, messagesPerSecond: 199_000 } },
      'tokio-current': { ...around(2.1e5), extras: { p50Us: 290, p99Us: 400, messagesPerSecond: 205_000 } },
    }),
    madeCell('latency/same-rate', {
      'millrace-handlers': { ...around(310), extras: latencies(310) },
      'tokio-current': { ...around(290), extras: latencies(290) },
      node: { ...around(700), extras: latencies(700) },
    }),
    madeCell('idle/10k', {
      'millrace-handlers': { values: [1_500], cpuNsPerOperation: null, extras: { collectedBytes: 1_100 } },
      'tokio-current': { values: [50_000], cpuNsPerOperation: null, extras: { collectedBytes: 50_000 } },
    }),
    madeCell('busy-among-idle/100of10k', {
      'millrace-handlers': { ...around(0.97), extras: { alonePerSecond: 1e5, messagesPerSecond: 9.7e4 } },
    }),
    madeCell('client/pg', { 'millrace-sockets': around(4e4), node: around(3e4) }),
    madeCell('http-plaintext/64', {
      'millrace-http': { ...around(1e5), extras: { messagesPerSecond: 101_000, p50Us: 600, p99Us: 900 } },
      node: { ...around(3e4), extras: { messagesPerSecond: 29_000, p50Us: 2_000, p99Us: 3_000 } },
    }),
    madeCell('http-app/hono', { 'millrace-hono': around(6e4), 'hono-node': around(3e4), 'hono-bun': around(5e4) }),
    madeCell('http-latency/same-rate', {
      'millrace-http': { ...around(200), extras: latencies(200) },
      node: { ...around(400), extras: latencies(400) },
    }),
    madeCell('http-rounds/10x50', { 'millrace-http': around(4e4, 9e3), node: around(2e4, 3e3) }),
    madeCell('http-steady/10ms', {
      'millrace-http': { values: [85], extras: { requests: 1_000, failures: 0, p99Us: 200, maxUs: 900 } },
    }),
    madeCell('import/millrace', { 'millrace-import': { values: [14, 15, 16], peakMemoryBytes: 5e6 } }),
  ],
  {
    generatorLimits: [{ what: 'TCP echo, closed loop', perSecond: 2e5, perLoadCpuSecond: 3e5 }],
    notRun: [{ id: 'bun', label: 'Bun', reason: HOSTILE, how: 'npm install -g bun' }],
  },
);
const analysis = analyze(report, report);
const html = htmlReport(report, analysis);

const VOID_ELEMENTS = new Set(['meta', 'br', 'hr', 'img', 'input', 'link']);

/** Walks the tags; gives what is wrong with their nesting. */
function nestingFaults(markup: string): string[] {
  const faults: string[] = [];
  const open: string[] = [];
  const withoutStyle = markup.replace(/<style>[\s\S]*?<\/style>/, '<style></style>');
  for (const [, closing, name = '', rest = ''] of withoutStyle.matchAll(/<(\/?)([a-zA-Z][\w-]*)([^>]*)>/g)) {
    if (closing === '/') {
      if (open.pop() !== name) faults.push(`</${name}> closes something else`);
    } else if (!rest.endsWith('/') && !VOID_ELEMENTS.has(name.toLowerCase())) {
      open.push(name);
    }
    if (/[<]/.test(rest)) faults.push(`an unescaped < in ${name}`);
  }
  return [...faults, ...open.map((name) => `<${name}> is never closed`)];
}

describe('the HTML report', () => {
  it('is well-formed', () => {
    expect(nestingFaults('<p><b>x</p></b>')).not.toEqual([]);
    expect(nestingFaults(html.replace('<!DOCTYPE html>', ''))).toEqual([]);
  });

  it('loads nothing from elsewhere', () => {
    expect(html).not.toMatch(/\b(src|href|srcset|action|poster)\s*=/i);
    expect(html).not.toMatch(/url\(|@import|<script|<link|<iframe|<img/i);
  });

  it('shows what came from outside as text', () => {
    expect(html).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;co&#39;');
  });

  it('draws no coordinate that is not a number', () => {
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('has a chart for each cell, with spread, first run and a tooltip for each bar', () => {
    expect(html.match(/<figure class="panel">/g)).toHaveLength(12);
    expect(html.match(/class="bar"/g)?.length).toBeGreaterThanOrEqual(6);
    expect(html).toMatch(/<title>millrace-fibers\n1\.50 M tasks\/s, median of 3\n1\.35 M \.\. 1\.65 M/);
    expect(html).toContain('class="whisker"');
    expect(html).toContain('class="first"');
    expect(html).toContain('better Tokio = 1.0x');
  });

  it('has a section for every workload that somebody may run', () => {
    const shown = SECTIONS.flatMap(({ workloads }) => workloads);
    expect([...shown].sort()).toEqual(workloadsOf(CELLS.filter(({ kind }) => kind !== 'import')).sort());
  });

  it('draws the percentiles of a latency as curves, one for each runtime, with their labels apart', () => {
    const curves = /<h3>Latency, same-rate: percentiles<\/h3>[\s\S]*?<\/svg>/.exec(html)?.[0] ?? '';
    expect(curves.match(/class="spark"/g)).toHaveLength(3);
    expect(curves).toContain(
      '<title>node, 25.0 k messages/s\n50 %: 140 us\n90 %: 350 us\n99 %: 700 us\n99.9 %: 2.10 ms',
    );
    const heights = [...curves.matchAll(/<text class="(?:strong|soft)" x="[\d.]+" y="([\d.]+)">/g)].map(([, y]) =>
      Number(y),
    );
    const sorted = heights.sort((a, b) => a - b);
    expect(sorted).toHaveLength(3);
    for (const [k, y] of sorted.entries()) if (k > 0) expect(y - (sorted[k - 1] ?? 0)).toBeGreaterThanOrEqual(14.9);
  });

  it('has a part for HTTP: its own picture of ratios, panels held against what they are about, and the stages', () => {
    const at = html.indexOf('<section id="http">');
    expect(at).toBeGreaterThan(html.indexOf('<section id="overview">'));
    const part = html.slice(at, html.indexOf('<section id="targets">'));
    expect(part).toContain('Ratio of every runtime to node:http, in every cell');
    expect(part).toContain('node:http = 1.0x');
    expect(part).toContain('Hono on Node = 1.0x');
    expect(part).toContain('node, 25.0 k requests/s');
    expect(html.slice(0, at)).not.toContain('>plaintext, 64</text>');
    const stages = /<section id="stages">[\s\S]*?<\/section>/.exec(html)?.[0] ?? '';
    expect(stages).toMatch(
      /<th scope="row">millrace-http<\/th><td>101 k<\/td>(<td><span class="chip yes">reached<\/span><\/td>){3}/,
    );
    expect(stages).toMatch(
      /<th scope="row">node<\/th><td>29\.0 k<\/td><td><span class="chip yes">.*?(<td><span class="chip no">not reached<\/span><\/td>){2}/,
    );
  });

  it('of HTTP alone is the race against node:http', () => {
    const alone = madeReport([madeCell('http-json/1KiB', { 'millrace-http': around(5e4), node: around(2e4) })]);
    const page = htmlReport(alone, analyze(alone, null));
    expect(page).toContain('<h1>The race against node:http</h1>');
    expect(page).toContain('Millrace is ahead of node:http in 1 of 1 HTTP cells.');
    expect(page).toMatch(/HTTP JSON<\/div><div class="how">a handler, one cell, to node:http/);
    expect(nestingFaults(page.replace('<!DOCTYPE html>', ''))).toEqual([]);
  });

  it('claims no ratio where there is no race', () => {
    expect(html).toMatch(/Idle memory, 10k <span>bytes of memory each<\/span>(?:(?!1\.0x)[\s\S])*?<\/figure>/);
  });

  it('tells what the load generator can do itself', () => {
    expect(html).toContain('TCP echo, closed loop: 200 k/s, 300 k for each of its CPU-seconds');
  });

  it('has both themes, targets, the comparison, the reference rows, what did not run, and the method', () => {
    expect(html).toContain('prefers-color-scheme: dark');
    for (const id of ['overview', 'targets', 'baseline', 'analysis', 'winners', 'reference', 'not-run', 'method']) {
      expect(html).toContain(`<section id="${id}">`);
    }
    expect(html).toContain('1,104,159 · 250.42 us');
    expect(html).toContain('Test CPU');
  });

  it('stays well-formed when nothing could be measured', () => {
    const empty = madeReport([]);
    const page = htmlReport(empty, analyze(empty, null));
    expect(nestingFaults(page.replace('<!DOCTYPE html>', ''))).toEqual([]);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('the Markdown report', () => {
  const markdown = markdownReport(report, analysis);

  it('has tables whose rows all have as many columns as their head', () => {
    const tables = markdown.split('\n\n').filter((block) => block.startsWith('|'));
    expect(tables.length).toBeGreaterThan(6);
    for (const block of tables) {
      const widths = block.split('\n').map((line) => line.replaceAll('\\|', '').split('|').length);
      expect(new Set(widths).size, block).toBe(1);
    }
  });

  it('marks the winner and shows the failure’s place', () => {
    expect(markdown).toContain('| **millrace-fibers** | 1.50 M | 1.50x |');
    expect(markdown).toContain('| node | failed |');
  });

  it('gives each kind of figure its unit and what is worth knowing beside it', () => {
    expect(markdown).toContain('| runtime | p99 | to Tokio | ± | min..max | CPU/op | peak memory | at messages/s |');
    expect(markdown).toMatch(/\| \*\*tokio-current\*\* \| 290 us \| 1\.00x \|.*\| 25\.0 k \| 58\.0 us \|/);
    expect(markdown).toMatch(/\| millrace-handlers \| 1\.46 KiB \|.*\| 1\.07 KiB \|/);
    expect(markdown).toMatch(/\| millrace-handlers \| 0\.97x \|.*\| 100 k \| 97\.0 k \|/);
    expect(markdown).toContain('| millrace-http | 101 k | reached | reached | reached |');
    expect(markdown).toContain(
      '| runtime | warm | to node:http | ± | min..max | CPU/op | peak memory | first round | median | p99 |',
    );
    expect(markdown).toMatch(/\| \*\*millrace-http\*\* \| 40\.0 k \| 2\.00x \|.*\| 9\.00 k \|/);
    expect(markdown).toMatch(/\| millrace-http \| 85\.0 us \|.*\| 1000 \| 0 \| 200 us \| 900 us \|/);
    expect(markdown).toMatch(/\| \*\*millrace-sockets\*\* \| 40\.0 k \| 1\.33x \|/);
  });
});

describe('the terminal report', () => {
  const text = terminalReport(report, analysis);

  it('stars the winner, tells failures and what did not run', () => {
    expect(text).toMatch(/\* millrace-fibers +1\.50 M +1\.50x/);
    expect(text).toContain(`node failed: ${HOSTILE}`);
    expect(text).toContain(`not run: Bun: ${HOSTILE}. To run it: npm install -g bun`);
    expect(text).toMatch(/import 'millrace', time +<= 25\.0 ms +15\.0 ms +yes/);
  });

  it('lines its columns up', () => {
    expect(
      alignColumns([
        ['a', '1'],
        ['bbb', '22'],
      ]),
    ).toEqual(['a     1', 'bbb  22']);
  });
});
