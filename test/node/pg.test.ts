// pg over Millrace's sockets, against a PostgreSQL server.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pgStream } from '../../lib/node/index.js';
import { codeOf, pattern, Scene, until } from '../net/scene.js';
import { certificate } from './certificate.js';
import { TestProxy } from './proxy.js';
import { missing, type RealServer, startPostgres } from './servers.js';

describe.skipIf(missing('postgresql'))('pg over Millrace', () => {
  new Scene();
  let server: RealServer & { socketFolder: string };
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());

  function config(port = server.port): pg.PoolConfig {
    return { host: '127.0.0.1', port, user: 'postgres', database: 'postgres', stream: pgStream() };
  }

  it('answers a thousand queries at once from a pool of eight, each with its own result', async () => {
    const proxy = await TestProxy.to(server.port);
    const pool = new pg.Pool({ ...config(proxy.port), max: 8 });
    const answers = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        const { rows } = await pool.query('SELECT $1::int AS i, repeat($2, $1::int % 50) AS text', [i, 'ab']);
        return rows;
      }),
    );
    expect(answers).toEqual(answers.map((_, i) => [{ i, text: 'ab'.repeat(i % 50) }]));
    expect(proxy.connections).toBe(8);
    await pool.end();
    await proxy.close();
  });

  it('takes ten mebibytes, and gives as many', async () => {
    const client = new pg.Client(config());
    await client.connect();
    const { rows } = await client.query(
      "SELECT string_agg(md5(i::text), '' ORDER BY i) AS text FROM generate_series(1, 327680) AS i",
    );
    const hash = createHash('md5');
    let length = 0;
    for (let i = 1; i <= 327_680; i++) {
      const part = createHash('md5').update(String(i)).digest('hex');
      length += part.length;
      hash.update(part);
    }
    const [{ text }] = rows as [{ text: string }];
    expect(text.length).toBe(length);
    expect(createHash('md5').update(text).digest('hex')).toBe(hash.digest('hex'));

    const bytes = pattern(10 << 20);
    const { rows: echoed } = await client.query('SELECT md5($1::bytea) AS hash, length($1::bytea) AS length', [bytes]);
    expect(echoed).toEqual([{ hash: createHash('md5').update(bytes).digest('hex'), length: bytes.length }]);
    await client.end();
  });

  it('speaks TLS, and over a Unix socket', async () => {
    for (const options of [{ ssl: { ca: certificate } }, { host: server.socketFolder }]) {
      const client = new pg.Client({ ...config(), ...options });
      await client.connect();
      const secure = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
      expect((await client.query(secure)).rows).toEqual([{ ssl: 'ssl' in options }]);
      const { rows } = await client.query("SELECT md5(repeat('ab', 1000000)) AS hash, repeat('ab', 1000000) AS text");
      const [{ hash, text }] = rows as [{ hash: string; text: string }];
      expect(createHash('md5').update(text).digest('hex')).toBe(hash);
      await client.end();
    }
  });

  it('tells a query that its connection was cut in the middle of its result, and the pool goes on', async () => {
    const proxy = await TestProxy.to(server.port);
    const pool = new pg.Pool({ ...config(proxy.port), max: 1 });
    pool.on('error', () => {});
    await pool.query('SELECT 1');
    proxy.budget = 100_000;
    const code = await codeOf(() => pool.query("SELECT repeat('x', 10000000) AS text"));
    expect(code).toBe('ECONNRESET');
    proxy.budget = Number.POSITIVE_INFINITY;
    expect((await pool.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }]);
    expect(proxy.connections).toBe(2);
    await pool.end();
    await proxy.close();
  });

  it('hears of a backend that was ended, by its own code', async () => {
    const client = new pg.Client(config());
    const other = new pg.Client(config());
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    await Promise.all([client.connect(), other.connect()]);
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    const slow = codeOf(() => client.query('SELECT pg_sleep(60)'));
    await other.query('SELECT pg_terminate_backend($1)', [(rows as [{ pid: number }])[0].pid]);
    expect(await slow).toBe('57P01');
    await other.end();
    await client.end();
  });

  it('is refused with the code of Node where nobody listens', async () => {
    const proxy = await TestProxy.to(server.port);
    const { port } = proxy;
    await proxy.close();
    expect(await codeOf(() => new pg.Client(config(port)).connect())).toBe('ECONNREFUSED');
  });

  it('keeps the AsyncLocalStorage store of whoever asks', async () => {
    const store = new AsyncLocalStorage<number>();
    const pool = new pg.Pool({ ...config(), max: 2 });
    const seen = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.run(i, async () => {
          await pool.query('SELECT 1');
          return store.getStore();
        }),
      ),
    );
    expect(seen).toEqual(seen.map((_, i) => i));
    await pool.end();
  });

  it('lets the process end while idle connections of a pool are open', async () => {
    const pool = new pg.Pool({ ...config(), max: 2, allowExitOnIdle: true, idleTimeoutMillis: 60_000 });
    await pool.query('SELECT 1');
    await until(() => pool.idleCount === 1);
    expect(process.getActiveResourcesInfo().filter((name) => name.includes('TCP'))).toEqual([]);
    await pool.end();
  });
});
