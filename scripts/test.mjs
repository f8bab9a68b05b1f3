// The unit tests, once for each backend that this machine has. Arguments go to vitest.
//
//   npm test [-- FILTER ...]      MILLRACE_BACKEND=uv npm test    only with that backend
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = path.join(path.dirname(require.resolve('vitest/package.json')), 'vitest.mjs');

/** Why io_uring cannot be used here, or null. */
function uringProblem() {
  const source = `
    const addon = require('node-gyp-build')(${JSON.stringify(root)});
    addon.open({ backend: 'auto' }, () => {});
    const { backend, fallbackReason } = addon.info();
    console.log(backend === 'uring' ? '' : fallbackReason ?? 'this platform has none');`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', source], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the addon does not load:\n${stderr}`);
  return stdout.trim() || null;
}

function backends() {
  if (process.env.MILLRACE_BACKEND) return [process.env.MILLRACE_BACKEND];
  const problem = uringProblem();
  if (problem === null) return ['uring', 'uv'];
  console.log(`not run with io_uring: ${problem}`);
  return ['uv'];
}

let failed = false;
for (const backend of backends()) {
  console.log(`\n== unit tests with the backend ${backend}`);
  const report = `--outputFile.json=build/reports/unit-${backend}.json`;
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--reporter=default', '--reporter=json', report, ...process.argv.slice(2)],
    { cwd: root, stdio: 'inherit', env: { ...process.env, MILLRACE_BACKEND: backend } },
  );
  if (status !== 0) failed = true;
}
process.exit(failed ? 1 : 0);
