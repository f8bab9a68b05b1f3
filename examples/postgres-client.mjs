// A pool of pg whose connections are Millrace's; tasks move money between accounts, each in a transaction of its own.
// Run: node examples/postgres-client.mjs postgres://postgres@127.0.0.1:5432/postgres   (npm install pg)
import { all, scope } from 'millrace';
import { pgStream } from 'millrace/node';
import pg from 'pg';

const connectionString = process.argv[2] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const pool = new pg.Pool({ connectionString, max: 4, stream: pgStream() });
// An idle connection was cut: the pool has dropped it and makes another when it needs one.
pool.on('error', (error) => console.error(`an idle connection has gone: ${error.message}`));

const ACCOUNTS = 5;
const TRANSFERS = 200;

async function setUp() {
  await pool.query('DROP TABLE IF EXISTS millrace_accounts');
  await pool.query('CREATE TABLE millrace_accounts (id int PRIMARY KEY, balance int NOT NULL)');
  await pool.query('INSERT INTO millrace_accounts SELECT id, 1000 FROM generate_series(0, $1) AS id', [ACCOUNTS - 1]);
}

async function transfer(from, to, amount) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    // Always in the same order: two transfers never wait for each other.
    await client.query('SELECT 1 FROM millrace_accounts WHERE id IN ($1, $2) ORDER BY id FOR UPDATE', [from, to]);
    await client.query('UPDATE millrace_accounts SET balance = balance - $2 WHERE id = $1', [from, amount]);
    await client.query('UPDATE millrace_accounts SET balance = balance + $2 WHERE id = $1', [to, amount]);
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    // With an error the connection is closed, and the server rolls back what was begun on it.
    client.release(error);
    throw error;
  }
}

try {
  await setUp();
  // A scope ends when all its transfers have; one that fails cancels the others.
  await scope(async (transfers) => {
    const begun = Array.from({ length: TRANSFERS }, (_, i) => {
      return transfers.spawn(() => transfer(i % ACCOUNTS, (i * 3 + 1) % ACCOUNTS, i));
    });
    await all(begun);
  });
  const { rows } = await pool.query('SELECT sum(balance)::int AS sum, count(*)::int AS n FROM millrace_accounts');
  console.log(`${TRANSFERS} transfers over ${pool.totalCount} connections`);
  console.log(`${rows[0].n} accounts hold ${rows[0].sum}`);
} finally {
  await pool.query('DROP TABLE IF EXISTS millrace_accounts').catch(() => {});
  await pool.end();
}
