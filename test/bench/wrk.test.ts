// wrk as the load generator: a made-up one, whose counts are known, and the real one where it is installed.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parseBenchOptions, UsageError } from '../../bench/cli/options.js';
import { prepareLoad } from '../../bench/contestants/prepare.js';
import { benchCommand } from '../../bench/index.js';
import { SampleError } from '../../bench/runner/compute-sample.js';
import type { LoadGenerator } from '../../bench/runner/load.js';
import { choosePinning } from '../../bench/runner/pinning.js';
import { Server } from '../../bench/runner/server.js';
import { findWrk, isForWrk, loadByWrk, scriptOf } from '../../bench/runner/wrk.js';
import { HTTP_CELLS } from '../../bench/workloads/http.js';
import { HELLO, JSON_ECHO } from '../../bench/workloads/http-requests.js';
import { cellNamed } from './race.js';

const BUILD_TIMEOUT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'millrace-fake-wrk-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = process.env.PATH ?? '';
const servers: Server[] = [];
afterEach(() => {
  process.env.PATH = path;
  for (const server of servers.splice(0)) server.kill();
});

const installed = await findWrk();

/** A server that answers as the peers do, and says to the JSON echo what is asked for. */
const PROGRAM = `
const server = require('node:http').createServer((request, response) => {
  if (request.url === '/hello/World') return response.end('Hello, World!');
  if (request.url !== '/json') return response.writeHead(404).end();
  let text = '';
  request.setEncoding('utf8').on('data', (piece) => { text += piece; });
  request.on('end', () => {
    const document = JSON.parse(text);
    if (request.headers['content-type'] !== 'application/json') return response.writeHead(415).end();
    response.end(JSON.stringify({ ...document, count: document.count + 1 }));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit());
`;

async function start(): Promise<Server> {
  const server = await Server.start([process.execPath, '-e', PROGRAM], process.env);
  servers.push(server);
  return server;
}

async function generator(): Promise<LoadGenerator> {
  const load = await prepareLoad(() => {});
  if (!load.ok) throw new Error(load.reason);
  return { command: load.command, pinning: await choosePinning(false), wrk: { version: 'x' } };
}

function httpCell(id: string) {
  const cell = HTTP_CELLS.find((candidate) => candidate.id === id);
  if (cell === undefined || !isForWrk(cell)) throw new Error(`wrk does not drive ${id}`);
  return cell;
}

/** Puts a `wrk` into PATH that says `counts`, and keeps what it was asked in `asked.json`. */
function fakeWrk(counts: object): void {
  const program = join(folder, 'wrk');
  writeFileSync(
    program,
    `#!${process.execPath}
import { readFileSync, writeFileSync } from 'node:fs';
const words = process.argv.slice(2);
if (words[0] === '--version') { console.log('wrk 9.9 [fake]'); process.exit(1); }
const script = readFileSync(words[words.indexOf('-s') + 1], 'utf8');
writeFileSync(${JSON.stringify(join(folder, 'asked.json'))}, JSON.stringify({ words, script }));
console.log('what wrk prints');
writeFileSync(/io\\.open\\("([^"]+)"/.exec(script)[1], ${JSON.stringify(JSON.stringify(counts))});
`,
  );
  chmodSync(program, 0o755);
  process.env.PATH = folder + delimiter + path;
}

const COUNTS = { requests: 5000, durationUs: 2_000_000, failures: 0, p50: 1, p90: 2, p99: 3, p999: 4, max: 5 };

describe('--generator', () => {
  it('is auto, wrk or own', () => {
    expect(parseBenchOptions(['http']).settings.generator).toBe('auto');
    expect(parseBenchOptions(['http', '--generator', 'own']).settings.generator).toBe('own');
    expect(parseBenchOptions(['http', '--generator=wrk']).settings.generator).toBe('wrk');
    expect(() => parseBenchOptions(['--generator', 'ab'])).toThrow(UsageError);
  });

  it('wrk without a wrk ends before anything is built', async () => {
    process.env.PATH = folder;
    rmSync(join(folder, 'wrk'), { force: true });
    expect(await benchCommand(['http', '--generator', 'wrk'])).toBe(2);
  });
});

