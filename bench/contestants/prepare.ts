// Finds or builds what each program needs, on first use. One that cannot run says why and how to get it.
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { buildFolder, loadFolder, packageRoot, peersFolder } from '../paths.js';
import { failureOf, runProgram } from '../runner/process.js';
import type { Program } from './catalog.js';
import { isUpToDate } from './freshness.js';
import { installPackages } from './packages.js';
import {
  bunWith,
  millraceWith,
  nodeWith,
  prepareDeno,
  prepareFramework,
  prepareHyper,
  prepareUring,
  prepareUws,
} from './prepare-http.js';

export type Prepared =
  | {
      readonly ok: true;
      readonly command: readonly string[];
      readonly version: string;
      /** Millrace only: what MILLRACE_BACKEND=auto comes to on this machine. */
      readonly automaticBackend?: string;
    }
  | { readonly ok: false; readonly reason: string; readonly how: string };

/** Told when a step that takes a while begins, e.g. `building the Tokio peer`. */
export type OnStep = (what: string) => void;

const BUILD_TIMEOUT_MS = 600_000;
const BUN_VERSION = '1.4.5';

export const preparers: Readonly<Record<Program, (onStep: OnStep) => Promise<Prepared>>> = {
  tokio: prepareTokio,
  go: prepareGo,
  bun: prepareBun,
  node: prepareNode,
  millrace: prepareMillrace,
  deno: prepareDeno,
  c: prepareUring,
  'millrace-http': async () => millraceWith('http', await prepareMillrace()),
  'millrace-express': async (onStep) =>
    prepareFramework('express', await millraceWith('express', await prepareMillrace()), onStep),
  'millrace-hono': async (onStep) =>
    prepareFramework('hono', await millraceWith('hono', await prepareMillrace()), onStep),
  hyper: prepareHyper,
  express: (onStep) => prepareFramework('express', nodeWith('express'), onStep),
  fastify: (onStep) => prepareFramework('fastify', nodeWith('fastify'), onStep),
  'hono-node': (onStep) => prepareFramework('hono', nodeWith('hono'), onStep),
  'hono-bun': async (onStep) => prepareFramework('hono', bunWith('hono.mjs', await prepareBun(onStep)), onStep),
  uws: prepareUws,
};

async function prepareTokio(onStep: OnStep): Promise<Prepared> {
  const how = 'install Rust 1.78 or later (https://rustup.rs) and run again';
  const cargo = await runProgram(['cargo', '--version'], { timeoutMs: 30_000 });
  if (cargo.code !== 0) return { ok: false, reason: 'cargo was not found', how };
  const folder = join(peersFolder, 'tokio');
  const target = join(buildFolder, 'tokio');
  const program = join(target, 'release', 'tokio-peer');
  if (!(await isUpToDate(program, [join(folder, 'src'), join(folder, 'Cargo.lock'), join(folder, 'Cargo.toml')]))) {
    onStep('building the Tokio peer (cargo, release with LTO)');
    const built = await runProgram(['cargo', 'build', '--release', '--locked', '--target-dir', target], {
      cwd: folder,
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    if (built.code !== 0) return { ok: false, reason: `cargo could not build the peer: ${failureOf(built)}`, how };
  }
  const lock = await readFile(join(folder, 'Cargo.lock'), 'utf8');
  const tokio = /name = "tokio"\nversion = "([^"]+)"/.exec(lock)?.[1] ?? 'unknown';
  const compiler = await runProgram(['rustc', '--version'], { timeoutMs: 30_000 });
  const rustc = /^rustc (\S+)/.exec(compiler.stdout)?.[1] ?? 'unknown';
  return { ok: true, command: [program], version: `tokio ${tokio}, rustc ${rustc}` };
}

