// The peers' protocol (bench/peers/README.md) for the runtimes that run JavaScript.
import { readFileSync } from 'node:fs';

/**
 * @param {string[]} words the command line after the program
 * @param {Record<string, (n: number) => Promise<number>>} workloads
 * @param {Record<string, () => Promise<void>>} servers
 */
export async function runPeer(words, workloads, servers) {
  if (words.length === 1) {
    const serve = servers[words[0]];
    if (serve === undefined) fail(`unknown server: ${words[0]}`);
    return serve();
  }
  if (words.length !== 4) fail(`usage: <workload> <n> <warm-up ms> <measure ms> | ${Object.keys(servers).join('|')}`);
  const workload = workloads[words[0]];
  if (workload === undefined) fail(`unknown workload: ${words[0]}`);
  const n = wholeNumber(words[1], 'n');
  await measure(n, wholeNumber(words[2], 'warm-up ms'), wholeNumber(words[3], 'measure ms'), workload);
}

async function measure(n, warmupMs, measureMs, workload) {
  const phases = [];
  const nanoseconds = [];
  const checksums = [];
  const repeat = async (phase) => {
    const start = performance.now();
    const checksum = await workload(n);
    nanoseconds.push(Math.round((performance.now() - start) * 1e6));
    checksums.push(checksum);
    phases.push(phase);
  };

  const start = performance.now();
  const cpuStart = process.cpuUsage();
  await repeat('first');
  const cpuFirst = process.cpuUsage(cpuStart);
  while (performance.now() - start < warmupMs) await repeat('warm-up');
  const warmStart = performance.now();
  const cpuWarmStart = process.cpuUsage();
  do await repeat('warm');
  while (performance.now() - warmStart < measureMs);
  const cpuWarm = process.cpuUsage(cpuWarmStart);

  const lines = phases.map((phase, k) =>
    JSON.stringify({ phase, operations: n, nanoseconds: nanoseconds[k], checksum: String(checksums[k]) }),
  );
  lines.push(
    JSON.stringify({
      phase: 'end',
      firstCpuNanoseconds: (cpuFirst.user + cpuFirst.system) * 1000,
      warmCpuNanoseconds: (cpuWarm.user + cpuWarm.system) * 1000,
      peakMemoryBytes: peakMemoryBytes(),
    }),
  );
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** VmHWM, not ru_maxrss: the latter is inherited across exec and would show the parent's size. */
export function peakMemoryBytes() {
  try {
    const match = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return match === null ? 0 : Number(match[1]) * 1024;
  } catch {
    return process.memoryUsage().rss;
  }
}

function wholeNumber(text, name) {
  if (!/^\d{1,12}$/.test(text)) fail(`${name} must be a whole number, got ${text}`);
  return Number(text);
}

/**
 * Prints a server's port, and resolves when standard input is closed: the sign for it to end. A line `collect` on
 * standard input asks for a garbage collection.
 *
 * @param {number} port
 * @param {() => void} collect
 */
export function servePort(port, collect = globalThis.gc ?? (() => {})) {
  process.stdout.write(`${port}\n`);
  return new Promise((resolve) => {
    process.stdin.on('data', (chunk) => {
      if (!String(chunk).includes('collect')) return;
      collect();
      process.stdout.write('collected\n');
    });
    process.stdin.on('end', resolve);
    process.stdin.on('close', resolve);
  });
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
