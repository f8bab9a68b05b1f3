// Every example in the documentation runs, compiles, and prints what it says.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CodeBlock, findBlocks, programOf, publicNames } from './code-blocks.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'build', 'docs');
const source = join(folder, 'src');
const NOT_RUN_MAX = 5;

const blocks = findBlocks(root);
const runnable = blocks.filter(({ notRun }) => notRun === null);
let problems: string[] = [];

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(source, { recursive: true });
  const names = publicNames(root);
  for (const block of runnable)
    writeFileSync(join(source, `${nameOf(block)}.${block.language}`), programOf(block, names));
  const options = {
    extends: '../../tsconfig.json',
    compilerOptions: {
      noEmit: false,
      allowJs: true,
      checkJs: false,
      declaration: false,
      sourceMap: false,
      rootDir: '../..',
      outDir: '.',
      noUnusedLocals: false,
      noUnusedParameters: false,
      isolatedModules: false,
      verbatimModuleSyntax: false,
    },
    include: ['src'],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', join(folder, 'tsconfig.json'), '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
  });
  problems = stdout.split('\n').filter((line) => line.startsWith('build/docs/src/'));
});

/** README.md line 12 -> README.md-12; lib/time/sleep.ts line 3 -> time-sleep.ts-3. */
function nameOf({ file, line }: CodeBlock): string {
  const name = file.startsWith('lib/') ? file.slice('lib/'.length).replaceAll('/', '-') : basename(file);
  return `${name.replaceAll('.', '-')}-${line}`;
}

test('the code blocks are found, and few are not run', () => {
  expect(new Set(blocks.map(({ file }) => file))).toContain('README.md');
  expect(blocks.length).toBeGreaterThan(40);
  expect(blocks.length - runnable.length).toBeLessThanOrEqual(NOT_RUN_MAX);
});

describe.concurrent('each example compiles, runs, ends by itself, and prints what it says', () => {
  for (const block of runnable) {
    test(`${block.file}:${block.line}`, async () => {
      const name = nameOf(block);
      const mine = problems.filter((problem) => problem.startsWith(`build/docs/src/${name}.`));
      expect(mine).toEqual([]);
      const outcome = await run(join(folder, 'build/docs/src', `${name}.js`));
      expect(outcome).toEqual({ errors: '', code: 0, signal: null });
    });
  }
});

interface Outcome {
  errors: string;
  code: number | null;
  signal: string | null;
}

function run(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 15_000 });
    let errors = '';
    child.stderr.on('data', (text) => (errors += text));
    child.on('close', (code, signal) => resolve({ errors, code, signal }));
  });
}

test('no two examples share a file', () => {
  expect(readdirSync(source).length).toBe(runnable.length);
});