describe('wrk', () => {
  it('drives closed loops of small replies, and nothing else', () => {
    const driven = HTTP_CELLS.filter((cell) => isForWrk(cell)).map(({ id }) => id);
    expect(driven).toEqual([
      'http-plaintext/64',
      'http-plaintext/64x16',
      'http-plaintext/1024',
      'http-static/64x16',
      'http-json/1KiB',
      'http-params/64',
    ]);
    expect(cellNamed('http-app/express').kind).toBe('http-app');
  });

  it('is told method, type, body and depth by its script', () => {
    expect(scriptOf(HELLO, 1, '/x')).toContain('wrk.method = "GET"');
    expect(scriptOf(HELLO, 1, '/x')).not.toContain('pipelined');
    const script = scriptOf({ ...JSON_ECHO, body: 'a"b\\\nü' }, 16, '/a "b"');
    expect(script).toContain('string.rep(wrk.format(), 16)');
    expect(script).toContain('wrk.headers["Content-Type"] = "application/json"');
    expect(script).toContain('wrk.body = "a\\"b\\\\\\010\\252"');
    expect(script).toContain('io.open("/a \\"b\\"", "w")');
  });

  it.runIf(process.platform === 'linux')(
    'is believed in its counts, and the server’s CPU time is that of its whole run',
    async () => {
      fakeWrk(COUNTS);
      expect(await findWrk()).toEqual({ version: '9.9' });
      const server = await start();
      const result = await loadByWrk(httpCell('http-plaintext/64x16'), server, await generator(), 2.4);
      expect(result).toMatchObject({ requests: 5000, seconds: 2, requestsPerSecond: 2500 });
      expect(result.latencyMicroseconds).toEqual({ p50: 1, p90: 2, p99: 3, p999: 4, max: 5 });
      expect(result.serverCpuSeconds).toBeGreaterThanOrEqual(0);
      expect(result.loadCpuSeconds).toBeGreaterThan(0);
      const { words, script } = JSON.parse(readFileSync(join(folder, 'asked.json'), 'utf8'));
      expect(words.slice(0, 6)).toEqual(['-t', '1', '-c', '64', '-d', '2s']);
      expect(words.at(-1)).toBe(`http://127.0.0.1:${server.port}/hello/World`);
      expect(script).toContain('string.rep');
    },
    BUILD_TIMEOUT_MS,
  );

  it.runIf(process.platform === 'linux')(
    'that counts failures or nothing, or fails, is no sample',
    async () => {
      const server = await start();
      const cell = httpCell('http-plaintext/64');
      for (const [counts, message] of [
        [{ ...COUNTS, failures: 3 }, /3 failures/],
        [{ ...COUNTS, requests: 0 }, /no requests/],
      ] as const) {
        fakeWrk(counts);
        await expect(loadByWrk(cell, server, await generator(), 1)).rejects.toThrow(message);
      }
      writeFileSync(join(folder, 'wrk'), '#!/bin/sh\nexit 3\n');
      await expect(loadByWrk(cell, server, await generator(), 1)).rejects.toThrow(SampleError);
    },
    BUILD_TIMEOUT_MS,
  );

  it.runIf(installed !== null)(
    'itself loads a server: one at a time, pipelined, with bodies',
    async () => {
      for (const id of ['http-plaintext/64', 'http-plaintext/64x16', 'http-json/1KiB']) {
        const server = await start();
        const result = await loadByWrk(httpCell(id), server, await generator(), 1);
        expect(result.requests).toBeGreaterThan(100);
        expect(result.seconds).toBeGreaterThan(0.9);
        expect(result.serverCpuSeconds).toBeGreaterThan(0.01);
        expect(result.serverCpuSeconds).toBeLessThan(result.seconds * 8);
        expect(result.latencyMicroseconds.p99).toBeGreaterThan(0);
      }
    },
    BUILD_TIMEOUT_MS,
  );

  it.runIf(installed !== null)(
    'itself tells of replies that are errors',
    async () => {
      const server = await start();
      const cell = { ...httpCell('http-plaintext/64'), asked: [{ request: 'GET /none', reply: '' }] };
      await expect(loadByWrk(cell, server, await generator(), 1)).rejects.toThrow(/failures/);
    },
    BUILD_TIMEOUT_MS,
  );
});
