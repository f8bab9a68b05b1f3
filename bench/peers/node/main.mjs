// The Node peer: promises and timers; node:net, node:dgram and node:http for the servers, node:net for the clients.
import { runPeer } from '../javascript/measure.mjs';

const servers = {
  echo: async () => (await import('./servers.mjs')).echo(),
  churn: async () => (await import('./servers.mjs')).churn(),
  udp: async () => (await import('./servers.mjs')).udp(),
  http: async () => (await import('./http.mjs')).http(),
  'http-routes': async () => (await import('./http.mjs')).http(),
};

const [first, ...rest] = process.argv.slice(2);
if (first === 'client') {
  const { runClient } = await import('../javascript/clients.mjs');
  // What pg and ioredis do when they are told nothing else.
  await runClient(rest, { pg: () => ({}), redis: () => ({}) });
} else {
  const { workloads } = await import('../javascript/promises.mjs');
  await runPeer([first, ...rest], workloads, servers);
}
