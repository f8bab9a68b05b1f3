// docs/errors.md and the codes in lib/ are the same set.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

function codesInLibrary(): Set<string> {
  const files = readdirSync(`${root}lib`, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const sources = files.map((file) => readFileSync(`${root}lib/${file}`, 'utf8'));
  return new Set(
    sources.flatMap((source) =>
      [...source.matchAll(/'((?:ERR_[A-Z]|ABORT)[A-Z_]+)'/g)].map((match) => match[1] as string),
    ),
  );
}

test('every code has a section that names its cause and its remedy, and no section is without a code', () => {
  const sections = readFileSync(`${root}docs/errors.md`, 'utf8').split(/^### /m).slice(1);
  const described = sections.map((section) => {
    expect(section, section.split('\n')[0]).toMatch(/\*\*Cause\.\*\*[\s\S]+\*\*Remedy\.\*\*/);
    return /^`(\w+)`/.exec(section)?.[1];
  });
  expect(described.sort()).toEqual([...codesInLibrary()].sort());
});
