// What cannot be had on a machine is told with its reason, and nothing else suffers.
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CONTESTANTS } from '../../bench/contestants/catalog.js';
import type { Prepared } from '../../bench/contestants/prepare.js';
import type { Family } from '../../bench/model.js';
import { choosePinning } from '../../bench/runner/pinning.js';
import { planCells } from '../../bench/runner/plan.js';
import { withoutMissing } from '../../bench/runner/prepare-run.js';
import { type Service, type ServiceName, startService } from '../../bench/runner/services.js';
import { CELLS } from '../../bench/workloads/catalog.js';

const ready: Prepared = { ok: true, command: ['true'], version: '1' };
const missing = (reason: string) => ({ ok: false, reason, how: 'install it' }) as const;
const running: Service = { ok: true, port: 1, version: '1', stop: async () => {} };
const FAMILIES: readonly Family[] = ['tokio', 'millrace', 'go', 'bun', 'node'];

function prepared(changes: Partial<Record<Family, Prepared>> = {}): Map<Family, Prepared> {
  return new Map(FAMILIES.map((family) => [family, changes[family] ?? ready]));
}

const services = (changes: Partial<Record<ServiceName, Service>> = {}) =>
  new Map<ServiceName, Service>([
    ['pg', changes.pg ?? running],
    ['redis', changes.redis ?? running],
  ]);

const wanted = planCells(CELLS, CONTESTANTS, {
  quick: false,
  only: ['spawn', 'echo/64B', 'udp/64B', 'client'],
  runtimes: [],
});

describe('the plan without what is missing', () => {
  it('is the plan where nothing is missing', () => {
    expect(withoutMissing(wanted, prepared(), ready, services())).toEqual({ plan: wanted, notRun: [] });
  });

  it('has no servers where the load generator cannot be built, and says so for each of them', () => {
    const { plan, notRun } = withoutMissing(wanted, prepared(), missing('no compiler'), services());
    expect(plan.map(({ cell }) => cell.id)).toEqual(['spawn/100k', 'client/pg', 'client/redis']);
    expect(notRun).toEqual([
      { id: 'echo/64B', label: 'TCP echo, 64B', reason: 'no compiler', how: 'install it' },
      { id: 'udp/64B', label: 'UDP echo, 64B', reason: 'no compiler', how: 'install it' },
    ]);
  });

  it('has no client of a server that cannot be started', () => {
    const { plan, notRun } = withoutMissing(wanted, prepared(), ready, services({ pg: missing('no PostgreSQL') }));
    expect(plan.map(({ cell }) => cell.id)).not.toContain('client/pg');
    expect(plan.map(({ cell }) => cell.id)).toContain('client/redis');
    expect(notRun).toMatchObject([{ id: 'client/pg', label: 'Client, pg', reason: 'no PostgreSQL' }]);
  });

  it('has no runtime that is missing, nor one backend twice', () => {
    const programs = prepared({ go: missing('no Go'), millrace: { ...ready, automaticBackend: 'uv' } });
    const { plan, notRun } = withoutMissing(wanted, programs, ready, services());
    const entered = plan.flatMap(({ contestants }) => contestants.map(({ id }) => id));
    expect(entered.filter((id) => id.startsWith('go') || id.endsWith('-uv'))).toEqual([]);
    expect(notRun.map(({ id }) => id)).toContain('go-one');
    expect(notRun.find(({ id }) => id === 'millrace-sockets-uv')?.reason).toContain('its row is the same');
  });
});

/** The first bytes that a server sends back. */
function ask(port: number, question: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(question));
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString('latin1'));
    });
    socket.once('error', reject);
  });
}

// PostgreSQL's SSLRequest: length 8, code 80877103. Without certificates it says N.
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

describe.each([
  ['pg', SSL_REQUEST, 'N'],
  ['redis', 'PING\r\n', '+PONG\r\n'],
] as const)('the server of %s', (name, question, answer) => {
  it('answers once it is started, and is gone when it was stopped', { timeout: 60_000 }, async (context) => {
    const service = await startService(name, await choosePinning(false));
    if (!service.ok) return context.skip(`${service.reason}; ${service.how}`);
    expect(service.version).toMatch(/ \d+\./);
    expect(await ask(service.port, question)).toBe(answer);
    await service.stop();
    await expect(ask(service.port, question)).rejects.toThrow(/ECONNREFUSED/);
  });
});
