// The numbers in the README come from a benchmark's export, and from nowhere else.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CellReport, RunReport } from '../../bench/model.js';
import { computeTable, fill, httpTable, networkTable, partOf } from '../../scripts/readme-numbers.mjs';

function cell(
  id: string,
  medians: Record<string, number>,
  { count = 7, ...rest }: { count?: number } & Partial<CellReport> = {},
): CellReport {
  const results = Object.entries(medians).map(([contestant, median]) => {
    return { contestant, value: { count, median } } as unknown as CellReport['results'][number];
  });
  return { id, results, better: 'higher', ...rest } as unknown as CellReport;
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

describe('the table of computing', () => {
  test('shows medians, the better Tokio, and the ratio to it', () => {
    const medians = { 'millrace-fibers': 900_000, 'tokio-current': 400_000, 'tokio-multi': 600_000, node: 1_234_567 };
    const text = computeTable(report(cell('scheduling/light', medians)));
    expect(text).toContain('| Scheduling, 1,000 tasks | 900 k | 600 k | 1.23 M | 1.50x |');
    expect(text).toContain('full run of 2026-01-02 on Some CPU, 2 cores, Linux 6.1. Tokio 1.2. Not run: Bun.');
  });

  test('says that the machine was busy', () => {
    const busy = report(cell('io/light', { 'millrace-fibers': 1000 }));
    const text = computeTable({ ...busy, machine: { ...busy.machine, loadAverage: 3.6 } });
    expect(text).toContain('the load average was 3.6');
  });

  test('is refused for a run with one sample, and for one without Millrace', () => {
    expect(() => computeTable(report(cell('io/light', { 'millrace-fibers': 1000 }, { count: 1 })))).toThrow(
      'at least 3',
    );
    expect(() => computeTable(report(cell('io/light', { node: 1000 })))).toThrow('no figures of Millrace');
  });
});

describe('the table of the network', () => {
  test('leaves out columns and rows that were not run', () => {
    const text = networkTable(report(cell('echo/64B', { 'millrace-handlers': 100_000 }), cell('udp/64B', { node: 1 })));
    expect(text.split('\n').slice(0, 3)).toEqual([
      '|  | Millrace handlers | to Tokio |',
      '| --- | ---: | ---: |',
      '| TCP echo, 64 B | 100 k | - |',
    ]);
    expect(text).not.toContain('UDP');
  });

  test('knows which figures are better when they are lower, and which are no race', () => {
    const text = networkTable(
      report(
        cell(
          'latency/same-rate',
          { 'millrace-handlers': 200, 'tokio-current': 400, 'tokio-multi': 300 },
          { better: 'lower' },
        ),
        cell('idle/10k', { 'millrace-handlers': 1_536, 'tokio-current': 60_000 }, { better: 'lower', count: 1 }),
        cell('client/redis', { 'millrace-sockets': 90_000, node: 60_000 }, { kind: 'client' }),
      ),
    );
    expect(text).toContain('| p99 at half of node:net’s limit | 200 us | 300 us | - | 1.50x |');
    expect(text).toContain('| An idle connection of 10,000 | 1.5 KiB | 58.6 KiB | - |  |');
    expect(text).toContain('| ioredis, GET | 90.0 k | - | 60.0 k | 1.50x Node |');
    expect(text).toContain('at least 7 fresh processes');
  });

  test('has the bytes of large messages in bytes', () => {
    expect(networkTable(report(cell('echo/256KiB', { 'millrace-handlers': 2.456e9 })))).toContain('| 2.46 GB |');
  });
});

describe('the tables of HTTP', () => {
  const plaintext = cell('http-plaintext/64', { 'millrace-http': 120_000, node: 30_000, bun: 100_000, c: 125_000 });

  test('hold each server against node:http, and the same app against itself on Node', () => {
    const apps = [
      cell('http-app/express', { 'millrace-express': 20_000, express: 10_000 }),
      cell('http-app/hono', { 'millrace-hono': 60_000, 'hono-node': 30_000, 'hono-bun': 50_000 }),
    ];
    const text = httpTable(report(plaintext, ...apps));
    expect(text.split('\n\n')).toHaveLength(3);
    expect(text).toContain('|  | Millrace | Node | Bun | C io_uring, fixed reply | to Node |');
    expect(text).toContain('| Plaintext | 120 k | 30.0 k | 100 k | 125 k | 4.00x |');
    expect(text).toContain('| Express app | 20.0 k | 10.0 k | - | 2.00x |');
    expect(text).toContain('| Hono app | 60.0 k | 30.0 k | 50.0 k | 2.00x |');
    expect(text).toContain('full run of 2026-01-02');
  });

  test('are servers alone where no app was run, and refused without a figure of Millrace', () => {
    expect(httpTable(report(plaintext)).split('\n\n')).toHaveLength(2);
    expect(() => httpTable(report(cell('http-json/1KiB', { node: 1 })))).toThrow('no figures of Millrace');
    const one = cell('http-json/1KiB', { 'millrace-http': 1 }, { count: 1 });
    expect(() => httpTable(report(plaintext, one))).toThrow('at least 2');
  });
});

test('a part of a run has its cells, and those who ran them', () => {
  const whole = report(cell('io/light', { 'millrace-fibers': 1, node: 1 }), cell('udp/64B', { bun: 1, node: 1 }));
  const contestants = ['millrace-fibers', 'bun', 'node'].map((id) => ({ id })) as unknown as RunReport['contestants'];
  const part = partOf({ ...whole, contestants }, new Set(['udp/64B']));
  expect(part.cells.map(({ id }) => id)).toEqual(['udp/64B']);
  expect(part.contestants.map(({ id }) => id)).toEqual(['bun', 'node']);
});

test('what stands between the marks is replaced, and nothing else', () => {
  const text = 'before\n<!-- numbers:begin -->\nold\n<!-- numbers:end -->\nafter';
  const filled = 'before\n<!-- numbers:begin -->\n\nnew\n\n<!-- numbers:end -->\nafter';
  expect(fill(text, 'new')).toBe(filled);
  expect(fill(filled, 'new')).toBe(filled);
  expect(() => fill('no marks', 'new')).toThrow('numbers:begin');
  expect(() => fill(text, 'new', 'numbers:network')).toThrow('numbers:network:begin');
});

test('README.md and docs/benchmarks.md have a place for them', () => {
  for (const file of ['README.md', 'docs/benchmarks.md']) {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    for (const name of ['numbers', 'numbers:network', 'numbers:http'])
      expect(() => fill(text, 'new', name)).not.toThrow();
  }
});
