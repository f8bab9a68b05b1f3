// Clients that people have, of real servers: `client pg|redis <port> <warm-up ms> <measure ms>`. Which socket they run
// over is the caller's: it gives the option that the client has for it.
import { peakMemoryBytes } from './measure.mjs';

/** Connections with one query at a time on each: a pool under load. */
const PG_CONNECTIONS = 16;
/** Commands at a time on one connection, as ioredis is used. */
const REDIS_IN_FLIGHT = 16;

/**
 * @param {string[]} words
 * @param {Record<'pg' | 'redis', () => object>} options what each client is told about its socket
 */
export async function runClient([service, port, warmupMs, measureMs], options) {
  const connect = { pg: connectPg, redis: connectRedis }[service];
  const { lanes, end } = await connect(Number(port), options[service]);
  await warmUp(lanes, Number(warmupMs));
  const cpu = process.cpuUsage();
  const start = performance.now();
  const operations = await drive(lanes, Number(measureMs));
  const seconds = (performance.now() - start) / 1_000;
  const used = process.cpuUsage(cpu);
  await end();
  const cpuSeconds = (used.user + used.system) / 1e6;
  const result = { operations, seconds, cpuSeconds, peakMemoryBytes: peakMemoryBytes() };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

/** Works until it has had this much CPU time, as the servers do; for four times as long at most. */
async function warmUp(lanes, cpuMs) {
  const end = performance.now() + 4 * cpuMs;
  const cpu = process.cpuUsage();
  const workedMs = () => {
    const { user, system } = process.cpuUsage(cpu);
    return (user + system) / 1_000;
  };
  do await drive(lanes, Math.min(100, cpuMs));
  while (workedMs() < cpuMs && performance.now() < end);
}

/** Runs every lane, one request after the other, until the time is over; gives the number of requests. */
async function drive(lanes, milliseconds) {
  const end = performance.now() + milliseconds;
  let operations = 0;
  const run = async (request) => {
    do {
      await request();
      operations++;
    } while (performance.now() < end);
  };
  await Promise.all(lanes.map(run));
  return operations;
}

async function connectPg(port, socketOptions) {
  const { default: pg } = await import('pg');
  const clients = Array.from(
    { length: PG_CONNECTIONS },
    () => new pg.Client({ host: '127.0.0.1', port, user: 'millrace', database: 'postgres', ...socketOptions() }),
  );
  await Promise.all(clients.map((client) => client.connect()));
  const lanes = clients.map((client) => async () => {
    const { rows } = await client.query('SELECT 1 AS one');
    if (rows[0].one !== 1) throw new Error(`SELECT 1 gave ${JSON.stringify(rows)}`);
  });
  return { lanes, end: () => Promise.all(clients.map((client) => client.end())) };
}

async function connectRedis(port, socketOptions) {
  const { default: Redis } = await import('ioredis');
  const redis = new Redis({ host: '127.0.0.1', port, ...socketOptions() });
  redis.on('error', (error) => {
    throw error;
  });
  await redis.set('key', 'value');
  const lanes = Array.from({ length: REDIS_IN_FLIGHT }, () => async () => {
    const value = await redis.get('key');
    if (value !== 'value') throw new Error(`GET gave ${value}`);
  });
  return { lanes, end: () => redis.quit() };
}
