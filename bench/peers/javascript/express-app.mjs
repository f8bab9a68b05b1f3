import { Readable } from 'node:stream';
import { bytes, counted, greeting, pieces, postOf, STATIC_TEXT, UPLOAD_BYTES_MAX } from './http-app.mjs';
import { importFrom } from './packages.mjs';

/** The Express app that runs on node:http and, unchanged, on Millrace. `folder`: where Express is installed. */
export async function expressApp(folder) {
  const { default: express } = await importFrom(folder, 'express');
  const app = express();
  app.get('/hello/:name', (request, response) => {
    response.type('text/plain').send(greeting(request.params.name));
  });
  app.get('/hello.txt', (_, response) => {
    response.type('text/plain').send(STATIC_TEXT);
  });
  app.get('/users/:user/posts/:post', ({ params }, response) => {
    response.json(postOf(params.user, params.post));
  });
  app.post('/json', express.json(), (request, response) => {
    response.json(counted(request.body));
  });
  app.get('/bytes/:length', ({ params }, response) => {
    response.type('application/octet-stream').send(Buffer.from(bytes(params.length)));
  });
  app.post('/upload', express.raw({ limit: UPLOAD_BYTES_MAX }), (request, response) => {
    response.type('text/plain').send(String(request.body.length));
  });
  app.get('/stream', (_, response) => {
    Readable.from(pieces()).pipe(response.type('application/octet-stream'));
  });
  return app;
}
