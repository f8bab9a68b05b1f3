import type { SocketDuplex } from '../net/duplex.js';
import { type ConnectorOptions, checkConnectorOptions, makeStream } from './stream.js';

/**
 * For the `stream` option of pg's `Client` and `Pool`: its connections are Millrace's. pg connects them itself, also over
 * TLS (`ssl`) and over a Unix socket.
 *
 * @example
 * ```ts
 * import pg from 'pg';
 * const pool = new pg.Pool({ host: '127.0.0.1', user: 'app', stream: pgStream() });
 * const ask = async () => (await pool.query('SELECT 1 AS one')).rows;
 * await pool.end();
 * ```
 * @throws TypeError, RangeError naming the option. What goes wrong with a connection is told to pg, by Node's codes.
 */
export function pgStream(options: ConnectorOptions = {}): () => SocketDuplex {
  checkConnectorOptions(options);
  return () => makeStream(options);
}
