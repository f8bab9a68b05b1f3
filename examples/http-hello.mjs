// The smallest HTTP server. Run: node examples/http-hello.mjs 8080
import { runtimeInfo } from 'millrace';
import { serve } from 'millrace/http';

const server = serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  fetch: () => 'Hello, World!', // as text/plain
});
await server.ready;
console.log(`listening on 127.0.0.1:${server.port} (${runtimeInfo().backend})`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
