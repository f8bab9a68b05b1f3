// Commands that do not depend on each other, as many at a time as there are cores (MILLRACE_BUILD_JOBS: so many).
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

export const JOBS = Number(process.env.MILLRACE_BUILD_JOBS ?? availableParallelism());

/** `run(item)` for each item, at most `jobs` at a time, in order. The results are in the order of the items. */
export async function eachAtOnce(items, run, jobs = JOBS) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await run(items[at]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
  return results;
}

/** Runs a command; gives its status (null where a signal ended it) and all that it printed. */
export function runQuietly(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = [];
    child.stdout.on('data', (bytes) => printed.push(bytes));
    child.stderr.on('data', (bytes) => printed.push(bytes));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output: Buffer.concat(printed).toString() }));
  });
}
