// Apps of frameworks through the adapters. `folder`: where the frameworks are installed.
import { fetchHandler, nodeHandler } from 'millrace/http';
import { expressApp } from '../javascript/express-app.mjs';
import { honoApp } from '../javascript/hono-app.mjs';
import { run } from './http.mjs';

export async function express(folder) {
  await run({ fetch: nodeHandler(await expressApp(folder)) });
}

export async function hono(folder) {
  const { fetch } = await honoApp(folder);
  await run({ fetch: fetchHandler(fetch) });
}
