// Development builds of native/ with CMake, each in its own folder under build/:
//
//   asan   address and undefined-behaviour sanitizers: build/asan/millrace.node and the unit tests
//   tsan   thread sanitizer: the unit tests
//   fuzz   the fuzzers (clang, libFuzzer)
//
//   node scripts/build-development.mjs asan [--test] [--fuzz-seconds=N]
//
// (`npm run build:debug` is the one without a sanitizer, by cmake-js.) --test runs the unit tests, or, for `fuzz`, each fuzzer for N seconds (10).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { eachAtOnce, runQuietly } from './run-at-once.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const builds = {
  asan: ['-DMILLRACE_SANITIZE=address,undefined'],
  tsan: ['-DMILLRACE_SANITIZE=thread', '-DMILLRACE_ADDON=OFF'],
  fuzz: ['-DMILLRACE_FUZZ=ON', '-DMILLRACE_TESTS=OFF', '-DMILLRACE_ADDON=OFF', '-DCMAKE_CXX_COMPILER=clang++'],
};
const [name, ...options] = process.argv.slice(2);
if (!Object.hasOwn(builds, name)) {
  console.error(`which build? one of ${Object.keys(builds).join(', ')}`);
  process.exit(2);
}
const folder = path.join(root, 'build', name);

function run(command, args, inherit = false) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio: inherit ? 'inherit' : 'pipe' });
  if (result.error?.code === 'ENOENT') {
    console.error(
      `${command} is not there: install it (Debian: cmake, ninja-build, libgtest-dev, clang, libclang-rt-dev)`,
    );
    process.exit(1);
  }
  if (result.status === 0) return;
  if (!inherit) console.error(`${result.stdout}${result.stderr}`);
  process.exit(1);
}

/** A fuzzer's own corpus under build/, which grows, then the kept one and the dictionary where there are any. */
function material(name) {
  const kept = path.join(root, 'native/fuzz/corpus', name);
  const dictionary = path.join(root, `native/fuzz/${name}.dict`);
  const found = path.join(folder, 'corpus', name);
  mkdirSync(found, { recursive: true });
  return [found, ...(existsSync(kept) ? [kept] : []), ...(existsSync(dictionary) ? [`-dict=${dictionary}`] : [])];
}

function findClang() {
  for (const compiler of [
    'clang++',
    'clang++-19',
    'clang++-18',
    'clang++-17',
    'clang++-16',
    'clang++-15',
    'clang++-14',
  ]) {
    if (spawnSync(compiler, ['--version']).status === 0) return compiler;
  }
  console.error('clang++ is not there: install it (Debian: clang, libclang-rt-14-dev); libFuzzer is part of it');
  process.exit(1);
}

const settings = builds[name].map((setting) =>
  setting === '-DCMAKE_CXX_COMPILER=clang++' ? `-DCMAKE_CXX_COMPILER=${findClang()}` : setting,
);
const generator = spawnSync('ninja', ['--version']).status === 0 ? ['-G', 'Ninja'] : [];
run('cmake', ['-S', 'native', '-B', folder, ...generator, ...settings]);
run('cmake', ['--build', folder, '-j', process.env.MILLRACE_BUILD_JOBS ?? '2']);

if (options.includes('--test') && name !== 'fuzz') {
  run('ctest', ['--test-dir', folder, '--output-on-failure'], true);
} else if (options.includes('--test')) {
  const seconds = options.find((option) => option.startsWith('--fuzz-seconds='))?.split('=')[1] ?? '10';
  const findings = path.join(folder, 'findings/');
  mkdirSync(findings, { recursive: true });
  const fuzzers = readdirSync(folder).filter((file) => file.endsWith('_fuzzer'));
  const results = await eachAtOnce(fuzzers, async (fuzzer) => {
    const limits = [`-max_total_time=${seconds}`, `-artifact_prefix=${findings}`, '-verbosity=0'];
    const command = path.join(folder, fuzzer);
    const result = await runQuietly(command, [...limits, ...material(fuzzer.replace(/_fuzzer$/, ''))], { cwd: root });
    if (result.status === 0) console.log(`${fuzzer}: ${seconds} s, nothing found`);
    else console.error(result.output);
    return result;
  });
  process.exit(results.every(({ status }) => status === 0) ? 0 : 1);
}
