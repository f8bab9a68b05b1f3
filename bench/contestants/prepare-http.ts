// The programs that only HTTP cells need.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildFolder, packageRoot, peersFolder } from '../paths.js';
import { failureOf, runProgram } from '../runner/process.js';
import { isUpToDate } from './freshness.js';
import { installPackages } from './packages.js';
import type { OnStep, Prepared } from './prepare.js';

const BUILD_TIMEOUT_MS = 600_000;
const START_TIMEOUT_MS = 30_000;

const FRAMEWORKS = { express: '5.3.0', fastify: '5.12.8', hono: '4.13.19', '@hono/node-server': '2.1.9' } as const;
const FRAMEWORKS_FOLDER = 'frameworks';
const DENO_VERSION = '2.9.6';
const NETWORK_NEEDED = 'run again where npm reaches its registry';

export type Framework = 'express' | 'fastify' | 'hono';
const NAMES: Readonly<Record<Framework, string>> = { express: 'Express', fastify: 'Fastify', hono: 'Hono' };

/** A framework on what `on` starts; its program is given the folder of the packages. */
export async function prepareFramework(framework: Framework, on: Prepared, onStep: OnStep): Promise<Prepared> {
  if (!on.ok) return on;
  const failure = await installPackages(FRAMEWORKS_FOLDER, FRAMEWORKS, onStep);
  if (failure !== null) return { ok: false, reason: failure, how: NETWORK_NEEDED };
  const folder = join(buildFolder, FRAMEWORKS_FOLDER);
  return {
    ...on,
    command: [...on.command, folder],
    version: `${NAMES[framework]} ${FRAMEWORKS[framework]}, ${on.version}`,
  };
}

/** `node frameworks.mjs FRAMEWORK` */
export function nodeWith(framework: Framework): Prepared {
  const command = [process.execPath, join(peersFolder, 'node', 'frameworks.mjs'), framework];
  return { ok: true, command, version: `Node ${process.version}` };
}

/** Bun, which `bun` has found, with another program. */
export function bunWith(program: string, bun: Prepared): Prepared {
  if (!bun.ok) return bun;
  const [executable = 'bun'] = bun.command;
  return { ...bun, command: [executable, join(peersFolder, 'bun', program)] };
}

const ADAPTERS: Readonly<Partial<Record<string, string>>> = { express: 'nodeHandler', hono: 'fetchHandler' };

/** The Millrace peer in an HTTP style. */
export async function millraceWith(style: 'http' | Framework, millrace: Prepared): Promise<Prepared> {
  if (!millrace.ok) return millrace;
  const how = 'npm ci';
  if (!existsSync(join(packageRoot, 'dist', 'lib', 'http', 'index.js'))) {
    return { ok: false, reason: "'millrace/http' is not built", how };
  }
  const adapter = ADAPTERS[style];
  if (adapter !== undefined) {
    const probe = `import { ${adapter} } from 'millrace/http'`;
    const found = await runProgram([process.execPath, '--input-type=module', '--eval', probe], {
      cwd: packageRoot,
      timeoutMs: START_TIMEOUT_MS,
    });
    if (found.code !== 0) return { ok: false, reason: `'millrace/http' has no ${adapter}: ${failureOf(found)}`, how };
  }
  return { ...millrace, command: [...millrace.command, style] };
}

export async function prepareDeno(onStep: OnStep): Promise<Prepared> {
  const how = 'install Deno (https://deno.com) and run again';
  const modules = join(buildFolder, 'deno', 'node_modules');
  const main = join(peersFolder, 'deno', 'main.mjs');
  const binary = `@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`;
  const found = async (): Promise<Prepared | null> => {
    // Where npm runs no install scripts, the `deno` command is a script that starts the binary: a process too many.
    for (const place of ['deno', join(modules, binary, 'deno'), join(modules, '.bin', 'deno')]) {
      const version = await runProgram([place, '--version'], { timeoutMs: START_TIMEOUT_MS });
      const number = /^deno (\S+)/.exec(version.stdout)?.[1];
      if (version.code !== 0 || number === undefined) continue;
      const command = [place, 'run', '--allow-all', '--v8-flags=--expose-gc', main];
      return { ok: true, command, version: `Deno ${number}` };
    }
    return null;
  };
  const before = await found();
  if (before !== null) return before;
  const failure = await installPackages('deno', { deno: DENO_VERSION }, onStep);
  if (failure !== null) return { ok: false, reason: failure, how };
  return (await found()) ?? { ok: false, reason: `deno@${DENO_VERSION} was installed but does not start`, how };
}

