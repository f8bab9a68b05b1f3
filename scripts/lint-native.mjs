// clang-format and clang-tidy over native/ and the programs of bench/. With --fix only the format is repaired; with --format clang-tidy is left out.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { listSources } from './list-sources.mjs';

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
run(findTool('clang-tidy'), ['-p', database, '--quiet', ...listSources().map((source) => `native/${source}`)]);
// They are for Linux alone, and no part of the addon's build.
if (process.platform === 'linux') {
  const sources = programs.filter((file) => file.endsWith('.cpp'));
  run(findTool('clang-tidy'), ['--quiet', '--header-filter=bench/', ...sources, '--', '-std=c++20']);
}
