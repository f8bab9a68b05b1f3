// The Millrace peer: `main.mjs fibers|async <workload> <n> <warm-up ms> <measure ms>`, `main.mjs handlers|streams echo`,
// `main.mjs import`, `main.mjs fibers backend`. Nothing is imported before it is needed: `import` measures just that.
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
} else {
  const { runPeer } = await import('../javascript/measure.mjs');
  const { workloads } = style === 'async' ? await import('./async.mjs') : await import('./fibers.mjs');
  const echo = async () => {
    const { serveHandlers, serveStreams } = await import('./echo.mjs');
    await (style === 'streams' ? serveStreams() : serveHandlers());
  };
  await runPeer(words, workloads, echo);
}
