// What people put on top of node:http: `frameworks.mjs express|fastify|hono <folder of the packages> http`.
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { expressApp } from '../javascript/express-app.mjs';
import { honoApp } from '../javascript/hono-app.mjs';
import { bytes, counted, greeting, pieces, postOf, STATIC_TEXT, UPLOAD_BYTES_MAX } from '../javascript/http-app.mjs';
import { importFrom } from '../javascript/packages.mjs';
import { listen } from './http.mjs';

const [framework, folder, server] = process.argv.slice(2);

// As both are run by those who care how fast they are.
process.env.NODE_ENV ??= 'production';

const servers = {
  express: async () => createServer(await expressApp(folder)),
  fastify: async () => (await fastifyApp()).server,
  hono: async () => {
    const { createAdaptorServer } = await importFrom(folder, '@hono/node-server');
    return createAdaptorServer(await honoApp(folder));
  },
};

/** With the schemas of what is sent, as Fastify wants them for its speed. */
async function fastifyApp() {
  const { fastify } = await importFrom(folder, 'fastify');
  const app = fastify({ bodyLimit: UPLOAD_BYTES_MAX });
  const text = { type: 'string' };
  const replies = (properties) => ({ schema: { response: { 200: { type: 'object', properties } } } });
  const post = replies({ user: text, post: text });
  const document = replies({
    ...{ id: { type: 'integer' }, name: text, count: { type: 'integer' } },
    ...{ tags: { type: 'array', items: text }, text },
  });
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  app.get('/hello/:name', (request, reply) => reply.type('text/plain').send(greeting(request.params.name)));
  app.get('/hello.txt', (_, reply) => reply.type('text/plain').send(STATIC_TEXT));
  app.get('/users/:user/posts/:post', post, async ({ params }) => postOf(params.user, params.post));
  app.post('/json', document, async (request) => counted(request.body));
  app.get('/bytes/:length', ({ params }, reply) => reply.send(Buffer.from(bytes(params.length))));
  app.post('/upload', (request, reply) => reply.type('text/plain').send(String(request.body.length)));
  app.get('/stream', (_, reply) => reply.type('application/octet-stream').send(Readable.from(pieces())));
  await app.ready();
  return app;
}

if (servers[framework] === undefined || !server?.startsWith('http')) {
  process.stderr.write('usage: frameworks.mjs express|fastify|hono <folder of the packages> http\n');
  process.exit(2);
}
await listen(await servers[framework]());
