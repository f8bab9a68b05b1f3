// Fails when native/sources.txt and the files on disk differ: a file that only one of the two builds knows is a bug that
// shows late.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listSources } from './list-sources.mjs';

const native = fileURLToPath(new URL('../native/', import.meta.url));
const onDisk = ['core', 'io', 'tls', 'addon'].flatMap((folder) =>
  readdirSync(`${native}${folder}`, { recursive: true })
    .map((path) => `${folder}/${String(path).replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.cc')),
);
const listed = listSources();
const problems = [
  ...listed.filter((path) => !onDisk.includes(path)).map((path) => `${path} is listed, but is not there`),
  ...onDisk.filter((path) => !listed.includes(path)).map((path) => `${path} is not listed`),
  ...listed.filter((path, index) => listed.indexOf(path) !== index).map((path) => `${path} is listed twice`),
];
if (problems.length > 0) {
  console.error(`native/sources.txt:\n  ${problems.join('\n  ')}`);
  process.exit(1);
}
