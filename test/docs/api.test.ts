import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { publicNames } from './code-blocks.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const api = () => readFileSync(`${root}docs/api.md`, 'utf8');

test('docs/api.md is what npm run docs:api writes', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/api-docs.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('every public name has its section, and no internal member is shown', () => {
  const headings = [...api().matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  // Two entries may have different things of one name (connect).
  expect([...new Set(headings)].sort()).toEqual([...publicNames(root).keys()].sort());
  expect(api()).not.toMatch(/^ *#private|^ *private /m);
});
