// node:http on both sides over Millrace's sockets: its agent, and its server fed by one of our listeners.
import { once } from 'node:events';
import {
  type Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type Server,
} from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer as createNetServer, connect as nodeConnect } from 'node:net';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { httpAgent, httpsAgent, serveConnections } from '../../lib/node/index.js';
import { codeOf, counters, expectSameBytes, pattern, Scene, until } from '../net/scene.js';
import { certificate, key } from './certificate.js';
import { TestProxy } from './proxy.js';

const scene = new Scene();

function echo(): Server {
  return createServer((request, response) => {
    response.setHeader('x-path', request.url ?? '');
    response.setHeader('x-from', `${request.socket.remoteAddress}`);
    request.pipe(response);
  });
}

/** Over a listener of ours. */
async function serve(server: Server): Promise<{ port: number; served: Promise<void> }> {
  const listener = await scene.listen();
  const served = serveConnections(server, listener);
  scene.atEnd(async () => {
    server.close();
    server.closeAllConnections();
    await served;
  });
  return { port: listener.port, served };
}

async function ask(options: RequestOptions, body?: Buffer | string, send = httpRequest) {
  const request = send({ host: '127.0.0.1', method: body === undefined ? 'GET' : 'POST', ...options });
  // Also after the response has begun, as with Node's own sockets.
  request.on('error', () => {});
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { headers: response.headers, body: Buffer.concat(chunks) };
}

function using(agent: Agent): Agent {
  scene.atEnd(() => agent.destroy());
  return agent;
}

