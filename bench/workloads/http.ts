// HTTP servers, and apps on them, under load.
import type { HttpCell, HttpIdleCell, HttpLatencyCell, HttpRoundsCell, HttpSteadyCell } from './cell.js';
import { download, HELLO, type HttpAsked, JSON_ECHO, PARAMETERS, STATIC, STREAM, upload } from './http-requests.js';

const CONNECTIONS = 64;
const KIB = 1_024;
const MIB = 1_048_576;
const PER_CPU_SECOND = 'requests per server CPU-second';
/** So many servers and cells that more would take too long; published figures need two. */
const SAMPLES_MAX = 3;
const MIX = [HELLO, PARAMETERS, JSON_ECHO];

const COMMON = { better: 'higher', quick: false, samplesMax: SAMPLES_MAX, server: 'http', n: 1 } as const;

function closed(
  workload: string,
  load: string,
  title: string,
  asked: HttpAsked,
  changes: Partial<HttpCell> = {},
): HttpCell {
  return {
    ...COMMON,
    id: `http-${workload}/${load}`,
    workload: `http-${workload}`,
    load,
    kind: 'http',
    title: `HTTP ${title}`,
    unit: PER_CPU_SECOND,
    asked: [asked],
    connections: CONNECTIONS,
    inFlight: 1,
    bodyBytes: 0,
    ...changes,
  };
}

function body(load: string, asked: HttpAsked, bytes: number): HttpCell {
  return closed('body', load, 'body', asked, { unit: 'bytes per server CPU-second', bodyBytes: bytes, n: bytes });
}

/** An app on a framework, asked for three routes in turn. */
function app(load: string): HttpCell {
  return closed('app', load, 'app', HELLO, { kind: 'http-app', asked: MIX });
}

function latency(load: string, rateOf: HttpLatencyCell['rateOf']): HttpLatencyCell {
  return {
    ...COMMON,
    id: `http-latency/${load}`,
    workload: 'http-latency',
    load,
    kind: 'http-latency',
    title: 'HTTP latency',
    unit: 'us at p99',
    better: 'lower',
    asked: [HELLO],
    connections: CONNECTIONS,
    rateOf,
  };
}

const idle: HttpIdleCell = {
  ...COMMON,
  id: 'http-idle/10k',
  workload: 'http-idle',
  load: '10k',
  kind: 'http-idle',
  title: 'HTTP idle memory',
  n: 10_000,
  unit: 'bytes of memory each',
  better: 'lower',
  samplesMax: 1,
  asked: [HELLO],
  connections: 10_000,
};

/** The second report's scenarios: requests a second by the clock, as it has them. */
function rounds(load: string, connections: number, requestsEach: number, asked = [HELLO]): HttpRoundsCell {
  return {
    ...COMMON,
    id: `http-rounds/${load}`,
    workload: 'http-rounds',
    load,
    kind: 'http-rounds',
    title: 'HTTP scenario',
    n: connections * requestsEach,
    unit: 'requests/s',
    asked,
    connections,
    requestsEach,
  };
}

const steady: HttpSteadyCell = {
  ...COMMON,
  id: 'http-steady/10ms',
  workload: 'http-steady',
  load: '10ms',
  kind: 'http-steady',
  title: 'HTTP steady',
  unit: 'us at the median',
  better: 'lower',
  samplesMax: 1,
  asked: [HELLO],
  connections: 1,
  intervalMs: 10,
  seconds: 10,
};

export const HTTP_CELLS = [
  closed('plaintext', '64', 'plaintext', HELLO, { quick: true, n: 64 }),
  closed('plaintext', '64x16', 'plaintext', HELLO, { quick: true, n: 64, inFlight: 16 }),
  closed('plaintext', '1024', 'plaintext', HELLO, { n: 1_024, connections: 1_024 }),
  closed('static', '64x16', 'static route', STATIC, { inFlight: 16, server: 'http-routes' }),
  closed('json', '1KiB', 'JSON echo', JSON_ECHO),
  closed('params', '64', 'parameters', PARAMETERS, { server: 'http-routes' }),
  body('get-10KiB', download(10 * KIB), 10 * KIB),
  body('get-1MiB', download(MIB), MIB),
  body('post-10KiB', upload(10 * KIB), 10 * KIB),
  body('post-1MiB', upload(MIB), MIB),
  closed('stream', '16x1KiB', 'streaming', STREAM),
  latency('same-rate', 'node'),
  latency('own-rate', 'own'),
  idle,
  app('express'),
  app('hono'),
  rounds('100x1', 1, 100),
  rounds('10x50', 10, 50),
  rounds('50x20', 50, 20),
  // Fifteen of each of the three by each of twenty.
  rounds('3x20x15', 20, 45, [HELLO, PARAMETERS, JSON_ECHO]),
  steady,
] as const;
