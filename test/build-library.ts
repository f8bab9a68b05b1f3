// Compiles lib/ for the programs that tests start in processes of their own.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export default function setup(): void {
  const compiler = `${root}node_modules/typescript/bin/tsc`;
  const options = ['-p', 'tsconfig.build.json', '--outDir', 'build/test', '--declaration', 'false'];
  const { stdout } = spawnSync(process.execPath, [compiler, ...options], { cwd: root, encoding: 'utf8' });
  // Types are checked by a step of their own; here only the output counts.
  if (!existsSync(`${root}build/test/lib/index.js`)) throw new Error(`lib/ was not compiled:\n${stdout}`);
}
