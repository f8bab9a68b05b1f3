// HTTP servers: one handler that tells method and path apart itself, and one with routes, of which one is static.
import { Reply, serve } from 'millrace/http';
import {
  bytes,
  counted,
  greeting,
  pieces,
  postOf,
  postPath,
  STATIC_TEXT,
  UPLOAD_BYTES_MAX,
} from '../javascript/http-app.mjs';
import { serveUntilClosed } from './counters.mjs';

const where = { hostname: '127.0.0.1', port: 0, backlog: 4096, limits: { bodyBytes: UPLOAD_BYTES_MAX } };

/** A single handler, as node:http has it. */
export function handler() {
  return run({
    fetch(request) {
      const { method, path } = request;
      if (method === 'GET') {
        if (path.startsWith('/hello/')) return greeting(path.slice('/hello/'.length));
        const post = postPath(path);
        if (post !== null) return Reply.json(postOf(...post));
        if (path.startsWith('/bytes/')) return bytes(path.slice('/bytes/'.length));
        if (path === '/hello.txt') return STATIC_TEXT;
        if (path === '/stream') return pieces();
      }
      if (method === 'POST') {
        if (path === '/json') return count(request);
        if (path === '/upload') return upload(request);
      }
      return new Reply('not here', { status: 404 });
    },
  });
}

/** The router's table, whose static replies C++ sends by itself. */
export function routes() {
  return run({
    routes: {
      '/hello.txt': STATIC_TEXT,
      '/hello/:name': ({ params }) => greeting(params.name),
      '/users/:user/posts/:post': ({ params }) => Reply.json(postOf(params.user, params.post)),
      '/bytes/:length': ({ params }) => bytes(params.length),
      '/json': { POST: count },
      '/upload': { POST: upload },
      '/stream': () => pieces(),
    },
  });
}

async function count(request) {
  return Reply.json(counted(await request.json()));
}

async function upload(request) {
  return String((await request.bytes()).length);
}

export async function run(options) {
  const server = serve({ ...where, ...options });
  await server.ready;
  await serveUntilClosed(server);
}
