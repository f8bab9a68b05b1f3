// clang-format and clang-tidy over native/ and the programs of bench/. With --fix only the format is repaired; with --format clang-tidy is left out.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { listSources } from './list-sources.mjs';
import { eachAtOnce, runQuietly } from './run-at-once.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

// Debian's version of the tool first: formats differ between versions, and 14 is the one that the code is formatted with.
function findTool(tool) {
  for (const command of [`${tool}-14`, tool]) {
    if (spawnSync(command, ['--version']).status === 0) return command;
  }
  console.error(`${tool} is not there: install it (Debian: ${tool}-14)`);
  process.exit(1);
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (result.status === 0) return;
  console.error(`${result.stdout}${result.stderr}`);
  process.exit(1);
}

function sourcesIn(folder) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .map((file) => path.join(folder, String(file)))
    .filter((file) => /\.(cc|cpp|h)$/.test(file));
}

const programs = [...sourcesIn('bench/load'), ...sourcesIn('bench/peers/c')];
const files = [
  ...['core', 'io', 'tls', 'addon', 'tests', 'fuzz'].flatMap((folder) => sourcesIn(`native/${folder}`)),
  ...programs,
];
const fix = process.argv.includes('--fix');
run(findTool('clang-format'), [...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...files]);
if (fix || process.argv.includes('--format')) process.exit(0);

const database = path.join(root, 'build/tidy');
run('cmake', ['-S', 'native', '-B', database, '-DCMAKE_BUILD_TYPE=Debug', '-DMILLRACE_TESTS=OFF']);
const clangTidy = findTool('clang-tidy');
const checks = listSources().map((source) => ({ source: `native/${source}`, before: ['-p', database], after: [] }));
// They are for Linux alone, and no part of the addon's build.
if (process.platform === 'linux') {
  for (const source of programs.filter((file) => file.endsWith('.cpp'))) {
    checks.push({ source, before: ['--header-filter=bench/'], after: ['--', '-std=c++20'] });
  }
}
// The large ones first, so that no core ends with one of them while the others are idle.
const lengthBytes = ({ source }) => statSync(path.join(root, source)).size;
checks.sort((a, b) => lengthBytes(b) - lengthBytes(a));
const results = await eachAtOnce(checks, ({ source, before, after }) =>
  runQuietly(clangTidy, [...before, '--quiet', source, ...after], { cwd: root }),
);
for (const { output } of results.filter(({ status }) => status !== 0)) console.error(output);
process.exit(results.every(({ status }) => status === 0) ? 0 : 1);
