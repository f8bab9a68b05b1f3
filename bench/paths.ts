import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, sep } from 'node:path';
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

export interface WorkFolders {
  /** What is compiled or installed on first use; safe to delete. */
  readonly build: string;
  /** Where reports are written unless a file is named. */
  readonly results: string;
}

/**
 * In a clone both are in bench/ and ignored by git. An installed package is not the place for either: it may be
 * read-only, and nobody looks for a report in node_modules.
 */
export function workFolders(root: string, home: string, current: string): WorkFolders {
  if (!root.split(sep).includes('node_modules')) {
    return { build: join(root, 'bench', '.build'), results: join(root, 'bench', 'results') };
  }
  return { build: join(home, '.cache', 'millrace-bench'), results: join(current, 'millrace-bench') };
}

const folders = workFolders(packageRoot, homedir(), process.cwd());
export const buildFolder = folders.build;
export const resultsFolder = folders.results;