/** Rust: hyper, and the fixed reply on Tokio. */
export async function prepareHyper(onStep: OnStep): Promise<Prepared> {
  const how = 'install Rust 1.80 or later (https://rustup.rs) and run again';
  const cargo = await runProgram(['cargo', '--version'], { timeoutMs: START_TIMEOUT_MS });
  if (cargo.code !== 0) return { ok: false, reason: 'cargo was not found', how };
  const folder = join(peersFolder, 'hyper');
  const target = join(buildFolder, 'hyper');
  const program = join(target, 'release', 'hyper-peer');
  if (!(await isUpToDate(program, [join(folder, 'src'), join(folder, 'Cargo.lock'), join(folder, 'Cargo.toml')]))) {
    onStep('building the hyper peer (cargo, release with LTO)');
    const built = await runProgram(['cargo', 'build', '--release', '--locked', '--target-dir', target], {
      cwd: folder,
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    if (built.code !== 0) return { ok: false, reason: `cargo could not build the peer: ${failureOf(built)}`, how };
  }
  const lock = await readFile(join(folder, 'Cargo.lock'), 'utf8');
  const versionOf = (name: string) => new RegExp(`name = "${name}"\\nversion = "([^"]+)"`).exec(lock)?.[1] ?? 'unknown';
  return { ok: true, command: [program], version: `hyper ${versionOf('hyper')} on tokio ${versionOf('tokio')}` };
}

/** The C server, if this kernel lets it have a ring. */
export async function prepareUring(onStep: OnStep): Promise<Prepared> {
  const how = 'Linux 6.1 or later with io_uring allowed, and a C++20 compiler (apt-get install g++)';
  if (process.platform !== 'linux') return { ok: false, reason: 'only Linux has io_uring', how };
  const source = join(peersFolder, 'c', 'uring.cpp');
  const program = join(buildFolder, 'uring-peer');
  if (!(await isUpToDate(program, [source]))) {
    onStep('compiling the io_uring peer');
    await mkdir(buildFolder, { recursive: true });
    const compiler = process.env.CXX ?? 'c++';
    const unfinished = `${program}.${process.pid}`;
    const built = await runProgram([compiler, '-std=c++20', '-O2', '-o', unfinished, source], {
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    if (built.code !== 0) return { ok: false, reason: `${compiler} could not compile it: ${failureOf(built)}`, how };
    await rename(unfinished, program);
  }
  // Its standard input is at its end: it serves nobody, and tells whether it could.
  const probe = await runProgram([program, 'http'], { timeoutMs: START_TIMEOUT_MS });
  if (probe.code !== 0) return { ok: false, reason: `it does not start: ${failureOf(probe)}`, how };
  return { ok: true, command: [program], version: 'C io_uring (raw system calls)' };
}

const UWS = 'uWebSockets.js';

/** Used where somebody has installed it beside Millrace. */
export async function prepareUws(): Promise<Prepared> {
  const how = 'npm install uNetworking/uWebSockets.js#v20.57.0 beside Millrace, and run again';
  const require = createRequire(join(packageRoot, 'package.json'));
  try {
    require.resolve(UWS);
  } catch {
    return { ok: false, reason: 'it is not on npm: its author publishes it on GitHub only', how };
  }
  try {
    require(UWS);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return { ok: false, reason: `it does not load on Node ${process.version}: ${why}`, how };
  }
  const { version } = require(`${UWS}/package.json`) as { version: string };
  const command = [process.execPath, join(peersFolder, 'node', 'uws.mjs'), packageRoot];
  return { ok: true, command, version: `${UWS} ${version}, Node ${process.version}` };
}
