import { bytes, counted, greeting, pieces, postOf, STATIC_TEXT } from './http-app.mjs';
import { importFrom } from './packages.mjs';

/** The Hono app that runs on Node, on Bun and on Millrace. `folder`: where Hono is installed. */
export async function honoApp(folder) {
  const { Hono } = await importFrom(folder, 'hono');
  const { stream } = await importFrom(folder, 'hono/streaming');
  const binary = { 'Content-Type': 'application/octet-stream' };
  const app = new Hono();
  app.get('/hello/:name', (context) => context.text(greeting(context.req.param('name'))));
  app.get('/hello.txt', (context) => context.text(STATIC_TEXT));
  app.get('/users/:user/posts/:post', (context) => {
    const { user, post } = context.req.param();
    return context.json(postOf(user, post));
  });
  app.post('/json', async (context) => context.json(counted(await context.req.json())));
  app.get('/bytes/:length', (context) => context.body(bytes(context.req.param('length')), 200, binary));
  app.post('/upload', async (context) => context.text(String((await context.req.arrayBuffer()).byteLength)));
  app.get('/stream', (context) =>
    stream(context, async (out) => {
      for await (const piece of pieces()) await out.write(piece);
    }),
  );
  return app;
}
