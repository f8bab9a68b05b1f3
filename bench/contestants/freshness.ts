import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** When the newest file of a file or folder was changed, in milliseconds; Infinity when it does not exist. */
async function newestChangeMs(path: string): Promise<number> {
  try {
    const status = await stat(path);
    if (!status.isDirectory()) return status.mtimeMs;
    let newest = 0;
    for (const name of await readdir(path)) newest = Math.max(newest, await newestChangeMs(join(path, name)));
    return newest;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Whether `product` exists and is not older than any of its sources. */
export async function isUpToDate(product: string, sources: readonly string[]): Promise<boolean> {
  let built: number;
  try {
    built = (await stat(product)).mtimeMs;
  } catch {
    return false;
  }
  for (const source of sources) {
    if ((await newestChangeMs(source)) > built) return false;
  }
  return true;
}
