// Importing says at once, and in one error, where Millrace cannot run. Each case is a process of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const library = new URL('../../build/test/lib/index.js', import.meta.url).href;
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-loading-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Refusal {
  name: string;
  code: string;
  message: string;
  cause?: string;
}

/** What importing throws after `before` has run; null if nothing. */
function importing(before = '', environment: Record<string, string> = {}): Refusal | null {
  const source = `${before};
    import(${JSON.stringify(library)}).then(
      () => console.log('null'),
      ({ name, code, message, cause }) => console.log(JSON.stringify({ name, code, message, cause: cause?.message })),
    );`;
  const env: NodeJS.ProcessEnv = { ...process.env, ...environment };
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', source], { cwd: folder, encoding: 'utf8', env });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Refusal | null;
}

describe('importing', () => {
  test('works here, from any folder', () => {
    expect(importing()).toBeNull();
  });

  test.each([
    ['Bun', 'bun', '1.4.5'],
    ['Deno', 'deno', '2.1.0'],
  ])('in %s says so, before the addon is touched', (name, key, version) => {
    const refusal = importing(
      `Object.defineProperty(process.versions, '${key}', { value: '${version}' }); process.dlopen = () => process.abort()`,
    );
    expect(refusal).toMatchObject({ name: 'MillraceError', code: 'ERR_MILLRACE_ADDON' });
    expect(refusal?.message).toContain(`(${process.platform}-${process.arch}, `);
    expect(refusal?.message).toContain(`${name} ${version} has no libuv loop`);
    expect(refusal?.message).toContain('What to do: run this program with Node.js 20.19 or later.');
  });

  test('where there is no binary says platform, C library, version and what to do', () => {
    const refusal = importing('', { MILLRACE_PREBUILD: folder, MILLRACE_ADDON: '' });
    expect(refusal).toMatchObject({ name: 'MillraceError', code: 'ERR_MILLRACE_ADDON' });
    const libc = process.platform === 'linux' ? ', (glibc \\d+\\.\\d+|musl)' : '';
    const where = `${process.platform}-${process.arch}${libc}, Node\\.js ${process.version.replaceAll('.', '\\.')}`;
    expect(refusal?.message).toMatch(new RegExp(`^Millrace cannot run here \\(${where}\\): there is no binary`));
    expect(refusal?.message).toMatch(/What to do: .*npm ci/);
    expect(refusal?.cause).toMatch(/^No native build was found/);
  });

  test('a binary that does not load names the file and keeps the cause', () => {
    const file = join(folder, 'broken.node');
    writeFileSync(file, 'not a shared object');
    const refusal = importing('', { MILLRACE_ADDON: file });
    expect(refusal?.code).toBe('ERR_MILLRACE_ADDON');
    expect(refusal?.message).toContain(`${file} does not load: `);
    expect(refusal?.message).toContain('What to do: correct MILLRACE_ADDON, or unset it.');
    expect(refusal?.cause).toContain(file);
  });

  test('takes a relative MILLRACE_ADDON from the working folder', () => {
    expect(importing('', { MILLRACE_ADDON: 'nowhere.node' })?.message).toContain(join(folder, 'nowhere.node'));
  });

  test('loads the addon and opens nothing: no descriptor, no handle', () => {
    // One turn of the loop later: reading the modules has left requests that are about to end.
    const source = `
      const { readdirSync } = require('node:fs');
      const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
      const before = descriptors();
      import(${JSON.stringify(library)}).then(() => setImmediate(() =>
        console.log(descriptors() - before, JSON.stringify(process.getActiveResourcesInfo()))));`;
    const { stdout } = spawnSync(process.execPath, ['-e', source], { cwd: root, encoding: 'utf8' });
    expect(stdout).toBe('0 []\n');
  });
});
