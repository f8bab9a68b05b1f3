// Prints the sources of the addon, one a line, relative to the repository: binding.gyp takes them from here.
import { readFileSync } from 'node:fs';

export function listSources() {
  return readFileSync(new URL('../native/sources.txt', import.meta.url), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

if (process.argv[1]?.endsWith('list-sources.mjs')) {
  for (const source of listSources()) console.log(`native/${source}`);
}
