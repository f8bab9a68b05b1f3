import { describe, expect, it } from 'vitest';
import { CONTESTANTS } from '../../bench/contestants/catalog.js';
import { workFolders } from '../../bench/paths.js';
import { parseCpuList } from '../../bench/runner/pinning.js';
import { planCells, rotate, type Selection } from '../../bench/runner/plan.js';
import { formatDuration } from '../../bench/runner/progress.js';
import { CELLS, cellsOf, PARTS } from '../../bench/workloads/catalog.js';

function plan(selection: Partial<Selection>) {
  const planned = planCells(CELLS, CONTESTANTS, { quick: false, only: [], runtimes: [], ...selection });
  return new Map(planned.map(({ cell, contestants }) => [cell.id, contestants.map(({ id }) => id)]));
}

describe('the plan', () => {
  it('of a full run has every cell, and in each every runtime that can run it', () => {
    const full = plan({});
    expect([...full.keys()]).toEqual(CELLS.map(({ id }) => id));
    expect(full.get('io/heavy')).toEqual([
      'millrace-fibers',
      'millrace-async',
      'millrace-fibers-uv',
      'millrace-async-uv',
      'tokio-current',
      'tokio-multi',
      'go',
      'bun',
      'node',
    ]);
    expect(full.get('echo/64B')).toContain('millrace-streams-uv');
    expect(full.get('echo/64B')).not.toContain('millrace-fibers');
  });

  it('of a quick run is a part of the full one, with both ends of the loads and both Tokios', () => {
    const quick = plan({ quick: true });
    expect([...quick.keys()]).toContain('scheduling/light');
    expect([...quick.keys()]).toContain('scheduling/extreme');
    expect([...quick.keys()]).not.toContain('scheduling/heavy');
    expect(quick.get('scheduling/light')).toEqual(expect.arrayContaining(['tokio-current', 'tokio-multi']));
  });

  it('of a quick run opens no ten thousand connections', () => {
    const network = [...plan({ quick: true }).keys()].filter((id) => cellsOf('net').some((cell) => cell.id === id));
    expect(network).toEqual(['echo/64B', 'echo/64Bx16', 'echo/16KiB']);
  });

  it('has each cell in one part', () => {
    expect(
      PARTS.flatMap((part) => cellsOf(part))
        .map(({ id }) => id)
        .sort(),
    ).toEqual(CELLS.map(({ id }) => id).sort());
    expect(cellsOf(null)).toEqual(CELLS);
  });

  it('of a quick run has plaintext over HTTP, with few peers', () => {
    const quick = plan({ quick: true });
    const http = cellsOf('http').filter(({ id }) => quick.has(id));
    expect(http.map(({ id }) => id)).toEqual(['http-plaintext/64', 'http-plaintext/64x16']);
    expect(quick.get('http-plaintext/64')).toEqual([
      'millrace-http',
      'millrace-http-uv',
      'go-one',
      'bun',
      'node',
      'tokio-fixed',
    ]);
  });

  it('has in each HTTP cell those who can answer it: fixed replies where the reply is one, apps against the same app', () => {
    const full = plan({});
    const servers = ['millrace-http', 'millrace-http-uv', 'hyper', 'deno', 'uws', 'go-one', 'bun', 'node'];
    const sorted = (id: string) => [...(full.get(id) ?? [])].sort();
    expect(sorted('http-plaintext/64x16')).toEqual([...servers, 'tokio-fixed', 'c'].sort());
    expect(sorted('http-static/64x16')).toEqual([...servers, 'tokio-fixed', 'c'].sort());
    expect(sorted('http-json/1KiB')).toEqual([...servers, 'express', 'fastify'].sort());
    for (const id of ['http-body/post-1MiB', 'http-latency/same-rate', 'http-idle/10k', 'http-rounds/3x20x15']) {
      expect(sorted(id)).toEqual([...servers].sort());
    }
    expect(sorted('http-app/express')).toEqual(['express', 'millrace-express', 'millrace-express-uv']);
    expect(sorted('http-app/hono')).toEqual(['hono-bun', 'hono-node', 'millrace-hono', 'millrace-hono-uv']);
  });

  it('measures clients over our sockets and over node:net', () => {
    expect(plan({ only: ['client'] }).get('client/pg')).toEqual(['millrace-sockets', 'millrace-sockets-uv', 'node']);
  });

  it('runs what is named, also where the quick mode would leave it out', () => {
    expect([...plan({ quick: true, only: ['scheduling/heavy'] }).keys()]).toEqual(['scheduling/heavy']);
    expect([...plan({ quick: true, only: ['cancel'] }).keys()]).toEqual(['cancel/100k']);
    expect(plan({ quick: true, only: ['spawn'], runtimes: ['millrace-fibers-uv'] }).get('spawn/100k')).toEqual([
      'millrace-fibers-uv',
    ]);
  });

  it('takes families and single runtimes', () => {
    expect(plan({ only: ['spawn'], runtimes: ['tokio', 'node'] }).get('spawn/100k')).toEqual([
      'tokio-current',
      'tokio-multi',
      'node',
    ]);
  });

  it('lets everybody be first once', () => {
    const firsts = [0, 1, 2, 3].map((round) => rotate(['a', 'b', 'c'], round)[0]);
    expect(firsts).toEqual(['a', 'b', 'c', 'a']);
    expect(rotate([], 3)).toEqual([]);
  });
});

describe('small things that are shown or read', () => {
  it.skipIf(process.platform === 'win32')('writes nothing into node_modules', () => {
    expect(workFolders('/src/millrace', '/home/a', '/work')).toEqual({
      build: '/src/millrace/bench/.build',
      results: '/src/millrace/bench/results',
    });
    expect(workFolders('/app/node_modules/millrace', '/home/a', '/work')).toEqual({
      build: '/home/a/.cache/millrace-bench',
      results: '/work/millrace-bench',
    });
  });

  it('reads the kernel’s lists of cores', () => {
    expect(parseCpuList('0-2,5\n')).toEqual([0, 1, 2, 5]);
    expect(parseCpuList('7')).toEqual([7]);
    expect(parseCpuList('')).toEqual([]);
  });

  it('writes durations for people', () => {
    expect([9.6, 61, 3_725].map(formatDuration)).toEqual(['10 s', '1 min 01 s', '1 h 02 min']);
  });
});
