// Relative links in the documentation lead somewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .map((file) => `docs/${file}`);

test.for(['README.md', ...pages])('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '');
  const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target as string)
    .filter((target) => !/^(https?:|#)/.test(target))
    .filter((target) => !existsSync(join(root, dirname(page), target.replace(/#.*/, ''))));
  expect(broken).toEqual([]);
});

test('every page of the guide is linked from the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const unlinked = pages.filter((page) => page.startsWith('docs/guide/') && !readme.includes(`](${page})`));
  expect(unlinked).toEqual([]);
});
