// millrace/node: Millrace's sockets for libraries that were written for Node's own.
export { type HttpAgentOptions, httpAgent, httpsAgent, serveConnections } from './http.js';
export { type MysqlConfig, mysqlStream } from './mysql.js';
export { pgStream } from './pg.js';
export { type RedisConnectorClass, redisConnector } from './redis.js';
export type { ConnectorOptions } from './stream.js';
export { type UndiciConnect, type UndiciConnectOptions, type UndiciTarget, undiciConnect } from './undici.js';
