// What peers need from npm: installed on first use into a folder of their own, never into the package.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildFolder } from '../paths.js';
import { failureOf, runProgram } from '../runner/process.js';

const INSTALL_TIMEOUT_MS = 600_000;

/** The version of a package in `folder`; null where it is not there. */
async function installedVersion(folder: string, name: string): Promise<string | null> {
  try {
    const text = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return null;
  }
}

/**
 * Installs packages at exactly these versions, unless they are there. `folder` is the name of one in the build folder. null
 * when all went well, else why not.
 */
export async function installPackages(
  name: string,
  packages: Readonly<Record<string, string>>,
  onStep: (what: string) => void,
): Promise<string | null> {
  const folder = join(buildFolder, name);
  const wanted = Object.entries(packages);
  const versions = await Promise.all(wanted.map(([entry]) => installedVersion(folder, entry)));
  if (wanted.every(([, version], k) => versions[k] === version)) return null;
  const list = wanted.map(([entry, version]) => `${entry}@${version}`);
  onStep(`installing ${list.join(', ')} from npm`);
  await mkdir(folder, { recursive: true });
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const installed = await runProgram(
    [npm, 'install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', ...list],
    { cwd: folder, timeoutMs: INSTALL_TIMEOUT_MS },
  );
  return installed.code === 0 ? null : `npm could not install ${list.join(', ')}: ${failureOf(installed)}`;
}
