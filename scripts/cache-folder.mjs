// Where tools that are downloaded for packaging are kept between runs: MILLRACE_CACHE, else the user's cache folder.
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

export function cacheFolder(name) {
  const base =
    process.env.MILLRACE_CACHE || path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'millrace');
  const folder = path.join(base, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