async function prepareGo(onStep: OnStep): Promise<Prepared> {
  const how = 'install Go (https://go.dev/dl, or apt-get install golang-go) and run again';
  const go = await runProgram(['go', 'env', 'GOVERSION'], { timeoutMs: 30_000 });
  if (go.code !== 0) return { ok: false, reason: 'go was not found', how };
  const folder = join(peersFolder, 'go');
  const program = join(buildFolder, 'go-peer');
  if (!(await isUpToDate(program, [folder]))) {
    onStep('building the Go peer');
    await mkdir(buildFolder, { recursive: true });
    const built = await runProgram(['go', 'build', '-trimpath', '-o', program, '.'], {
      cwd: folder,
      environment: { ...process.env, CGO_ENABLED: '0' },
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    if (built.code !== 0) return { ok: false, reason: `go could not build the peer: ${failureOf(built)}`, how };
  }
  return { ok: true, command: [program], version: go.stdout.trim() };
}

async function prepareBun(onStep: OnStep): Promise<Prepared> {
  const how = `npm install -g bun (or https://bun.sh) and run again`;
  const main = join(peersFolder, 'bun', 'main.mjs');
  const folder = join(buildFolder, 'bun');
  const places = [
    'bun',
    join(packageRoot, 'node_modules', '.bin', 'bun'),
    join(folder, 'node_modules', '.bin', 'bun'),
    // Where npm runs no install scripts, the `bun` command is not linked to the binary that its package brought.
    join(folder, 'node_modules', '@oven', `bun-${process.platform}-${process.arch}`, 'bin', 'bun'),
    join(folder, 'node_modules', '@oven', `bun-${process.platform}-${process.arch}-baseline`, 'bin', 'bun'),
  ];
  const found = async (): Promise<Prepared | null> => {
    for (const place of places) {
      const version = await runProgram([place, '--version'], { timeoutMs: 30_000 });
      if (version.code === 0) return { ok: true, command: [place, main], version: `Bun ${version.stdout.trim()}` };
    }
    return null;
  };
  const before = await found();
  if (before !== null) return before;
  const failure = await installPackages('bun', { bun: BUN_VERSION }, onStep);
  if (failure !== null) return { ok: false, reason: failure, how };
  return (await found()) ?? { ok: false, reason: `bun@${BUN_VERSION} was installed but does not start`, how };
}

async function prepareNode(): Promise<Prepared> {
  return {
    ok: true,
    command: [process.execPath, join(peersFolder, 'node', 'main.mjs')],
    version: `Node ${process.version}`,
  };
}

async function prepareMillrace(): Promise<Prepared> {
  const main = join(peersFolder, 'millrace', 'main.mjs');
  const probe = await runProgram([process.execPath, main, 'fibers', 'backend'], { timeoutMs: 30_000 });
  if (probe.code !== 0) {
    return {
      ok: false,
      reason: `'millrace' could not be loaded: ${failureOf(probe)}`,
      how: 'npm ci',
    };
  }
  const { backend } = JSON.parse(probe.stdout) as { backend: string };
  const { version } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return {
    ok: true,
    command: [process.execPath, main],
    version: `Millrace ${version} (${backend}), Node ${process.version}`,
    automaticBackend: backend,
  };
}

/** Compiles the load generator; `flags` and `name` make another of it, such as one with sanitizers. */
export async function prepareLoad(
  onStep: OnStep,
  flags: readonly string[] = ['-O2'],
  name = 'millrace-load',
): Promise<Prepared> {
  const how = 'install a C++20 compiler (apt-get install g++) and run again';
  if (process.platform !== 'linux') {
    return { ok: false, reason: 'the load generator uses epoll, which only Linux has', how: 'run on Linux' };
  }
  const program = join(buildFolder, name);
  if (!(await isUpToDate(program, [loadFolder]))) {
    onStep('compiling the load generator');
    await mkdir(buildFolder, { recursive: true });
    const compiler = process.env.CXX ?? 'c++';
    const sources = (await readdir(loadFolder)).filter((file) => file.endsWith('.cpp')).sort();
    // Under a name of its own until it is whole: somebody else may be building or running it.
    const unfinished = `${program}.${process.pid}`;
    const built = await runProgram([compiler, '-std=c++20', ...flags, '-o', unfinished, ...sources], {
      cwd: loadFolder,
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    if (built.code !== 0) {
      return { ok: false, reason: `${compiler} could not compile the load generator: ${failureOf(built)}`, how };
    }
    await rename(unfinished, program);
  }
  return { ok: true, command: [program], version: '' };
}
