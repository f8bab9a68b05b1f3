import { describe, expect, it } from 'vitest';
import { analyze } from '../../bench/analysis/analyze.js';
import { bottleneckOf } from '../../bench/analysis/bottleneck.js';
import { betterTokio, ratioToRival, resultFor, rivalOf } from '../../bench/analysis/ratios.js';
import { trendsOf } from '../../bench/analysis/trend.js';
import type { CellReport } from '../../bench/model.js';
import { headline, heroes } from '../../bench/report/headline.js';
import { type Made, madeCell, madeReport } from './race.js';

const steady = (value: number): Made => ({ values: [value, value * 1.01, value * 0.99] });

function limitOf(cell: CellReport, contestant: string, cells: CellReport[] = [cell]) {
  const result = resultFor(cell, contestant);
  if (result === undefined) throw new Error(`no result of ${contestant}`);
  const { contestants } = madeReport(cells);
  return bottleneckOf(
    cell,
    result,
    cells,
    contestants.find(({ id }) => id === contestant),
  );
}

describe('ratios', () => {
  it('are to the better of the two Tokios, which may change from cell to cell', () => {
    const one = madeCell('io/light', { 'tokio-current': steady(200), 'tokio-multi': steady(100), node: steady(100) });
    const two = madeCell('io/heavy', { 'tokio-current': steady(200), 'tokio-multi': steady(400), node: steady(100) });
    expect(betterTokio(one)?.contestant).toBe('tokio-current');
    expect(betterTokio(two)?.contestant).toBe('tokio-multi');
    expect(two.results.map((result) => ratioToRival(two, result))).toEqual([0.5, 1, 0.25]);
  });

  it('of a client are to node:net, and of what is no race to nobody', () => {
    const client = madeCell('client/pg', { 'millrace-sockets': steady(150), node: steady(100) });
    expect(rivalOf(client)?.result.contestant).toBe('node');
    expect(ratioToRival(client, client.results[0])).toBe(1.5);
    const share = madeCell('busy-among-idle/100of10k', {
      'millrace-handlers': steady(0.9),
      'tokio-current': steady(1),
    });
    expect(rivalOf(share)).toBeUndefined();
    expect(ratioToRival(share, share.results[0])).toBeNaN();
    const report = madeReport([client, share]);
    expect(analyze(report, null).winners.map(({ cell }) => cell.id)).toEqual(['client/pg']);
    expect(headline(report)).toContain('no race');
  });

  it('of a latency are better when it is lower', () => {
    const cell = madeCell('latency/same-rate', { 'millrace-handlers': steady(50), 'tokio-current': steady(100) });
    expect(ratioToRival(cell, cell.results[0])).toBe(2);
  });

  it('are unknown, not infinite or zero, where Tokio did not run or failed', () => {
    const alone = madeCell('io/light', { node: steady(100), 'tokio-current': { values: [], failures: ['crashed'] } });
    expect(betterTokio(alone)).toBeUndefined();
    expect(alone.results.map((result) => ratioToRival(alone, result))).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('a trend', () => {
  const cells = [
    madeCell('io/light', { node: steady(1_000), go: steady(1_000) }),
    madeCell('io/medium', { node: steady(1_000), go: steady(1_010) }),
    madeCell('io/heavy', { node: steady(500), go: steady(995) }),
    madeCell('io/extreme', { node: steady(490), go: steady(1_000) }),
  ];

  it('tells where a runtime slows down, and that another does not', () => {
    const [node, go] = trendsOf(cells);
    expect(node?.slowsDown).toMatchObject({ from: 'medium', to: 'heavy', ratio: 0.5 });
    expect(node?.endToEnd).toBeCloseTo(0.49);
    expect(node?.perDecade).toBeLessThan(0.8);
    expect(go?.slowsDown).toBeNull();
    expect(go?.perDecade).toBeCloseTo(1, 1);
  });

  it('does not take noise for a slow point', () => {
    const noisy = [
      madeCell('io/light', { node: { values: [1_000, 1_400, 700] } }),
      madeCell('io/heavy', { node: { values: [800, 1_100, 600] } }),
    ];
    expect(trendsOf(noisy)[0]?.slowsDown).toBeNull();
  });

  it('needs two loads', () => {
    expect(trendsOf(cells.slice(0, 1))).toEqual([]);
  });
});

describe('a bottleneck', () => {
  it('is waiting where the CPU is idle while tasks sleep', () => {
    const cell = madeCell('io/light', { node: { ...steady(500), cpuShare: 0.3 } });
    expect(limitOf(cell, 'node')).toMatchObject({ limit: 'waiting' });
    expect(limitOf(cell, 'node').finding).toContain('30 %');
  });

  it('is coordination where threads burn more CPU than one thread would', () => {
    const cell = madeCell('spawn/100k', {
      'tokio-current': { ...steady(1e6), cpuNsPerOperation: 1_000 },
      'tokio-multi': { ...steady(8e5), cpuShare: 1.9, cpuNsPerOperation: 2_400 },
    });
    expect(limitOf(cell, 'tokio-multi')).toMatchObject({ limit: 'coordination' });
    expect(limitOf(cell, 'tokio-multi').finding).toContain('2.4 times');
    expect(limitOf(cell, 'tokio-current').limit).toBe('cpu');
  });

  it('is memory where it grows with the load', () => {
    const cells = [
      madeCell('allocation/light', { node: { ...steady(1e6), peakMemoryBytes: 50 * 1_048_576 } }),
      madeCell('allocation/extreme', { node: { ...steady(1e6), peakMemoryBytes: 300 * 1_048_576 } }),
    ];
    expect(limitOf(cells[1] as CellReport, 'node', cells)).toMatchObject({ limit: 'memory' });
    expect(limitOf(cells[0] as CellReport, 'node', cells).limit).toBe('cpu');
  });

  it('is pauses where some runs take many times the mean', () => {
    const extras = { warmRuns: 200, meanRunMs: 2, slowestRunMs: 20 };
    expect(limitOf(madeCell('allocation/light', { node: { ...steady(1e6), extras } }), 'node').limit).toBe('pauses');
  });

  it('comes with what is worth knowing: a slow first run, and noise', () => {
    const cell = madeCell('spawn/100k', { node: { values: [100, 150, 60], first: 20 } });
    const { remarks } = limitOf(cell, 'node');
    expect(remarks.join('; ')).toMatch(/first run is 5\.0 times slower.*spread of ±59 %/);
  });

  it('of a runtime that always failed is unknown', () => {
    const cell = madeCell('spawn/100k', { node: { values: [], failures: ['no'] } });
    expect(limitOf(cell, 'node').limit).toBe('unknown');
  });
});

describe('the whole', () => {
  const report = madeReport([
    madeCell('scheduling/light', { 'millrace-fibers': steady(200), 'tokio-current': steady(100), node: steady(50) }),
    madeCell('scheduling/extreme', { 'millrace-fibers': steady(50), 'tokio-current': steady(100), node: steady(40) }),
  ]);

  it('names the winner of each cell and its lead over the second', () => {
    const winners = analyze(report, null).winners.map(({ winner, lead }) => [winner.contestant, lead]);
    expect(winners).toEqual([
      ['millrace-fibers', 2],
      ['tokio-current', 2],
    ]);
  });

  it('says in one sentence how the race went', () => {
    expect(headline(report)).toBe(
      'Millrace is ahead of the better Tokio in 1 of 2 cells. Best: scheduling light, 2.00x. Worst: scheduling extreme, 0.50x.',
    );
    expect(heroes(report)).toMatchObject([{ title: 'Scheduling', ratio: 1 }]);
  });

  it('names the targets of the parts that were run', () => {
    const { targets } = analyze(report, null);
    expect(targets.map(({ what }) => what)).toContain('channel, fiber to fiber');
    expect(targets.map(({ what }) => what).join()).not.toMatch(/echo|idle/);
    const network = madeReport([madeCell('udp/64B', { 'millrace-handlers': steady(2), 'tokio-current': steady(1) })]);
    const whats = analyze(network, null).targets.map(({ what }) => what);
    expect(whats).toContain('memory of an idle connection, JavaScript included');
    expect(whats).not.toContain('channel, fiber to fiber');
  });

  it('claims no race where Tokio was missing', () => {
    const alone = madeReport([madeCell('io/light', { 'millrace-fibers': steady(200) })]);
    expect(headline(alone)).toContain('no race');
    expect(heroes(alone)).toEqual([]);
  });
});
