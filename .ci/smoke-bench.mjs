// Each workload of the short plan, once, with each runtime that can be had here: that it works, not how fast. A missing
// toolchain is told, and is no failure.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const json = 'build/ci/bench.json';
const options = ['--quick', '--samples', '1', '--measure-ms', '1', '--json', json, '--html', 'build/ci/bench.html'];
const { status } = spawnSync(process.execPath, ['dist/bin/millrace.js', 'bench', ...options], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(1);

const report = JSON.parse(readFileSync(`${root}${json}`, 'utf8'));
let failures = 0;
let results = 0;
for (const cell of report.cells) {
  for (const result of cell.results) {
    results++;
    if (result.failures.length === 0 && result.value !== null) continue;
    failures++;
    console.error(`${cell.id}, ${result.contestant}: ${result.failures[0] ?? 'nothing was measured'}`);
  }
}
for (const one of report.notRun) console.log(`not run: ${JSON.stringify(one)}`);
if (results === 0) console.error('nothing was run');
process.exit(failures === 0 && results > 0 ? 0 : 1);
