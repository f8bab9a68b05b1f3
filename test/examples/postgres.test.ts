// The pg client over Millrace, against a PostgreSQL server of its own.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missing, type RealServer, startPostgres } from '../node/servers.js';
import { Example, linesOf } from './run-example.js';

describe.skipIf(missing('postgresql'))('postgres-client', () => {
  let server: RealServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());

  test('moves money between accounts and loses none of it', async () => {
    expect(await linesOf('postgres-client', `postgres://postgres@127.0.0.1:${server.port}/postgres`)).toEqual([
      '200 transfers over 4 connections',
      '5 accounts hold 5000',
    ]);
  });

  test('fails with what pg says where there is no such database, and ends', async () => {
    const url = `postgres://postgres@127.0.0.1:${server.port}/nowhere`;
    const { code, errors } = await new Example('postgres-client', [url]).ended;
    expect(code).toBe(1);
    expect(errors).toMatch(/database "nowhere" does not exist/);
  });
});
