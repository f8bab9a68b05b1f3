// wrk as the load generator of closed loops that it can drive. Its own requests are counted for the whole of its run, and so is
// the CPU time of the server: `millrace-load beside` reads the clock before wrk begins and when it has ended. What wrk does
// not look at, the bodies of the replies, our own generator has compared while it warmed the server up.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpCell, HttpServerCell } from '../workloads/cell.js';
import type { HttpAsked } from '../workloads/http-requests.js';
import { SampleError } from './compute-sample.js';
import type { HttpResult, LoadGenerator, Window } from './load.js';
import { failureOf, runProgram } from './process.js';
import type { Server } from './server.js';

/** Who drives closed loops over HTTP: wrk where it is installed, wrk or nothing, our own. */
export type GeneratorChoice = 'auto' | 'wrk' | 'own';

export interface Wrk {
  readonly version: string;
}

/** What `done` of the script has written. Times in microseconds. */
interface Counted {
  readonly requests: number;
  readonly durationUs: number;
  readonly failures: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

const PROGRAM = 'wrk';
/** wrk's times are whole seconds. */
const SECONDS_MIN = 1;
/** It opens its connections, and looks ten times a second whether it is over. */
const EXTRA_TIMEOUT_MS = 60_000;

/** null: it is not installed. */
export async function findWrk(): Promise<Wrk | null> {
  // Its exit code is that of a wrong usage.
  const { stdout, stderr } = await runProgram([PROGRAM, '--version'], { timeoutMs: 5_000 });
  const version = /^wrk (\S+)/m.exec(stdout + stderr)?.[1];
  return version === undefined ? null : { version };
}

/** One request over and over, whose reply is small: plaintext, static, JSON, parameters. */
export function isForWrk(cell: HttpServerCell): cell is HttpCell {
  return cell.kind === 'http' && cell.asked.length === 1 && cell.bodyBytes === 0 && cell.workload !== 'http-stream';
}

/** Has wrk load a server that is warm. @throws SampleError */
export async function loadByWrk(
  cell: HttpCell,
  server: Server,
  { command, pinning }: LoadGenerator,
  seconds: number,
): Promise<HttpResult> {
  const [asked] = cell.asked;
  if (asked === undefined) throw new SampleError('there is nothing to ask for');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-wrk-'));
  try {
    const script = join(folder, 'requests.lua');
    const counts = join(folder, 'counts.json');
    await writeFile(script, scriptOf(asked, cell.inFlight, counts));
    const wholeSeconds = Math.max(SECONDS_MIN, Math.round(seconds));
    const [, path = '/'] = asked.request.split(' ');
    const wrk = [PROGRAM, '-t', '1', '-c', String(cell.connections), '-d', `${wholeSeconds}s`, '-s', script];
    const beside = [...command, 'beside', '--server-pid', String(server.pid), '--', ...wrk];
    const finished = await runProgram(pinning.load([...beside, `http://127.0.0.1:${server.port}${path}`]), {
      timeoutMs: wholeSeconds * 1_000 + EXTRA_TIMEOUT_MS,
    });
    if (finished.code !== 0) throw new SampleError(`wrk: ${failureOf(finished)}`);
    const window = JSON.parse(finished.stdout) as Window;
    return resultOf(window, JSON.parse(await readFile(counts, 'utf8')) as Counted);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function resultOf(window: Window, counted: Counted): HttpResult {
  const { requests, durationUs, failures, ...latencyMicroseconds } = counted;
  if (failures > 0) throw new SampleError(`wrk counted ${failures} failures`);
  if (!(requests > 0 && durationUs > 0)) throw new SampleError('wrk counted no requests');
  const seconds = durationUs / 1e6;
  return { ...window, seconds, requests, requestsPerSecond: requests / seconds, latencyMicroseconds };
}

/** wrk's script: what is asked for, so many at a time, and where the counts go. */
export function scriptOf({ request, contentType, body }: HttpAsked, inFlight: number, counts: string): string {
  const [method = 'GET'] = request.split(' ');
  const lines = [`wrk.method = ${quoted(method)}`];
  if (contentType !== undefined) lines.push(`wrk.headers["Content-Type"] = ${quoted(contentType)}`);
  if (typeof body === 'string') lines.push(`wrk.body = ${quoted(body)}`);
  if (inFlight > 1) {
    lines.push(
      'local pipelined',
      `function init(args) pipelined = string.rep(wrk.format(), ${inFlight}) end`,
      'function request() return pipelined end',
    );
  }
  lines.push(
    'function done(summary, latency, requests)',
    '  local e = summary.errors',
    // wrk says 0 where it has too few values for a percentile.
    '  local function at(percent)',
    '    local value = latency:percentile(percent)',
    '    return value > 0 and value or latency.max',
    '  end',
    `  local file = assert(io.open(${quoted(counts)}, "w"))`,
    '  file:write(string.format(',
    `    '{"requests":%d,"durationUs":%d,"failures":%d,"p50":%.1f,"p90":%.1f,"p99":%.1f,"p999":%.1f,"max":%.1f}',`,
    '    summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,',
    '    at(50), at(90), at(99), at(99.9), latency.max))',
    '  file:close()',
    'end',
  );
  return `${lines.join('\n')}\n`;
}

/** As a string of Lua. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/[^ -~]/g, (character) => `\\${character.charCodeAt(0).toString().padStart(3, '0')}`)}"`;
}
