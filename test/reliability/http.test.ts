// HTTP servers in storms and over time, in processes of their own. MILLRACE_HTTP_CHURN and MILLRACE_HTTP_STORM for long runs.
import { expect, test } from 'vitest';
import { result, sanitized } from '../net/program.js';

const CONNECTIONS = Number(process.env.MILLRACE_HTTP_CHURN ?? (sanitized ? 1600 : 20_000));
const REQUESTS_OF_EACH = 5;
const STORM = Number(process.env.MILLRACE_HTTP_STORM ?? (sanitized ? 500 : 3000));
const NOTHING_LEFT = { left: 0, pending: 0, codec: 0, socketsOpen: 0, receiveBuffersInUse: 0, faults: 0 };

test(
  `${STORM} peers that pipeline, are slow, half close, reset and say nonsense: every reply is counted`,
  async () => {
    const outcome = await result('reliability/programs/http-storm.mjs', { args: [String(STORM)] });
    expect(outcome).toMatchObject({ ...NOTHING_LEFT, connections: STORM, wrong: 0, missing: 0, alive: 'now alive' });
    expect(outcome.replies).toBeGreaterThan(3 * STORM);
    expect(outcome.leakedDescriptors).toBe(0);
  },
  60_000 + 10 * STORM,
);

test(
  `${CONNECTIONS * REQUESTS_OF_EACH} requests of ${CONNECTIONS} connections leave nothing behind`,
  async () => {
    const args = [String(CONNECTIONS), String(REQUESTS_OF_EACH)];
    const outcome = await result('reliability/programs/http-churn.mjs', { args });
    expect(outcome).toMatchObject({ ...NOTHING_LEFT, answered: CONNECTIONS * REQUESTS_OF_EACH });
    expect(outcome.leakedDescriptors).toBe(0);
    if (sanitized) return;
    expect(outcome.leftHeapBytes).toBeLessThan(64);
    expect(outcome.leftResidentBytes).toBeLessThan(1536);
  },
  60_000 + 5 * CONNECTIONS,
);
