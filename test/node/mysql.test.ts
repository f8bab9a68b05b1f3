// mysql2 over Millrace's sockets, against a MariaDB server.
import { createHash } from 'node:crypto';
import mysql, { type PoolOptions, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mysqlStream } from '../../lib/node/index.js';
import { codeOf, pattern, Scene } from '../net/scene.js';
import { certificate } from './certificate.js';
import { TestProxy } from './proxy.js';
import { missing, type RealServer, startMariadb } from './servers.js';

describe.skipIf(missing('mariadb-server'))('mysql2 over Millrace', () => {
  new Scene();
  let server: RealServer & { socketPath: string };
  beforeAll(async () => {
    server = await startMariadb();
  }, 60_000);
  afterAll(() => server?.stop());

  function config(port = server.port): PoolOptions {
    return { host: '127.0.0.1', port, user: 'root', database: 'mysql', stream: mysqlStream() };
  }

  it('answers a thousand queries at once from a pool of eight, prepared ones too, each with its own result', async () => {
    const proxy = await TestProxy.to(server.port);
    const pool = mysql.createPool({ ...config(proxy.port), connectionLimit: 8 });
    const answers = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        const sql = 'SELECT ? AS i, REPEAT(?, ?) AS text';
        const values = [i, 'ab', i % 50];
        const [rows] = i % 2 === 0 ? await pool.query(sql, values) : await pool.execute(sql, values.map(String));
        return (rows as RowDataPacket[]).map(({ i, text }) => ({ i: Number(i), text }));
      }),
    );
    expect(answers).toEqual(answers.map((_, i) => [{ i, text: 'ab'.repeat(i % 50) }]));
    expect(proxy.connections).toBe(8);
    await pool.end();
    await proxy.close();
  });

  it('takes ten mebibytes, and gives as many', async () => {
    const connection = await mysql.createConnection(config());
    const sent = pattern(10 << 20);
    const [[row]] = await connection.query<RowDataPacket[]>('SELECT MD5(?) AS hash', [sent]);
    expect(row?.hash).toBe(createHash('md5').update(sent).digest('hex'));
    const [rows] = await connection.query<RowDataPacket[]>(
      'SELECT seq AS i, REPEAT(MD5(seq), 32) AS text FROM seq_1_to_10240',
    );
    expect(rows.length).toBe(10_240);
    for (const { i, text } of rows) {
      const hash = createHash('md5').update(String(i)).digest('hex');
      if (text !== hash.repeat(32)) expect.fail(`row ${i} is not what was asked for`);
    }
    await connection.end();
  });

  it('speaks TLS, and over a Unix socket', async () => {
    for (const options of [{ ssl: { ca: certificate } }, { socketPath: server.socketPath }]) {
      const connection = await mysql.createConnection({ ...config(), ...options });
      const [[cipher]] = await connection.query<RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_cipher'");
      expect(cipher?.Value !== '').toBe('ssl' in options);
      const [[row]] = await connection.query<RowDataPacket[]>("SELECT REPEAT('ab', 1000000) AS text");
      expect(row?.text).toBe('ab'.repeat(1_000_000));
      await connection.end();
    }
  });

  it('tells a query that its connection was cut in the middle of its result, and the pool goes on', async () => {
    const proxy = await TestProxy.to(server.port);
    const pool = mysql.createPool({ ...config(proxy.port), connectionLimit: 1 });
    await pool.query('SELECT 1');
    proxy.budget = 100_000;
    expect(await codeOf(() => pool.query("SELECT REPEAT('x', 10000000) AS text"))).toBe('ECONNRESET');
    proxy.budget = Number.POSITIVE_INFINITY;
    const [rows] = await pool.query('SELECT 2 AS two');
    expect(rows).toEqual([{ two: 2 }]);
    expect(proxy.connections).toBe(2);
    await pool.end();
    await proxy.close();
  });

  it('hears of a connection that the server has ended', async () => {
    const connection = await mysql.createConnection(config());
    const other = await mysql.createConnection(config());
    connection.on('error', () => {});
    const slow = codeOf(() => connection.query('SELECT SLEEP(60)'));
    await other.query('KILL ?', [connection.threadId]);
    expect(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'ER_CONNECTION_KILLED']).toContain(await slow);
    await other.end();
    connection.destroy();
  });

  it('is refused with the code of Node where nobody listens', async () => {
    const proxy = await TestProxy.to(server.port);
    const { port } = proxy;
    await proxy.close();
    expect(await codeOf(() => mysql.createConnection(config(port)))).toBe('ECONNREFUSED');
  });
});
