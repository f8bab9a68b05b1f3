import type { SocketDuplex } from '../net/duplex.js';
import { type ConnectorOptions, checkConnectorOptions, openStream } from './stream.js';

/** What mysql2 gives its `stream` function. */
export interface MysqlConfig {
  config: {
    host?: string;
    port?: number | string;
    socketPath?: string;
    enableKeepAlive?: boolean;
    keepAliveInitialDelay?: number;
  };
}

/**
 * For the `stream` option of mysql2's connections and pools, also with `ssl`. mysql2's `host`, `port`, `socketPath`,
 * `enableKeepAlive` and `keepAliveInitialDelay` hold.
 *
 * @example
 * ```ts
 * import mysql from 'mysql2/promise';
 * const pool = mysql.createPool({ host: '127.0.0.1', user: 'app', stream: mysqlStream() });
 * const ask = async () => (await pool.query('SELECT 1 AS one'))[0];
 * await pool.end();
 * ```
 * @throws TypeError, RangeError naming the option. What goes wrong with a connection is told to mysql2, by Node's codes.
 */
export function mysqlStream(options: ConnectorOptions = {}): (connection: MysqlConfig) => SocketDuplex {
  checkConnectorOptions(options);
  return ({ config }) => {
    const stream = openStream({ host: config.host, port: config.port, path: config.socketPath }, options);
    stream.setNoDelay(true);
    if (config.enableKeepAlive === true) stream.setKeepAlive(true, config.keepAliveInitialDelay);
    return stream;
  };
}
