// Zig as a C++ cross compiler: it brings the headers and link stubs of every glibc and of musl. It comes from PyPI (the
// package ziglang), into a virtual environment in the cache folder. MILLRACE_ZIG names another zig.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from './cache-folder.mjs';

const ZIG_VERSION = '0.15.2';

function run(command, args) {
  return spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' } });
}

function zigIn(environment) {
  const asked = run(path.join(environment, 'bin/python'), [
    '-c',
    'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))',
  ]);
  return asked.status === 0 && existsSync(asked.stdout.trim()) ? asked.stdout.trim() : null;
}

/** The Python of the virtual environment that zig is in; installs both on first use. */
export function findPython() {
  const environment = cacheFolder(`zig-${ZIG_VERSION}`);
  if (zigIn(environment) === null) install(environment);
  return path.join(environment, 'bin/python');
}

/** The path of zig; installs it on first use. @throws Error that says what to install */
export function findZig() {
  if (process.env.MILLRACE_ZIG) return process.env.MILLRACE_ZIG;
  const environment = cacheFolder(`zig-${ZIG_VERSION}`);
  return zigIn(environment) ?? install(environment);
}

function install(environment) {
  console.log(`installing ziglang ${ZIG_VERSION} from PyPI`);
  // A half-made environment is of no use to the next run.
  const fail = (what, result) => {
    rmSync(environment, { recursive: true, force: true });
    throw new Error(`${what}\n${result.stdout}${result.stderr}`);
  };
  const made = run('python3', ['-m', 'venv', environment]);
  if (made.status !== 0) fail('python3 cannot make a virtual environment: install it (Debian: python3-venv)', made);
  const installed = run(path.join(environment, 'bin/python'), ['-m', 'pip', 'install', `ziglang==${ZIG_VERSION}`]);
  if (installed.status !== 0) fail(`pip cannot install ziglang ${ZIG_VERSION}`, installed);
  return zigIn(environment) ?? fail('ziglang has no zig inside', installed);
}
