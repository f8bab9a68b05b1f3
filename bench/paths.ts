import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root, from the sources (bench/) as well as from what is compiled (dist/bench/). */
function findPackageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown };
      if (name === 'millrace') return folder;
    }
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the benchmark cannot find the root of the millrace package');
    folder = parent;
  }
}

export const packageRoot = findPackageRoot();
export const peersFolder = join(packageRoot, 'bench', 'peers');
export const loadFolder = join(packageRoot, 'bench', 'load');
/** What is compiled or installed on first use; ignored by git, safe to delete. */
export const buildFolder = join(packageRoot, 'bench', '.build');
export const resultsFolder = join(packageRoot, 'bench', 'results');
