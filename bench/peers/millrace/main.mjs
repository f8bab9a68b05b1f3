// The Millrace peer: `main.mjs fibers|async <workload> <n> <warm-up ms> <measure ms>`, `main.mjs handlers|streams <server>`,
// `main.mjs http http|http-routes`, `main.mjs express|hono <folder of the packages> http`, `main.mjs sockets client <service>
// ...`, `main.mjs import`, `main.mjs fibers backend`. Nothing is imported before it is needed: `import` measures just that.
const [style, ...words] = process.argv.slice(2);

if (style === 'import') {
  const memoryBytes = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await import('millrace');
  const milliseconds = performance.now() - start;
  const used = process.cpuUsage(cpu);
  const result = {
    milliseconds,
    memoryBytes: process.memoryUsage.rss() - memoryBytes,
    cpuSeconds: (used.user + used.system) / 1e6,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} else if (words[0] === 'backend') {
  const { runtimeInfo } = await import('millrace');
  process.stdout.write(`${JSON.stringify({ backend: runtimeInfo().backend })}\n`);
} else if (style === 'express' || style === 'hono') {
  const [folder] = words;
  await (await import('./apps.mjs'))[style](folder);
} else if (words[0] === 'client') {
  const { runClient } = await import('../javascript/clients.mjs');
  await runClient(words.slice(1), (await import('./clients.mjs')).options);
} else {
  const { runPeer } = await import('../javascript/measure.mjs');
  const { workloads } = style === 'async' ? await import('./async.mjs') : await import('./fibers.mjs');
  const servers = {
    echo: async () => (await import('./tcp.mjs'))[style === 'streams' ? 'echoStreams' : 'echoHandlers'](),
    churn: async () => (await import('./tcp.mjs'))[style === 'streams' ? 'churnStreams' : 'churnHandlers'](),
    udp: async () => (await import('./udp.mjs'))[style === 'streams' ? 'streams' : 'handlers'](),
    http: async () => (await import('./http.mjs')).handler(),
    'http-routes': async () => (await import('./http.mjs')).routes(),
  };
  await runPeer(words, workloads, servers);
}
