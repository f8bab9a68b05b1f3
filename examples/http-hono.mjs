// A Hono app, as it is, on Millrace. Run: npm install hono; node examples/http-hono.mjs 8080
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { runtimeInfo } from 'millrace';
import { serveFetch } from 'millrace/http';

const app = new Hono();

app.use(async (c, next) => {
  await next();
  c.header('X-Powered-By', 'Millrace');
});

app.get('/', (c) => c.text('Hello from Hono'));

app.get('/hello/:name', (c) => {
  const { address } = c.executionCtx.request.remoteAddress;
  return c.json({ hello: c.req.param('name'), from: address });
});

app.get('/count/:to', (c) =>
  streamSSE(c, async (stream) => {
    for (let i = 1; i <= Number(c.req.param('to')); i++) await stream.writeSSE({ data: String(i) });
  }),
);

app.post('/upload', async (c) => {
  const { file } = await c.req.parseBody();
  if (!(file instanceof File)) return c.text('a file, please', 400);
  return c.json({ name: file.name, bytes: file.size });
});

const server = serveFetch(app, { hostname: '127.0.0.1', port: Number(process.argv[2] ?? 8080) });
await server.ready;
console.log(`listening on 127.0.0.1:${server.port} (${runtimeInfo().backend})`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
