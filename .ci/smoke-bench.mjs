// Each workload of the short plan, each of the network, and some over HTTP, once, with each runtime that can be had here: that it works, not
// how fast. A missing toolchain is told, and is no failure.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
let failures = 0;
let results = 0;
// Each kind of load and of reply that is short; test/bench/peers.test.ts tries all of them.
const HTTP_CELLS = 'http-plaintext,http-static,http-json,http-latency/same-rate,http-rounds/3x20x15';
for (const [part, ...only] of [['compute'], ['net'], ['http', '--only', HTTP_CELLS]]) {
  const json = `build/ci/bench-${part}.json`;
  const html = `build/ci/bench-${part}.html`;
  const options = [part, ...only, '--quick', '--samples', '1', '--measure-ms', '1', '--json', json, '--html', html];
  const command = ['dist/bin/millrace.js', 'bench', ...options];
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  look(JSON.parse(readFileSync(`${root}${json}`, 'utf8')));
}
if (results === 0) console.error('nothing was run');
process.exit(failures === 0 && results > 0 ? 0 : 1);

function look(report) {
  for (const cell of report.cells) {
    for (const result of cell.results) {
      results++;
      if (result.failures.length === 0 && result.value !== null) continue;
      failures++;
      console.error(`${cell.id}, ${result.contestant}: ${result.failures[0] ?? 'nothing was measured'}`);
    }
  }
  for (const one of report.notRun) console.log(`not run: ${JSON.stringify(one)}`);
}
