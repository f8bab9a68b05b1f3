// Puts the compiled library into a few files: to import thirty small modules takes three times what one large one does.
// Works on dist/lib as tsc leaves it. The code of each public folder goes into one file, that of the core (what every
// program needs) too; the modules stay as lists of re-exports, so that each path still leads to the one instance.
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const CORE = ['internal', 'task', 'time'];

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const library = path.join(dist, 'lib');
// What an earlier build has left is no source of this one.
rmSync(path.join(library, 'bundled'), { recursive: true, force: true });
const scripts = readdirSync(library, { recursive: true })
  .map((file) => String(file).replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.js') && statSync(path.join(library, file)).size > 0);
const folders = [...new Set(scripts.filter((file) => file.includes('/')).map((file) => file.split('/', 1)[0]))];
const group = (name, members) => ({
  name,
  test: (id) => members.some((member) => id.startsWith(`${path.join(library, member)}${path.sep}`)),
});

const bundled = mkdtempSync(path.join(dist, 'bundled-'));
try {
  const bundle = await rolldown({
    input: Object.fromEntries(scripts.map((file) => [file.slice(0, -'.js'.length), path.join(library, file)])),
    platform: 'node',
    external: ['node-gyp-build', /^node:/],
    preserveEntrySignatures: 'strict',
  });
  await bundle.write({
    dir: bundled,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'bundled/[name].js',
    minifyInternalExports: false,
    codeSplitting: {
      groups: [
        group('core', CORE),
        ...folders.filter((name) => !CORE.includes(name)).map((name) => group(name, [name])),
      ],
    },
  });
  await bundle.close();
  for (const file of readdirSync(library, { recursive: true }).map(String)) {
    if (/\.js(\.map)?$/.test(file)) rmSync(path.join(library, file));
  }
  renameSync(path.join(bundled, 'bundled'), path.join(library, 'bundled'));
  for (const file of readdirSync(bundled, { recursive: true }).map(String)) {
    if (file.endsWith('.js')) renameSync(path.join(bundled, file), path.join(library, file));
  }
} finally {
  rmSync(bundled, { recursive: true, force: true });
}
