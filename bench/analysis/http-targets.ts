// What the HTTP server has to reach, per CPU-second where nothing else is said. On uv 0.9 of it is enough.
import type { ContestantResult } from '../model.js';
import { resultFor } from './ratios.js';
import { against, type Definition, figure, millrace, onBoth, one } from './target-definition.js';

const PLAINTEXT = 'http-plaintext/64';
const PIPELINED = 'http-plaintext/64x16';
const LATENCY = 'http-latency/same-rate';

type Style = 'http' | 'express' | 'hono';

/** A cell against one rival. */
function race(
  what: string,
  cell: string,
  rival: string,
  must: number,
  aim: number | null = null,
  style: Style = 'http',
): Definition {
  return onBoth({ what, unit: 'x', must, aim, cells: [cell], measure: against(style, one(rival)) });
}

function tail(name: string, rival: string): Definition {
  return onBoth({
    what: `HTTP p99 latency at half of node:http’s saturating rate / ${name}’s`,
    unit: 'x',
    direction: 'at most',
    must: 1,
    aim: 0.5,
    cells: [LATENCY],
    measure: (backend) => (cell) => {
      const ours = millrace(cell, 'http', backend)?.value?.median;
      const theirs = resultFor(cell, rival)?.value?.median;
      return ours === undefined || theirs === undefined ? null : ours / theirs;
    },
  });
}

/** The stages of the original report, in thousands of requests a second by the clock. */
export const STAGES = [20, 50, 100] as const;

const extraOf = (name: string) => (result: ContestantResult) => result.extras[name]?.median;

export const HTTP_TARGETS: readonly Definition[] = [
  race('HTTP plaintext, 64 connections / node:http', PLAINTEXT, 'node', 3.3),
  race('HTTP plaintext, 64 connections / Bun', PLAINTEXT, 'bun', 1.2, 1.4),
  race('HTTP plaintext, 64 connections / a fixed reply on Tokio', PLAINTEXT, 'tokio-fixed', 0.95, 1.1),
  race('HTTP plaintext, 16 pipelined / node:http', PIPELINED, 'node', 14),
  race('HTTP plaintext, 16 pipelined / Bun', PIPELINED, 'bun', 8, 12),
  race('HTTP static route in C++, pipelined / a fixed reply in C on io_uring', 'http-static/64x16', 'c', 0.8, 0.95),
  race('HTTP JSON echo 1 KiB / node:http', 'http-json/1KiB', 'node', 2.8),
  race('HTTP JSON echo 1 KiB / Bun', 'http-json/1KiB', 'bun', 1.2, 1.4),
  race('Express app through the adapter / the same on node:http', 'http-app/express', 'express', 1.3, 2, 'express'),
  race('Hono app through the adapter / the same on node:http', 'http-app/hono', 'hono-node', 1.5, 2, 'hono'),
  race('Hono app through the adapter / the same on Bun', 'http-app/hono', 'hono-bun', 1, 1.3, 'hono'),
  tail('node:http', 'node'),
  tail('Bun', 'bun'),
  onBoth({
    what: 'memory of an idle HTTP connection, JavaScript included',
    unit: 'KiB',
    direction: 'at most',
    must: 3,
    aim: 1.5,
    cells: ['http-idle/10k'],
    measure: figure('http', (result) => result.value?.median, 1_024),
  }),
  {
    what: 'calls into JavaScript for each tick under HTTP load',
    unit: 'calls',
    direction: 'at most',
    must: 1,
    aim: null,
    cells: [PLAINTEXT, PIPELINED],
    measure: figure('http', extraOf('callsPerTick'), 1),
  },
  {
    what: 'HTTP, a request each 10 ms for 10 s: failures',
    unit: 'failures',
    direction: 'at most',
    must: 0,
    aim: null,
    cells: ['http-steady/10ms'],
    measure: figure('http', extraOf('failures'), 1),
  },
  ...STAGES.map(
    (stage): Definition => ({
      what: `HTTP stage of ${stage},000 requests a second by the clock`,
      unit: 'k/s',
      must: stage,
      aim: null,
      cells: [PLAINTEXT],
      measure: figure('http', extraOf('messagesPerSecond'), 1_000),
    }),
  ),
];
