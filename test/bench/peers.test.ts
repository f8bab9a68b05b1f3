// Runs every peer that can be had on this machine, shortly: that it works and computes the right thing, not how fast.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CONTESTANTS, type Contestant, enters, type Program, programOf } from '../../bench/contestants/catalog.js';
import { type Prepared, prepareLoad, preparers } from '../../bench/contestants/prepare.js';
import type { CellKind } from '../../bench/model.js';
import { packageRoot } from '../../bench/paths.js';
import { takeClientSample } from '../../bench/runner/client-sample.js';
import { takeComputeSample } from '../../bench/runner/compute-sample.js';
import { takeHttpSample } from '../../bench/runner/http-sample.js';
import { takeImportSample } from '../../bench/runner/import-sample.js';
import type { ServerSampleOptions } from '../../bench/runner/measured.js';
import { choosePinning } from '../../bench/runner/pinning.js';
import { takeServerSample } from '../../bench/runner/server-sample.js';
import { type Service, type ServiceName, startService } from '../../bench/runner/services.js';
import { CELLS } from '../../bench/workloads/catalog.js';
import {
  type AnyCell,
  type ClientCell,
  type ComputeCell,
  type EchoCell,
  type HttpServerCell,
  isHttpCell,
  isServerCell,
  type NetworkServerCell,
} from '../../bench/workloads/cell.js';
import { checksums } from '../../bench/workloads/checksums.js';

// A first build of the Tokio peer takes its time.
const BUILD_TIMEOUT_MS = 600_000;
const SAMPLE_TIMEOUT_MS = 120_000;

const prepared = new Map<Program, Promise<Prepared>>();

function prepare(contestant: Contestant): Promise<Prepared> {
  const program = programOf(contestant);
  const known = prepared.get(program);
  if (known !== undefined) return known;
  // The Millrace peer runs what `npm run build` makes. Without it there is nothing to try.
  const missing =
    contestant.family === 'millrace' && !existsSync(join(packageRoot, 'dist', 'lib', 'index.js'))
      ? Promise.resolve<Prepared>({ ok: false, reason: 'dist/lib is not built', how: 'npm run build' })
      : preparers[program](() => {});
  prepared.set(program, missing);
  return missing;
}

function environmentOf(contestant: Contestant): NodeJS.ProcessEnv {
  return { ...process.env, ...(contestant.backend === undefined ? {} : { MILLRACE_BACKEND: contestant.backend }) };
}

/** The cell with fewer operations. Windows are not whole, so that the last one is tried too. */
function small(cell: ComputeCell): ComputeCell {
  const n = cell.program === 'yield' ? 1_000 : cell.program === 'timer' ? 300 : 2_500;
  return { ...cell, n, expectedChecksum: String(checksums[cell.program](BigInt(n))) };
}

const programs = new Map(
  CELLS.filter((cell): cell is ComputeCell => cell.kind === 'compute').map((cell) => [cell.program, small(cell)]),
);

/**
 * The contestants that run cells of this kind, as a table for `each`. The unit tests run once for each backend, and the
 * peers choose theirs themselves: each is tried in one of the two runs.
 */
function racing(kind: CellKind) {
  return CONTESTANTS.filter(({ kinds }) => kinds.includes(kind))
    .filter(({ backend }) => {
      const here = process.env.MILLRACE_BACKEND;
      return here === undefined || (here === 'uv') === (backend === 'uv');
    })
    .map((contestant) => [contestant.id, contestant] as const);
}

describe.each(racing('compute'))('%s', (_, contestant) => {
  it(
    'computes every workload right',
    async (context) => {
      const program = await prepare(contestant);
      if (!program.ok) return context.skip(`${program.reason}; ${program.how}`);
      const command = [...program.command, ...contestant.words];
      for (const cell of programs.values()) {
        const budget = { warmupMs: 0, measureMs: 1 };
        const sample = await takeComputeSample(cell, command, environmentOf(contestant), budget, 0);
        expect(sample.value, cell.id).toBeGreaterThan(0);
        expect(sample.cpuSeconds, cell.id).toBeGreaterThanOrEqual(0);
        expect(sample.peakMemoryBytes, cell.id).toBeGreaterThan(100_000);
      }
    },
    BUILD_TIMEOUT_MS,
  );

  it('refuses a command line that it does not know', async (context) => {
    const program = await prepare(contestant);
    if (!program.ok) return context.skip(`${program.reason}; ${program.how}`);
    const cell = { ...(programs.get('spawn') as ComputeCell), program: 'nothing' as never };
    const command = [...program.command, ...contestant.words];
    await expect(
      takeComputeSample(cell, command, environmentOf(contestant), { warmupMs: 0, measureMs: 1 }, 0),
    ).rejects.toThrow(/unknown workload: nothing/);
  });
});

/** The servers' cells, small enough to be tried by everybody. */
function smallServerCells(): NetworkServerCell[] {
  const network = CELLS.filter((cell): cell is AnyCell & NetworkServerCell => isServerCell(cell) && !isHttpCell(cell));
  const cells = network.map((cell): NetworkServerCell => {
    if (cell.kind === 'idle') return { ...cell, connections: 50 };
    if (cell.kind === 'busy') return { ...cell, busy: 5, idle: 50 };
    return cell.kind === 'churn' ? { ...cell, parallel: 8 } : { ...cell, connections: 8 };
  });
  const echo = cells.find((cell): cell is EchoCell => cell.kind === 'echo');
  if (echo === undefined) throw new Error('there is no echo');
  return [...cells, { ...echo, id: 'echo/odd', messageBytes: 300_001, inFlight: 2, connections: 5 }];
}

