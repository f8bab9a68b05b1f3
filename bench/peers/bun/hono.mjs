// Hono on Bun's own server: `hono.mjs <folder of the packages> http`.
import { honoApp } from '../javascript/hono-app.mjs';
import { servePort } from '../javascript/measure.mjs';
import { listen } from './http.mjs';

const [folder] = process.argv.slice(2);
const { fetch } = await honoApp(folder);
const server = listen({ fetch });
await servePort(server.port, () => Bun.gc(true));
process.exit(0);
