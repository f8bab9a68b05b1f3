// Builds build/Release/millrace.node with node-gyp. The headers are those of the Node that runs this script, so nothing
// is downloaded; whatever is missing is named together with what to install.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const prefix = path.resolve(process.execPath, '../..');
const require = createRequire(import.meta.url);

// CXX may be a command with arguments, as make would take it.
function compiles(compiler) {
  const [command, ...flags] = compiler.split(' ').filter((word) => word !== '');
  const source = '#include <bit>\nint main() { return std::popcount(0u); }\n';
  return (
    spawnSync(command, [...flags, '-std=c++20', '-x', 'c++', '-fsyntax-only', '-'], { input: source }).status === 0
  );
}

function runs(command) {
  return spawnSync(command, ['--version']).status === 0;
}

export function findProblems() {
  const problems = [];
  if (process.platform === 'win32') return problems; // Headers and tools are node-gyp's affair there.
  for (const header of ['node_api.h', 'uv.h', 'common.gypi']) {
    if (existsSync(path.join(prefix, 'include/node', header))) continue;
    problems.push(
      `${header} is not in ${path.join(prefix, 'include/node')}: install Node's headers (Debian: the package libnode-dev ` +
        'of your Node; the archives of nodejs.org have them inside)',
    );
  }
  const compiler = process.env.CXX ?? (process.platform === 'darwin' ? 'c++' : 'g++');
  if (!compiles(compiler)) {
    problems.push(`${compiler} does not compile C++20: install g++ 10 or clang 12, or a later one (Debian: g++)`);
  }
  if (!runs('python3')) problems.push('python3 is not there: install it (Debian: python3); node-gyp is written in it');
  if (!runs('make')) problems.push('make is not there: install it (Debian: make)');
  return problems;
}

const problems = findProblems();
if (problems.length > 0) {
  console.error(`millrace: the addon cannot be built here:\n  - ${problems.join('\n  - ')}`);
  process.exit(1);
}

const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
const windows = process.platform === 'win32';
const result = spawnSync(
  process.execPath,
  [
    nodeGyp,
    // Configured every time: gyp does not see that native/sources.txt has changed.
    'configure',
    'build',
    '--release',
    '--loglevel=error',
    '-j',
    String(Math.max(1, Number(process.env.MILLRACE_BUILD_JOBS ?? 2) || 2)),
    ...(windows ? [] : [`--nodedir=${prefix}`]),
  ],
  { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
);
if (result.status !== 0) {
  console.error(result.stdout);
  console.error(result.stderr);
  console.error('millrace: the addon could not be built; the compiler says why above.');
  process.exit(1);
}
const warnings = result.stderr.split('\n').filter((line) => /warning:/.test(line));
if (warnings.length > 0) console.error(warnings.join('\n'));
console.log(`millrace: built ${path.relative(process.cwd(), path.join(root, 'build/Release/millrace.node'))}`);
