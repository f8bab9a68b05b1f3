// A real Fastify 5 app, unmodified, by its serverFactory: the same app on node:http and on Millrace.
import { createReadStream } from 'node:fs';
import { createServer as createNative } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { createServer } from '../../../lib/http/index.js';
import { get, post, RawClient, type RawReply } from '../scene.js';
import { deferred } from './scene.js';

const file = fileURLToPath(import.meta.url);
const open: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function started(app: FastifyInstance): Promise<number> {
  open.push(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}

function makeApp(isOurs: boolean): FastifyInstance {
  const app = Fastify({
    serverFactory: (handler) =>
      isOurs ? (createServer(handler as never) as never) : createNative({ keepAliveTimeout: 5_000 }, handler),
  });
  const orders = new WeakMap<object, string[]>();
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-hook', `${request.method} ${request.url}`);
    orders.set(request, ['onRequest']);
  });
  app.addHook('preHandler', (request, _reply, done) => {
    orders.get(request)?.push('preHandler');
    done();
  });
  app.addHook('onSend', async (request, reply, payload) => {
    reply.header('x-order', String(orders.get(request)));
    return payload;
  });
  app.addContentTypeParser('application/x-lines', { parseAs: 'string' }, (_request, body, done) => {
    done(null, String(body).split('\n'));
  });
  app.get('/', async () => 'Hello, World!');
  app.get('/object', async () => ({ a: 1, b: ['ü'] }));
  app.get('/users/:id', async (request) => ({ params: request.params, query: request.query }));
  app.get('/buffer', (_request, reply) => void reply.type('application/x-a').send(Buffer.from([1, 2, 3])));
  app.get('/stream', (_request, reply) => reply.type('text/plain').send(createReadStream(file)));
  app.get('/empty', (_request, reply) => reply.code(204).send());
  app.get('/away', (_request, reply) => reply.redirect('/there', 307));
  app.get('/cookies', (_request, reply) => reply.header('set-cookie', ['a=1', 'b=2']).send('ok'));
  app.get('/throws', () => {
    throw Object.assign(new Error('thrown'), { statusCode: 409 });
  });
  app.get('/rejects', async () => {
    throw new Error('rejected');
  });
  app.get('/trailers', (_request, reply) => {
    reply.trailer('x-sum', async () => '3');
    reply.send('abc');
  });
  app.get('/web', async () => new Response('from the web', { status: 202, headers: { 'x-web': 'yes' } }));
  app.post('/echo', async (request) => ({ body: request.body }));
  app.post(
    '/checked',
    {
      schema: {
        body: { type: 'object', required: ['n'], properties: { n: { type: 'integer', minimum: 3 } } },
        response: { 200: { type: 'object', properties: { double: { type: 'integer' } } } },
      },
    },
    async (request) => ({ double: (request.body as { n: number }).n * 2, hidden: 'not in the schema' }),
  );
  app.post('/small', { bodyLimit: 10 }, async () => 'never');
  app.setNotFoundHandler((request, reply) => void reply.code(404).send({ nothing: request.url }));
  return app;
}

async function same(requests: string, count: number, isHead = false): Promise<RawReply[]> {
  const native = await RawClient.open({ port: await started(makeApp(false)) });
  const ours = await RawClient.open({ port: await started(makeApp(true)) });
  native.say(requests);
  ours.say(requests);
  const replies: RawReply[] = [];
  for (let i = 0; i < count; i++) {
    const theirs = await native.reply(isHead);
    const reply = await ours.reply(isHead);
    for (const { headers } of [theirs, reply]) delete (headers as Record<string, string>).date;
    expect(reply).toEqual(theirs);
    replies.push(reply);
  }
  native.destroy();
  ours.destroy();
  return replies;
}

describe('Fastify answers as on node:http', () => {
  test('to GET', async () => {
    for (const path of [
      '/',
      '/object',
      '/users/7%20?a=1&a=2',
      '/buffer',
      '/stream',
      '/empty',
      '/away',
      '/cookies',
      '/web',
    ]) {
      await same(get(path), 1);
    }
  });

  test('to HEAD', async () => {
    await same('HEAD /object HTTP/1.1\r\nHost: a\r\n\r\n', 1, true);
  });

  test('to what is not there, and what fails', async () => {
    for (const path of ['/nowhere', '/throws', '/rejects', '/users/%zz']) await same(get(path), 1);
  });

  test('to bodies: JSON, a parser of its own, unknown types, too much', async () => {
    await same(post('/echo', '{"a":[1,{"b":null}]}', 'Content-Type: application/json'), 1);
    await same(post('/echo', '{"a":', 'Content-Type: application/json'), 1);
    await same(post('/echo', 'one\ntwo', 'Content-Type: application/x-lines'), 1);
    await same(post('/echo', 'x', 'Content-Type: application/x-unknown'), 1);
    const [reply] = await same(post('/small', '{"a":"0123456789"}', 'Content-Type: application/json'), 1);
    expect(reply?.status).toBe(413);
  });

  test('with schemas', async () => {
    const [good] = await same(post('/checked', '{"n":4}', 'Content-Type: application/json'), 1);
    expect(JSON.parse(good?.text ?? '')).toEqual({ double: 8 });
    const [bad] = await same(post('/checked', '{"n":1}', 'Content-Type: application/json'), 1);
    expect(bad?.status).toBe(400);
  });

  test('with trailers', async () => {
    const [reply] = await same(get('/trailers'), 1);
    expect(reply?.trailers).toEqual({ 'x-sum': '3' });
  });

  test('in a row on one connection', async () => {
    await same(
      get('/') + post('/echo', '{}', 'Content-Type: application/json') + get('/stream') + get('/empty') + get('/'),
      5,
    );
  });
});

test('Fastify’s onResponse and onRequestAbort hooks are called', async () => {
  const app = Fastify({ serverFactory: (handler) => createServer(handler as never) as never });
  const responded = deferred<number>();
  const aborted = deferred();
  const arrived = deferred();
  app.addHook('onResponse', async (request, reply) => {
    if (request.url === '/') responded.resolve(reply.statusCode);
  });
  app.addHook('onRequestAbort', async (_request) => aborted.resolve());
  app.get('/', async () => 'x');
  app.get('/never', () => {
    arrived.resolve();
    return new Promise(() => {});
  });
  const port = await started(app);
  const client = await RawClient.open({ port });
  client.say(get());
  await client.reply();
  expect(await responded.promise).toBe(200);
  client.say(get('/never'));
  await arrived.promise;
  client.reset();
  await aborted.promise;
});
