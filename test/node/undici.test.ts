// undici over Millrace's sockets, against servers of node:http, node:https and node:http2.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createNetServer, type Server as NetServer } from 'node:net';
import { Agent, type Dispatcher, Pool, request } from 'undici';
import { describe, expect, it } from 'vitest';
import { undiciConnect } from '../../lib/node/index.js';
import { codeOf, expectSameBytes, pattern, Scene } from '../net/scene.js';
import { certificate, key } from './certificate.js';
import { TestProxy } from './proxy.js';

const scene = new Scene();

/** Gives back what it is sent; `/bytes/N` gives N bytes of the pattern. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const bytes = /^\/bytes\/(\d+)$/.exec(request.url ?? '');
  if (bytes !== null) {
    response.end(pattern(Number(bytes[1])));
    return;
  }
  response.setHeader('x-path', request.url ?? '');
  request.pipe(response);
}

async function serve<S extends NetServer>(server: S): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scene.atEnd(() => {
    server.close();
    (server as unknown as Server).closeAllConnections?.();
  });
  return (server.address() as AddressInfo).port;
}

function through(dispatcher: Dispatcher): Dispatcher {
  scene.atEnd(() => dispatcher.destroy());
  return dispatcher;
}

describe('undici over Millrace', () => {
  it.each([1, 10])('sends a thousand requests at once over eight connections, %d to a pipeline', async (pipelining) => {
    const port = await serve(createServer(answer));
    const proxy = await TestProxy.to(port);
    const origin = `http://127.0.0.1:${proxy.port}`;
    const pool = new Pool(origin, { connections: 8, pipelining, connect: undiciConnect() });
    const answers = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        const { headers, body } = await pool.request({ path: `/${i}`, method: 'POST', body: `text ${i}` });
        return [headers['x-path'], await body.text()];
      }),
    );
    expect(answers).toEqual(answers.map((_, i) => [`/${i}`, `text ${i}`]));
    expect(proxy.connections).toBe(8);
    await pool.close();
    await proxy.close();
  });

  it('takes ten mebibytes, and gives as many', async () => {
    const port = await serve(createServer(answer));
    const dispatcher = through(new Agent({ connect: undiciConnect() }));
    const got = await request(`http://127.0.0.1:${port}/bytes/${10 << 20}`, { dispatcher });
    expectSameBytes(Buffer.from(await got.body.arrayBuffer()), pattern(10 << 20));
    const echoed = await request(`http://127.0.0.1:${port}/`, { dispatcher, method: 'POST', body: pattern(10 << 20) });
    expectSameBytes(Buffer.from(await echoed.body.arrayBuffer()), pattern(10 << 20));
    await dispatcher.close();
  });

  it('tells a request that its connection was cut in the middle of the answer, and the next one is answered', async () => {
    const proxy = await TestProxy.to(await serve(createServer(answer)));
    const dispatcher = through(new Agent({ connect: undiciConnect() }));
    const origin = `http://127.0.0.1:${proxy.port}`;
    proxy.budget = 100_000;
    const cut = await codeOf(async () => (await request(`${origin}/bytes/5000000`, { dispatcher })).body.arrayBuffer());
    expect(cut).toBe('ECONNRESET');
    proxy.budget = Number.POSITIVE_INFINITY;
    const { body } = await request(`${origin}/bytes/5`, { dispatcher });
    expectSameBytes(Buffer.from(await body.arrayBuffer()), pattern(5));
    await dispatcher.close();
    await proxy.close();
  });

  it('speaks https, and resumes a session', async () => {
    const server = createHttpsServer({ key, cert: certificate }, answer);
    const resumed: boolean[] = [];
    server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
    const port = await serve(server);
    const dispatcher = through(new Agent({ connect: undiciConnect({ ca: certificate }), pipelining: 0 }));
    for (let i = 0; i < 2; i++) {
      const { body } = await request(`https://localhost:${port}/bytes/1000000`, { dispatcher });
      expectSameBytes(Buffer.from(await body.arrayBuffer()), pattern(1_000_000));
    }
    expect(resumed).toEqual([false, true]);
    await dispatcher.close();
  });

  it('refuses a certificate that it cannot trust, and leaves nothing', async () => {
    const port = await serve(createHttpsServer({ key, cert: certificate }, answer));
    const dispatcher = through(new Agent({ connect: undiciConnect() }));
    expect(await codeOf(() => request(`https://localhost:${port}/`, { dispatcher }))).toBe(
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    );
  });

  it('speaks HTTP/2 where the server does', async () => {
    const server = createSecureServer({ key, cert: certificate });
    server.on('stream', (stream) => stream.end(pattern(300_000)));
    const port = await serve(server);
    const connect = undiciConnect({ ca: certificate, allowH2: true });
    const dispatcher = through(new Agent({ connect, allowH2: true }));
    const bodies = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { body } = await request(`https://localhost:${port}/`, { dispatcher });
        return Buffer.from(await body.arrayBuffer());
      }),
    );
    for (const body of bodies) expectSameBytes(body, pattern(300_000));
  });

  it('is refused with the code of Node where nobody listens', async () => {
    const proxy = await TestProxy.to(1);
    const { port } = proxy;
    await proxy.close();
    const dispatcher = through(new Agent({ connect: undiciConnect() }));
    expect(await codeOf(() => request(`http://127.0.0.1:${port}/`, { dispatcher }))).toBe('ECONNREFUSED');
  });

  it('gives a server that never shakes hands no longer than its time limit', async () => {
    const port = await serve(createNetServer(() => {}));
    const dispatcher = through(new Agent({ connect: undiciConnect({ timeout: 20 }) }));
    expect(await codeOf(() => request(`https://127.0.0.1:${port}/`, { dispatcher }))).toBe('ETIMEDOUT');
  });

  it('names a wrong option', () => {
    expect(() => undiciConnect({ timeout: -1 })).toThrow('options.timeout');
    expect(() => undiciConnect({ highWaterMark: 'much' as never })).toThrow('options.highWaterMark');
    expect(() => undiciConnect({ allowH2: 1 as never })).toThrow('options.allowH2');
  });
});