describe('node:http over Millrace', () => {
  it('sends a thousand requests at once over eight connections that are kept alive', async () => {
    const { port } = await serve(echo());
    const proxy = await TestProxy.to(port);
    const agent = using(httpAgent({ keepAlive: true, maxSockets: 8 }));
    const answers = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        const { headers, body } = await ask({ port: proxy.port, agent, path: `/${i}` }, `text ${i}`);
        return [headers['x-path'], String(body)];
      }),
    );
    expect(answers).toEqual(answers.map((_, i) => [`/${i}`, `text ${i}`]));
    expect(proxy.connections).toBe(8);
    agent.destroy();
    await proxy.close();
  });

  it('takes ten mebibytes, and gives as many, and knows where they come from', async () => {
    const { port } = await serve(echo());
    const agent = using(httpAgent());
    const sent = pattern(10 << 20);
    const { headers, body } = await ask({ port, agent }, sent);
    expectSameBytes(body, sent);
    expect(headers['x-from']).toBe('127.0.0.1');
  });

  it('tells a request that its connection was cut in the middle', async () => {
    const { port } = await serve(createServer((_request, response) => void response.end(pattern(5_000_000))));
    const proxy = await TestProxy.to(port);
    const agent = using(httpAgent({ keepAlive: true }));
    proxy.budget = 100_000;
    expect(await codeOf(() => ask({ port: proxy.port, agent }))).toBe('ECONNRESET');
    proxy.budget = Number.POSITIVE_INFINITY;
    expect((await ask({ port: proxy.port, agent })).body.length).toBe(5_000_000);
    agent.destroy();
    await proxy.close();
  });

  it('ends a response whose client has gone, and tells the server so', async () => {
    const closed: boolean[] = [];
    const { port } = await serve(
      createServer((_request, response) => {
        response.on('close', () => closed.push(response.writableFinished));
        response.write('the first part');
      }),
    );
    const agent = using(httpAgent());
    const request = httpRequest({ port, host: '127.0.0.1', agent }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => {});
    request.destroy();
    await until(() => closed.length === 1);
    expect(closed).toEqual([false]);
  });

  it("holds the server's own time limits against our connections", async () => {
    const server = createServer({ connectionsCheckingInterval: 10, headersTimeout: 20, requestTimeout: 20 });
    const { port } = await serve(server);
    const socket = await scene.connect(port);
    socket.write('GET / HTTP/1.1\r\nhost: ');
    const answer = await socket.read();
    expect(String(answer)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await socket.read()).toBe(null);
  });

  it('closes the listener with the server, and idle connections too', async () => {
    const server = echo();
    const { port, served } = await serve(server);
    const agent = using(httpAgent({ keepAlive: true }));
    await ask({ port, agent }, 'once');
    server.close();
    await served;
    expect(await codeOf(() => ask({ port }))).toBe('ECONNREFUSED');
    // The agent's connection was idle: the server has closed it, and it is gone from the agent.
    await until(() => Object.keys(agent.freeSockets).length === 0);
  });

  it('hands a connection over where a request asks for another protocol', async () => {
    const server = createServer();
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    const { port } = await serve(server);
    const agent = using(httpAgent());
    const request = httpRequest({
      ...{ port, host: '127.0.0.1', agent },
      headers: { connection: 'upgrade', upgrade: 'echo' },
    }).end();
    const [, socket] = await once(request, 'upgrade');
    socket.write('over and back');
    expect(String((await once(socket, 'data'))[0])).toBe('over and back');
    socket.end();
    await once(socket, 'close');
  });

  it('speaks https through its agent, and resumes a session', async () => {
    const resumed: boolean[] = [];
    const server = createHttpsServer({ key, cert: certificate }, (request, response) => request.pipe(response));
    server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    scene.atEnd(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const agent = httpsAgent({ ca: certificate });
    for (let i = 0; i < 2; i++) {
      const sent = pattern(1_000_000, i);
      const { body } = await ask({ port, host: 'localhost', agent } as RequestOptions, sent, httpsRequest as never);
      expectSameBytes(body, sent);
    }
    expect(resumed).toEqual([false, true]);
    agent.destroy();
  });

  it('serves https over our listener', async () => {
    const server = createHttpsServer({ key, cert: certificate }, (request, response) => request.pipe(response));
    const { port } = await serve(server as unknown as Server);
    const agent = httpsAgent({ ca: certificate, keepAlive: true });
    scene.atEnd(() => agent.destroy());
    const sent = pattern(3_000_000);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () =>
        ask({ port, host: 'localhost', agent } as RequestOptions, sent, httpsRequest as never),
      ),
    );
    for (const { body } of answers) expectSameBytes(body, sent);
  });

  it('serves node:tls and node:net, which end with their peers', async () => {
    const servers = [
      createTlsServer({ key, cert: certificate }, (socket) => socket.on('data', (bytes) => socket.write(bytes))),
      createNetServer((socket) => socket.on('data', (bytes) => socket.write(bytes))),
    ];
    for (const server of servers) {
      const listener = await scene.listen();
      const served = serveConnections(server, listener);
      const plain = nodeConnect(listener.port, '127.0.0.1');
      const client = server === servers[0] ? tlsConnect({ socket: plain, ca: certificate, host: 'localhost' }) : plain;
      client.write('over and back');
      expect(String((await once(client, 'data'))[0])).toBe('over and back');
      const closed = once(client, 'close');
      client.end();
      await closed;
      await until(() => counters().socketsOpen === 1);
      server.close();
      await served;
    }
  });

  it('will not serve from a listener that gives its sockets to handlers', async () => {
    const listener = await scene.listen({ open() {} });
    expect(await codeOf(() => serveConnections(createServer(), listener))).toBe('ERR_MILLRACE_INVALID_STATE');
    expect(await codeOf(() => serveConnections({} as never, listener))).toBe('ERR_INVALID_ARG_TYPE');
  });

  it('is refused with the code of Node where nobody listens', async () => {
    const proxy = await TestProxy.to(1);
    const { port } = proxy;
    await proxy.close();
    expect(await codeOf(() => ask({ port, agent: using(httpAgent()) }))).toBe('ECONNREFUSED');
  });
});
