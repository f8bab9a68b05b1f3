import { describe, expect, it } from 'vitest';
import { analyze } from '../../bench/analysis/analyze.js';
import { htmlReport } from '../../bench/report/html/page.js';
import { markdownReport } from '../../bench/report/markdown.js';
import { alignColumns, terminalReport } from '../../bench/report/terminal.js';
import { type Made, madeCell, madeReport } from './race.js';

const around = (value: number, first?: number): Made => ({
  values: [value, value * 1.1, value * 0.9],
  ...(first === undefined ? {} : { first }),
});

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
    madeCell('import/millrace', { 'millrace-import': { values: [14, 15, 16], peakMemoryBytes: 5e6 } }),
  ],
  { notRun: [{ id: 'bun', label: 'Bun', reason: HOSTILE, how: 'npm install -g bun' }] },
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
    expect(html.match(/<figure class="panel">/g)).toHaveLength(3);
    expect(html.match(/class="bar"/g)?.length).toBeGreaterThanOrEqual(6);
    expect(html).toMatch(/<title>millrace-fibers\n1\.50 M tasks\/s, median of 3\n1\.35 M \.\. 1\.65 M/);
    expect(html).toContain('class="whisker"');
    expect(html).toContain('class="first"');
    expect(html).toContain('better Tokio = 1.0x');
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
