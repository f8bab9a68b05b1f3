// Bun.serve with its own router, which finds methods and parameters in native code.
import { bytes, counted, greeting, IDLE_SECONDS, pieces, postOf, STATIC_TEXT } from '../javascript/http-app.mjs';

const BINARY = { headers: { 'Content-Type': 'application/octet-stream' } };

export function listen(options) {
  return Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: IDLE_SECONDS, ...options });
}

export function httpServer() {
  return listen({
    routes: {
      '/hello/:name': { GET: (request) => new Response(greeting(request.params.name)) },
      '/hello.txt': new Response(STATIC_TEXT),
      '/users/:user/posts/:post': {
        GET: ({ params }) => Response.json(postOf(params.user, params.post)),
      },
      '/json': { POST: async (request) => Response.json(counted(await request.json())) },
      '/bytes/:length': { GET: (request) => new Response(bytes(request.params.length), BINARY) },
      '/upload': { POST: async (request) => new Response(String((await request.bytes()).length)) },
      '/stream': { GET: () => new Response(pieces, BINARY) },
    },
    fetch: () => new Response('not here', { status: 404 }),
  });
}
