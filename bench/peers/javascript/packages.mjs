// Frameworks come from a folder that the runner names: they are no dependencies of the package.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Imports `name` as if from a module in `folder`. */
export function importFrom(folder, name) {
  const resolve = createRequire(join(folder, 'package.json')).resolve;
  return import(pathToFileURL(resolve(name)).href);
}
