import { describe, expect, it } from 'vitest';
import { evaluateTargets } from '../../bench/analysis/targets.js';
import { CELLS } from '../../bench/workloads/catalog.js';
import { type Made, madeCell, madeReport } from './race.js';

const at = (value: number): Made => ({ values: [value] });

function scheduling(ratios: readonly number[], style = 'fibers') {
  return ['light', 'medium', 'heavy', 'extreme'].slice(0, ratios.length).map((load, k) =>
    madeCell(`scheduling/${load}`, {
      [`millrace-${style}`]: at(100 * (ratios[k] ?? 0)),
      'tokio-current': at(100),
      'tokio-multi': at(90),
    }),
  );
}

function row(cells: ReturnType<typeof scheduling>, what: RegExp, backend: 'auto' | 'uv' = 'auto') {
  const found = evaluateTargets(madeReport(cells)).find((row) => row.backend === backend && what.test(row.what));
  if (found === undefined) throw new Error(`no target ${what}`);
  return found;
}

describe('targets', () => {
  it('are as good as their worst cell', () => {
    expect(row(scheduling([1.6, 1.5, 1.7, 2]), /^scheduling, fibers/)).toMatchObject({
      measured: 1.5,
      reached: 'yes',
      aimReached: true,
      complete: true,
    });
    expect(row(scheduling([1.6, 0.99, 1.7, 2]), /^scheduling, fibers/)).toMatchObject({
      measured: 0.99,
      reached: 'no',
    });
  });

  it('are not called complete when some cells did not run, nor run when none did', () => {
    expect(row(scheduling([1.2]), /^scheduling, fibers/)).toMatchObject({ reached: 'yes', complete: false });
    expect(row(scheduling([1.2]), /^I\/O, fibers/)).toMatchObject({ reached: 'not run', measured: null });
  });

  it('hold fibers, async functions and backends apart', () => {
    const cells = scheduling([0.5], 'async');
    expect(row(cells, /^scheduling, async/)).toMatchObject({ reached: 'yes', aimReached: false });
    expect(row(cells, /^scheduling, fibers/).reached).toBe('not run');
    expect(row(cells, /^scheduling, async/, 'uv').reached).toBe('not run');
    expect(row(scheduling([1.1], 'fibers-uv'), /^scheduling, fibers/, 'uv').measured).toBeCloseTo(1.1);
  });

  it('hold the echo against each rival', () => {
    const echo = madeCell('echo/64B', {
      'millrace-handlers': at(110),
      'tokio-current': at(115),
      bun: at(100),
      node: at(80),
    });
    expect(row([echo], /^echo 64 B, handlers \/ better Tokio/)).toMatchObject({ reached: 'yes' });
    expect(row([echo], /^echo 64 B, handlers \/ Bun/)).toMatchObject({ measured: 1.1, reached: 'yes' });
    expect(row([echo], /^echo 64 B, handlers \/ node/)).toMatchObject({ measured: 1.375, reached: 'no' });
  });

  it('hold the spawn against current_thread, even where multi_thread is faster', () => {
    const cell = madeCell('spawn/100k', {
      'millrace-fibers': at(90),
      'tokio-current': at(100),
      'tokio-multi': at(300),
    });
    expect(row([cell], /^spawn/)).toMatchObject({ measured: 0.9, reached: 'yes' });
  });

  it('on uv are a tenth lower for servers and clients, in the direction that counts', () => {
    const churn = madeCell('churn/64B', { 'millrace-handlers-uv': at(230), node: at(100), 'tokio-current': at(280) });
    expect(row([churn], /^accept.* node:net/, 'uv')).toMatchObject({ must: 2.25, measured: 2.3, reached: 'yes' });
    expect(row([churn], /^accept.* Tokio/, 'uv')).toMatchObject({ must: expect.closeTo(0.81), reached: 'yes' });
    const idle = madeCell('idle/10k', { 'millrace-handlers': at(2_150), 'millrace-handlers-uv': at(2_150) });
    expect(row([idle], /^memory of an idle/)).toMatchObject({ must: 2, reached: 'no' });
    expect(row([idle], /^memory of an idle/, 'uv')).toMatchObject({ must: expect.closeTo(2.22), reached: 'yes' });
  });

  it('hold each percentile of the latency against node:net, and for the aim against Tokio', () => {
    const cell = madeCell('latency/same-rate', {
      'millrace-handlers': { values: [90], extras: { p99Us: 90, p999Us: 300 } },
      node: { values: [100], extras: { p99Us: 100, p999Us: 200 } },
      'tokio-current': { values: [60], extras: { p99Us: 60, p999Us: 400 } },
    });
    expect(row([cell], /^p99 .*node:net’s$/)).toMatchObject({ measured: 0.9, reached: 'yes', direction: 'at most' });
    expect(row([cell], /^p999 .*node:net’s$/)).toMatchObject({ measured: 1.5, reached: 'no' });
    expect(row([cell], /^p99 .*Tokio’s$/)).toMatchObject({ must: null, measured: 1.5, reached: 'aim missed' });
    expect(row([cell], /^p999 .*Tokio’s$/)).toMatchObject({ must: null, measured: 0.75, reached: 'aim reached' });
  });

  it('hold HTTP against each of its rivals', () => {
    const plaintext = madeCell('http-plaintext/64', {
      'millrace-http': { values: [400], extras: { messagesPerSecond: 60_000, callsPerTick: 1 } },
      'millrace-http-uv': { values: [310], extras: { messagesPerSecond: 19_000, callsPerTick: 1 } },
      node: at(100),
      bun: at(300),
      'tokio-fixed': at(410),
    });
    expect(row([plaintext], /^HTTP plaintext, 64 .* node:http/)).toMatchObject({ measured: 4, reached: 'yes' });
    expect(row([plaintext], /^HTTP plaintext, 64 .* Bun/)).toMatchObject({ reached: 'yes', aimReached: false });
    expect(row([plaintext], /^HTTP plaintext, 64 .* Tokio/)).toMatchObject({ must: 0.95, reached: 'yes' });
    expect(row([plaintext], /^HTTP plaintext, 64 .* node:http/, 'uv')).toMatchObject({
      must: expect.closeTo(2.97),
      reached: 'yes',
    });
    expect(row([plaintext], /^HTTP plaintext, 64 .* Bun/, 'uv')).toMatchObject({ reached: 'no' });
    const stages = ['20', '50', '100'].map((stage) => row([plaintext], new RegExp(`^HTTP stage of ${stage},`)).reached);
    expect(stages).toEqual(['yes', 'yes', 'no']);
    expect(row([plaintext], /^HTTP stage of 20,/, 'uv')).toMatchObject({ must: 20, measured: 19, reached: 'no' });
    expect(row([plaintext], /^calls .* HTTP/, 'uv')).toMatchObject({ must: 1, measured: 1, reached: 'yes' });
  });

  it('hold an app against the same app, a static route against C, memory and failures against a number', () => {
    const express = madeCell('http-app/express', { 'millrace-express': at(140), express: at(100) });
    expect(row([express], /^Express/)).toMatchObject({ measured: 1.4, reached: 'yes', aimReached: false });
    const hono = madeCell('http-app/hono', { 'millrace-hono': at(190), 'hono-node': at(100), 'hono-bun': at(200) });
    expect(row([hono], /^Hono .* node:http/)).toMatchObject({ measured: 1.9, reached: 'yes' });
    expect(row([hono], /^Hono .* Bun/)).toMatchObject({ measured: 0.95, reached: 'no' });
    const fixed = madeCell('http-static/64x16', { 'millrace-http': at(85), c: at(100), node: at(5) });
    expect(row([fixed], /^HTTP static/)).toMatchObject({ measured: 0.85, reached: 'yes' });
    const latency = madeCell('http-latency/same-rate', { 'millrace-http': at(90), node: at(100), bun: at(80) });
    expect(row([latency], /^HTTP p99 .*node:http’s$/)).toMatchObject({ measured: 0.9, reached: 'yes' });
    expect(row([latency], /^HTTP p99 .*Bun’s$/)).toMatchObject({ measured: 1.125, reached: 'no' });
    const idle = madeCell('http-idle/10k', { 'millrace-http': at(2_048), 'millrace-http-uv': at(3_300) });
    expect(row([idle], /^memory of an idle HTTP/)).toMatchObject({ measured: 2, reached: 'yes', aimReached: false });
    expect(row([idle], /^memory of an idle HTTP/, 'uv')).toMatchObject({ reached: 'yes' });
    const steady = madeCell('http-steady/10ms', { 'millrace-http': { values: [80], extras: { failures: 1 } } });
    expect(row([steady], /failures$/)).toMatchObject({ measured: 1, reached: 'no' });
  });

  it('hold a client against the same client over node:net', () => {
    const cell = madeCell('client/redis', {
      'millrace-sockets': at(130),
      'millrace-sockets-uv': at(95),
      node: at(100),
    });
    expect(row([cell], /^redis/)).toMatchObject({ measured: 1.3, reached: 'yes', aimReached: true });
    expect(row([cell], /^redis/, 'uv')).toMatchObject({ must: 0.9, measured: 0.95, reached: 'yes', aimReached: false });
  });

  it('name cells that exist', () => {
    const ids = new Set(CELLS.map(({ id }) => id));
    for (const { parts } of evaluateTargets(madeReport([]))) {
      for (const { cell } of parts) expect(ids).toContain(cell);
    }
  });

  it('want less of time, memory and calls', () => {
    const cell = madeCell('import/millrace', { 'millrace-import': { values: [26], peakMemoryBytes: 5e6 } });
    expect(row([cell], /^import.*time/)).toMatchObject({ direction: 'at most', measured: 26, reached: 'no' });
    expect(row([cell], /^import.*memory/)).toMatchObject({ measured: 5, reached: 'yes' });
    const echo = madeCell('echo/64B', { 'millrace-handlers': { values: [1], extras: { callsPerTick: 0.98 } } });
    expect(row([echo], /^calls/)).toMatchObject({ measured: 0.98, reached: 'yes' });
  });
});
