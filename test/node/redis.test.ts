// ioredis over Millrace's sockets, against a Redis server.
import { once } from 'node:events';
import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisConnector } from '../../lib/node/index.js';
import { codeOf, expectSameBytes, pattern, Scene } from '../net/scene.js';
import { certificate } from './certificate.js';
import { TestProxy } from './proxy.js';
import { missing, type RealServer, startRedis } from './servers.js';

describe.skipIf(missing('redis-server'))('ioredis over Millrace', () => {
  new Scene();
  let server: RealServer & { socketPath: string; tlsPort: number };
  beforeAll(async () => {
    server = await startRedis();
  }, 60_000);
  afterAll(() => server?.stop());

  function config(port = server.port): Omit<RedisOptions, 'replyMapping'> {
    return { host: '127.0.0.1', port, Connector: redisConnector(), retryStrategy: () => 1 };
  }

  it('answers ten thousand commands at once, pipelined and not, each with its own result', async () => {
    const redis = new Redis(config());
    const auto = new Redis({ ...config(), enableAutoPipelining: true });
    const answers = await Promise.all(
      Array.from({ length: 10_000 }, async (_, i) => {
        const one = i % 2 === 0 ? redis : auto;
        await one.set(`key:${i}`, `value:${i}`);
        return one.get(`key:${i}`);
      }),
    );
    expect(answers).toEqual(answers.map((_, i) => `value:${i}`));
    const pipeline = redis.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.incr('counter');
    const results = await pipeline.exec();
    expect(results).toEqual(Array.from({ length: 1000 }, (_, i) => [null, i + 1]));
    await Promise.all([redis.quit(), auto.quit()]);
  });

  it('takes ten mebibytes, and gives as many', async () => {
    const redis = new Redis(config());
    const sent = pattern(10 << 20);
    await redis.set('large', sent);
    const got = await redis.getBuffer('large');
    expectSameBytes(got as Buffer, sent);
    await redis.quit();
  });

  it('speaks TLS, and over a Unix socket', async () => {
    for (const options of [{ port: server.tlsPort, tls: { ca: certificate } }, { path: server.socketPath }]) {
      const redis = new Redis({ ...config(), ...options });
      const sent = pattern(1 << 20);
      await redis.set('way', sent);
      expectSameBytes((await redis.getBuffer('way')) as Buffer, sent);
      await redis.quit();
    }
  });

  it('hears what is published', async () => {
    const subscriber = new Redis(config());
    const publisher = new Redis(config());
    await subscriber.subscribe('news');
    const message = once(subscriber, 'message');
    await publisher.publish('news', 'spring');
    expect(await message).toEqual(['news', 'spring']);
    await Promise.all([subscriber.quit(), publisher.quit()]);
  });

  it('connects again when its connection was cut in the middle of an answer, and asks again', async () => {
    const proxy = await TestProxy.to(server.port);
    const redis = new Redis(config(proxy.port));
    const errors: string[] = [];
    redis.on('error', (error: Error & { code?: string }) => errors.push(error.code ?? error.message));
    const sent = pattern(4 << 20, 3);
    await redis.set('cut', sent);
    proxy.budget = 100_000;
    const closed = new Promise<void>((resolve) => redis.once('close', resolve));
    const got = redis.getBuffer('cut');
    await closed;
    proxy.budget = Number.POSITIVE_INFINITY;
    expectSameBytes((await got) as Buffer, sent);
    expect(errors).toContain('ECONNRESET');
    expect(proxy.connections).toBeGreaterThan(1);
    await redis.quit();
    await proxy.close();
  });

  it('fails a command whose connection is cut, where it may not ask again', async () => {
    const proxy = await TestProxy.to(server.port);
    const redis = new Redis({ ...config(proxy.port), retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => {});
    await redis.ping();
    proxy.budget = 0;
    const failed = redis.get('anything').then(
      () => 'an answer',
      (error: Error) => error.message,
    );
    expect(await failed).toMatch(/closed|retries/i);
    await proxy.close();
  });

  it('is refused with the code of Node where nobody listens', async () => {
    const proxy = await TestProxy.to(server.port);
    const { port } = proxy;
    await proxy.close();
    const redis = new Redis({ ...config(port), lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => {});
    const told = once(redis, 'error');
    await codeOf(() => redis.connect());
    expect(((await told)[0] as { code: string }).code).toBe('ECONNREFUSED');
  });
});
