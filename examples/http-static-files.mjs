// A directory over HTTP: types, ranges, validators, conditional requests, and no way out of it.
// Run: node examples/http-static-files.mjs 8080 docs
import { Reply, serve, serveFiles } from 'millrace/http';

const [port = '8080', folder = '.'] = process.argv.slice(2);

const server = serve({
  hostname: '127.0.0.1',
  port: Number(port),
  routes: {
    // Text goes before wildcards.
    '/robots.txt': 'User-agent: *\nDisallow:\n',
    '/': Reply.redirect('/index.html'),
    '/*': serveFiles(folder, {
      cacheControl: 'max-age=60',
      dotfiles: 'ignore', // .git is nobody's business: 404
      links: 'inside', // symbolic links that lead out of it: 404
      headers: { 'X-Content-Type-Options': 'nosniff' },
    }),
  },
  accessLog({ request, status, durationMs }) {
    console.log(`${request.method} ${request.path} ${status} ${durationMs.toFixed(1)} ms`);
  },
});
await server.ready;
console.log(`listening on 127.0.0.1:${server.port}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
