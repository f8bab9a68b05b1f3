// Node.js of other versions and architectures, from npm (the packages that the package `node` consists of), in the cache.
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../../scripts/cache-folder.mjs';
import { outputOf } from './command.js';

/** The program of the newest Node.js of `range`, such as `22`. */
export function nodeOf(range: string, arch: 'x64' | 'arm64'): string {
  const name = `node-linux-${arch}`;
  const folder = cacheFolder(`node-${range}-linux-${arch}`);
  const program = path.join(folder, 'node_modules', name, 'bin/node');
  if (!existsSync(program)) {
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    // --force: the package of another architecture.
    outputOf('npm', ['install', '--force', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${range}`], folder);
  }
  return program;
}
