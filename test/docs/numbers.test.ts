// The numbers in the README come from a benchmark's export, and from nowhere else.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CellReport, RunReport } from '../../bench/model.js';
import { fill, table } from '../../scripts/readme-numbers.mjs';

function cell(id: string, medians: Record<string, number>, count = 7): CellReport {
  const results = Object.entries(medians).map(([contestant, median]) => {
    return { contestant, value: { count, median } } as unknown as CellReport['results'][number];
  });
  return { id, results } as unknown as CellReport;
}

function report(...cells: CellReport[]): RunReport {
  return {
    date: '2026-01-02T03:04:05.000Z',
    mode: 'full',
    machine: { cpu: 'Some CPU', cores: 2, kernel: 'Linux 6.1', loadAverage: 0.1 },
    contestants: [{ version: 'Tokio 1.2' }, { version: 'Tokio 1.2' }],
    notRun: [{ label: 'Bun' }],
    cells,
  } as unknown as RunReport;
}

describe('the table', () => {
  test('shows medians, the better Tokio, and the ratio to it', () => {
    const medians = { 'millrace-fibers': 900_000, 'tokio-current': 400_000, 'tokio-multi': 600_000, node: 1_234_567 };
    const text = table(report(cell('scheduling/light', medians)));
    expect(text).toContain('| Scheduling, 1,000 tasks | 900 k | 600 k | 1.23 M | 1.50x |');
    expect(text).toContain('full run of 2026-01-02 on Some CPU, 2 cores, Linux 6.1. Tokio 1.2. Not run: Bun.');
  });

  test('leaves out columns and rows that were not run', () => {
    const text = table(report(cell('echo/64B', { 'millrace-handlers': 100_000 }), cell('io/light', { node: 1 })));
    expect(text.split('\n').slice(0, 3)).toEqual([
      '|  | Millrace: fibers, handlers | to Tokio |',
      '| --- | ---: | ---: |',
      '| TCP echo, 64 B | 100 k | - |',
    ]);
    expect(text).not.toContain('I/O');
  });

  test('says that the machine was busy', () => {
    const busy = report(cell('io/light', { 'millrace-fibers': 1000 }));
    expect(table({ ...busy, machine: { ...busy.machine, loadAverage: 3.6 } })).toContain('the load average was 3.6');
  });

  test('is refused for a run with one sample, and for one without Millrace', () => {
    expect(() => table(report(cell('io/light', { 'millrace-fibers': 1000 }, 1)))).toThrow('at least 3');
    expect(() => table(report(cell('io/light', { node: 1000 })))).toThrow('no figures of Millrace');
  });
});

test('what stands between the marks is replaced, and nothing else', () => {
  const text = 'before\n<!-- numbers:begin -->\nold\n<!-- numbers:end -->\nafter';
  const filled = 'before\n<!-- numbers:begin -->\n\nnew\n\n<!-- numbers:end -->\nafter';
  expect(fill(text, 'new')).toBe(filled);
  expect(fill(filled, 'new')).toBe(filled);
  expect(() => fill('no marks', 'new')).toThrow('numbers:begin');
});

test('README.md and docs/benchmarks.md have a place for them', () => {
  for (const file of ['README.md', 'docs/benchmarks.md']) {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(() => fill(text, 'new')).not.toThrow();
  }
});