async function optionsOf(
  contestant: Contestant,
  command: readonly string[],
  generator: readonly string[],
): Promise<ServerSampleOptions> {
  return {
    command: [...command, ...contestant.words],
    environment: environmentOf(contestant),
    generator: { command: generator, pinning: await choosePinning(false), wrk: null },
    budget: { warmupSeconds: 0.05, seconds: 0.3, settleSeconds: 0.05 },
    round: 0,
    commonRate: 2_000,
  };
}

describe.each(racing('echo'))('%s', (_, contestant) => {
  const cells = smallServerCells().filter(({ kind }) => contestant.kinds.includes(kind));

  it.for(cells.map((cell) => [cell.id, cell] as const))(
    'serves %s',
    { timeout: BUILD_TIMEOUT_MS },
    async ([, cell], context) => {
      const program = await prepare(contestant);
      if (!program.ok) return context.skip(`${program.reason}; ${program.how}`);
      const load = await prepareLoad(() => {});
      if (!load.ok) return context.skip(`${load.reason}; ${load.how}`);
      const sample = await takeServerSample(cell, await optionsOf(contestant, program.command, load.command));
      // The memory of 50 idle connections may well fit into what the process already had.
      if (cell.kind !== 'idle') expect(sample.value).toBeGreaterThan(0);
      expect(sample.peakMemoryBytes).toBeGreaterThan(100_000);
      if (contestant.family === 'millrace' && cell.kind === 'echo') {
        expect(sample.extras.callsPerTick).toBeLessThanOrEqual(1);
      }
      if (cell.kind === 'latency' && cell.rateOf === 'node') expect(sample.extras.ratePerSecond).toBe(1_000);
    },
  );
});

/** Each route and each kind of load once. */
const SIMILAR = /^http-(plaintext\/(64|1024)|body\/.*10KiB|latency\/own.*|rounds\/\d+x\d+)$/;

function smallHttpCells(): HttpServerCell[] {
  const http = CELLS.filter((cell): cell is AnyCell & HttpServerCell => isHttpCell(cell));
  return http
    .filter(({ id }) => !SIMILAR.test(id))
    .map((cell): HttpServerCell => {
      if (cell.kind === 'http-idle') return { ...cell, connections: 50 };
      if (cell.kind === 'http-steady') return { ...cell, seconds: 0.3 };
      // On a busy machine one large reply is all that comes within the window.
      return { ...cell, connections: cell.id.endsWith('1MiB') ? 1 : Math.min(cell.connections, 8) };
    });
}

const httpContestants = [...racing('http'), ...racing('http-app')];

describe.each([...new Map(httpContestants)])('%s over HTTP', (_, contestant) => {
  const cells = smallHttpCells().filter((cell) => enters(contestant, cell));

  it.for(cells.map((cell) => [cell.id, cell] as const))(
    'answers %s',
    { timeout: BUILD_TIMEOUT_MS },
    async ([, cell], context) => {
      const program = await prepare(contestant);
      if (!program.ok) return context.skip(`${program.reason}; ${program.how}`);
      const load = await prepareLoad(() => {});
      if (!load.ok) return context.skip(`${load.reason}; ${load.how}`);
      const sample = await takeHttpSample(cell, await optionsOf(contestant, program.command, load.command));
      if (cell.kind !== 'http-idle') expect(sample.value).toBeGreaterThan(0);
      expect(sample.peakMemoryBytes).toBeGreaterThan(100_000);
      if (contestant.family === 'millrace') expect(sample.extras.callsPerTick).toBeLessThanOrEqual(1);
      if (cell.kind === 'http-steady') expect(sample.extras).toMatchObject({ requests: 30, failures: 0 });
      if (cell.kind === 'http-rounds') expect(sample.first).toBeGreaterThan(0);
    },
  );
});

const started = new Map<ServiceName, Promise<Service>>();
afterAll(async () => {
  for (const starting of started.values()) {
    const service = await starting;
    if (service.ok) await service.stop();
  }
});

async function service(name: ServiceName): Promise<Service> {
  const starting = started.get(name) ?? startService(name, await choosePinning(false));
  started.set(name, starting);
  return starting;
}

describe.each(racing('client'))('%s', (_, contestant) => {
  const cells = CELLS.filter((cell): cell is ClientCell => cell.kind === 'client');

  it.for(cells.map((cell) => [cell.id, cell] as const))(
    'asks as %s',
    { timeout: SAMPLE_TIMEOUT_MS },
    async ([, cell], context) => {
      const program = await prepare(contestant);
      if (!program.ok) return context.skip(`${program.reason}; ${program.how}`);
      const server = await service(cell.service);
      if (!server.ok) return context.skip(`${server.reason}; ${server.how}`);
      const command = [...program.command, ...contestant.words];
      const budget = { warmupSeconds: 0.05, seconds: 0.2, settleSeconds: 0 };
      const sample = await takeClientSample(cell, command, environmentOf(contestant), server.port, budget, 0);
      expect(sample.value).toBeGreaterThan(0);
      expect(sample.peakMemoryBytes).toBeGreaterThan(100_000);
    },
  );
});

describe.each(racing('import'))('%s', (_, contestant) => {
  it(
    'tells what its import costs',
    async (context) => {
      const program = await prepare(contestant);
      if (!program.ok) return context.skip(`${program.reason}; ${program.how}`);
      const sample = await takeImportSample([...program.command, ...contestant.words], environmentOf(contestant), 0);
      expect(sample.value).toBeGreaterThan(0);
    },
    SAMPLE_TIMEOUT_MS,
  );
});
