// Builds the binaries that the package ships: prebuilds/<platform>-<arch>/millrace.uv1[.<libc>].node.
//
//   npm run prebuild                          on Linux: x64 and arm64, glibc and musl; elsewhere: this machine's own
//   npm run prebuild -- linux-x64-glibc ...   only these
//
// prebuildify runs node-gyp, so that the shipped build has one definition, binding.gyp. On Linux zig is its compiler: it
// targets glibc 2.28 whatever the machine has, and the other architecture and musl as well. libc++ is linked in. The
// tag uv1 says that the addon speaks to libuv, whose ABI is stable within its major version 1.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findZig } from './zig.mjs';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const GLIBC = '2.28';
const linuxTargets = {
  'linux-x64-glibc': `x86_64-linux-gnu.${GLIBC}`,
  'linux-x64-musl': 'x86_64-linux-musl',
  'linux-arm64-glibc': `aarch64-linux-gnu.${GLIBC}`,
  'linux-arm64-musl': 'aarch64-linux-musl',
};

function prebuildify(stage, options, environment) {
  const prefix = path.resolve(process.execPath, '../..');
  const result = spawnSync(
    process.execPath,
    [
      require.resolve('prebuildify/bin.js'),
      '--napi',
      '--tag-uv=1',
      `--target=${process.versions.node}`,
      `--cwd=${stage}`,
      `--out=${root}`,
      ...options,
    ],
    {
      cwd: stage,
      encoding: 'utf8',
      env: {
        ...process.env,
        PREBUILD_NODE_GYP: path.join(
          root,
          'node_modules/.bin',
          process.platform === 'win32' ? 'node-gyp.cmd' : 'node-gyp',
        ),
        // Headers are those of the Node that runs this; the Windows installation has none, there node-gyp brings them.
        ...(process.platform === 'win32' ? {} : { npm_package_config_node_gyp_nodedir: prefix }),
        JOBS: process.env.MILLRACE_BUILD_JOBS ?? '2',
        ...environment,
      },
    },
  );
  if (result.status === 0) return;
  console.error(`${result.stdout}${result.stderr}`);
  throw new Error(`prebuildify ${options.join(' ')} failed`);
}

function prebuildLinux(stage, name) {
  const [, arch, libc] = name.split('-');
  const zig = findZig();
  const target = linuxTargets[name];
  prebuildify(stage, [`--arch=${arch}`, `--libc=${libc}`, '--tag-libc'], {
    CC: `"${zig}" cc -target ${target}`,
    CXX: `"${zig}" c++ -target ${target}`,
    AR: `"${zig}" ar`,
  });
}

const linux = process.platform === 'linux';
const known = linux ? Object.keys(linuxTargets) : [`${process.platform}-${process.arch}`];
const asked = process.argv.length > 2 ? process.argv.slice(2) : known;
for (const name of asked.filter((one) => !known.includes(one))) {
  console.error(`unknown target: ${name}; here are known: ${known.join(', ')}`);
  process.exit(2);
}

// prebuildify starts with a clean build/, so it gets a copy of what binding.gyp reads and leaves build/ alone.
const stage = mkdtempSync(path.join(tmpdir(), 'millrace-prebuild-'));
try {
  for (const entry of ['native', 'scripts', 'binding.gyp', 'package.json']) {
    cpSync(path.join(root, entry), path.join(stage, entry), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(stage, 'node_modules'), 'junction');
  for (const name of asked) {
    const started = performance.now();
    if (linux) prebuildLinux(stage, name);
    else prebuildify(stage, ['--strip'], {});
    console.log(`${name}: ${((performance.now() - started) / 1e3).toFixed(0)} s`);
  }
  for (const file of readdirSync(path.join(root, 'prebuilds'), { recursive: true, withFileTypes: true })) {
    if (file.isFile()) console.log(path.join('prebuilds', path.basename(file.parentPath ?? file.path), file.name));
  }
} finally {
  rmSync(stage, { recursive: true, force: true });
}
