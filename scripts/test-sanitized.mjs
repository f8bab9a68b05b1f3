// Runs test/native, and the tests of sockets that leave all I/O to processes of their own, with the addon of build/asan
// (npm run build:asan): address and undefined-behaviour sanitizers. The sanitizers' runtime is preloaded into the
// processes that load the addon. Leaks are not looked for: Node itself leaves much to the end of the process.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const addon = fileURLToPath(new URL('../build/asan/millrace.node', import.meta.url));
if (!existsSync(addon)) {
  console.error('build/asan/millrace.node is not there: npm run build:asan');
  process.exit(1);
}
const compiler = process.env.CXX ?? 'g++';
const runtime = (name) => spawnSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();
const suites = [
  'test/native',
  'test/net/process.test',
  'test/reliability/exit',
  'test/reliability/hostile',
  'test/reliability/churn',
  'test/reliability/http',
];
const result = spawnSync('npx', ['vitest', 'run', ...suites, ...process.argv.slice(2)], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
  env: {
    ...process.env,
    MILLRACE_ADDON: addon,
    // The storm in short: its memory is measured without sanitizers, whose own grows.
    MILLRACE_CHURN: process.env.MILLRACE_CHURN ?? '3200',
    MILLRACE_PRELOAD: `${runtime('libasan.so')} ${runtime('libubsan.so')}`,
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  },
});
process.exit(result.status ?? 1);
