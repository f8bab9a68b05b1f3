// What `import 'millrace'` costs over bare Node: fresh processes, the two kinds in turn, medians.
//
//   npm run measure:import [-- --rounds N] [--entry FILE]
//
// The time is that of a whole process which imports and ends, over one which only ends; memory is the resident set at
// that end. `inside` is what the program itself sees of the import.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    entry: { type: 'string', default: fileURLToPath(new URL('../dist/lib/index.js', import.meta.url)) },
  },
});
const rounds = Math.max(1, Number(values.rounds) || 15);
const report =
  'process.stdout.write(JSON.stringify({ rss: process.memoryUsage.rss(), inside: performance.now() - started }));\n';

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function sample(program) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  const wall = performance.now() - started;
  if (status !== 0) throw new Error(stderr);
  return { wall, ...JSON.parse(stdout) };
}

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-import-'));
try {
  const bare = path.join(folder, 'bare.mjs');
  const importing = path.join(folder, 'importing.mjs');
  writeFileSync(bare, `const started = performance.now();\n${report}`);
  writeFileSync(
    importing,
    `const started = performance.now();\nawait import(${JSON.stringify(pathToFileURL(path.resolve(values.entry)).href)});\n${report}`,
  );
  const without = [];
  const having = [];
  sample(bare);
  sample(importing);
  for (let round = 0; round < rounds; round++) {
    without.push(sample(bare));
    having.push(sample(importing));
  }
  const over = (key) => median(having.map((one) => one[key])) - median(without.map((one) => one[key]));
  console.log(
    `import 'millrace' on Node.js ${process.version}, median of ${rounds}: ` +
      `${over('wall').toFixed(1)} ms (inside ${over('inside').toFixed(1)} ms), ` +
      `${(over('rss') / 1e6).toFixed(1)} MB over bare Node (must: 25 ms, 12 MB)`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
