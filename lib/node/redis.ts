import type { Socket as NodeSocket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { type ConnectorOptions, checkConnectorOptions, openStream, openTls, type Target } from './stream.js';

/** What ioredis gives its connector. */
interface RedisOptions extends Target {
  disconnectTimeout?: number;
  tls?: ConnectionOptions;
}

/**
 * The class for ioredis. It is typed as making nothing, which TypeScript takes for anything: no other class can have the
 * type of ioredis' own, since that one has private members.
 */
export type RedisConnectorClass = new (options: unknown) => never;

/** How long a stream has for its end, where ioredis does not say. */
const DISCONNECT_TIMEOUT_MS = 2000;

/** ioredis' StandaloneConnector, over our streams. */
class RedisConnector {
  connecting = false;
  firstError: Error | undefined = undefined;
  stream: NodeSocket | null = null;
  readonly #target: RedisOptions;
  readonly #options: ConnectorOptions;

  constructor(target: RedisOptions, options: ConnectorOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** For sentinels; nothing to check here. */
  check(): boolean {
    return true;
  }

  async connect(): Promise<NodeSocket> {
    this.connecting = true;
    // As ioredis' own: it listens before anything can happen, and `disconnect` in the same turn still counts.
    await null;
    if (!this.connecting) throw new Error('Connection is closed.');
    const target = this.#target;
    const stream = (
      target.tls === undefined || target.tls === null
        ? openStream(target, this.#options)
        : openTls(target, this.#options, { ...(target.host ? { host: target.host } : {}), ...target.tls })
    ) as NodeSocket;
    stream.once('error', (error) => {
      this.firstError = error;
    });
    this.stream = stream;
    return stream;
  }

  disconnect(): void {
    this.connecting = false;
    const { stream } = this;
    if (stream === null) return;
    const timeout = setTimeout(() => stream.destroy(), this.#target.disconnectTimeout ?? DISCONNECT_TIMEOUT_MS);
    stream.once('close', () => clearTimeout(timeout));
    stream.end();
  }
}

/**
 * For the `Connector` option of ioredis: its connections are Millrace's. `host`, `port`, `family`, `path` and `tls` of
 * ioredis hold; sentinels have a connector of their own, and clusters give the option on in `redisOptions`.
 *
 * @example
 * ```ts
 * import { Redis } from 'ioredis';
 * const redis = new Redis({ host: '127.0.0.1', lazyConnect: true, Connector: redisConnector() });
 * const ask = () => redis.get('answer');
 * redis.disconnect();
 * ```
 * @throws TypeError, RangeError naming the option. What goes wrong with a connection is told to ioredis, by Node's codes.
 */
export function redisConnector(options: ConnectorOptions = {}): RedisConnectorClass {
  checkConnectorOptions(options);
  return class extends RedisConnector {
    constructor(target: unknown) {
      super(target as RedisOptions, options);
    }
  } as unknown as RedisConnectorClass;
}
