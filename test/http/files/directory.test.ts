import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  contentTypeOf,
  type DirectoryOptions,
  StaticDirectory,
  staticSegments,
} from '../../../lib/http/files/index.js';
import { serveFiles } from '../../../lib/http/index.js';
import { ask as askServer, get, start } from '../scene.js';

const base = mkdtempSync(join(tmpdir(), 'millrace-files-'));
const root = join(base, 'public');

beforeAll(() => {
  for (const path of ['docs', 'empty', '.git', 'a b']) mkdirSync(join(root, path), { recursive: true });
  mkdirSync(join(base, 'public-not'), { recursive: true });
  for (const path of [
    'index.html',
    'docs/index.html',
    'docs/x.css',
    '.env',
    '.git/config',
    'a b/ü%.txt',
    '../secret',
    '../public-not/x',
  ]) {
    writeFileSync(join(root, path), path);
  }
  symlinkSync(join(root, 'docs/x.css'), join(root, 'inner.css'));
  symlinkSync(join(base, 'secret'), join(root, 'outer'));
  symlinkSync(base, join(root, 'up'));
  symlinkSync(join(base, 'public-not'), join(root, 'sibling'));
  symlinkSync('loop', join(root, 'loop'));
  symlinkSync(root, join(base, 'link-to-public'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** The name and size of what was found, where it leads, or the status. */
async function ask(path: string, options?: DirectoryOptions, at = root): Promise<unknown> {
  const directory = new StaticDirectory(at, options);
  try {
    const found = await directory.resolve(path, `/static/${path}`);
    if (found.kind === 'redirect') return found.location;
    await found.source.close();
    return `${found.name} ${found.source.size}`;
  } catch (error) {
    return (error as { status?: number }).status ?? error;
  }
}

describe('a directory', () => {
  test('has its files', async () => {
    expect(await ask('docs/x.css')).toBe('x.css 10');
    expect(await ask('a%20b/%C3%BC%25.txt')).toBe('ü%.txt 11');
    expect(await ask('none')).toBe(404);
    expect(await ask('docs/x.css/')).toBe(404);
    expect(await ask('docs/x.css/y')).toBe(404);
    expect(await ask('x'.repeat(300))).toBe(404);
  });

  test('answers for a directory with its index, after a redirect where the slash is missing', async () => {
    expect(await ask('')).toBe('index.html 10');
    expect(await ask('docs/')).toBe('index.html 15');
    expect(await ask('docs')).toBe('/static/docs/');
    expect(await ask('empty/')).toBe(404);
    expect(await ask('empty')).toBe(404);
    expect(await ask('docs/', { index: false })).toBe(404);
    expect(await ask('docs/', { index: 'x.css' })).toBe('x.css 10');
    expect(await ask('docs', { redirect: false })).toBe(404);
    expect(await ask('docs', { index: false })).toBe(404);
  });

  test('keeps the query when it redirects', async () => {
    const found = await new StaticDirectory(root).resolve('docs', '/static/docs', 'a=1&b=?');
    expect(found).toEqual({ kind: 'redirect', location: '/static/docs/?a=1&b=?' });
    const server = start({ routes: { '/static/*': serveFiles(root) } });
    const { status, headers } = await askServer(server, get('/static/docs?a=1&b=%0d%0aX:y'));
    expect([status, headers.location]).toEqual([308, '/static/docs/?a=1&b=%0d%0aX:y']);
    expect((await askServer(server, get('/static/docs?'))).headers.location).toBe('/static/docs/');
  });

  test('never redirects to another host', async () => {
    const found = await new StaticDirectory(root).resolve('docs', '//evil.example/docs');
    expect(found).toEqual({ kind: 'redirect', location: '/evil.example/docs/' });
    expect(await new StaticDirectory(root).resolve('docs', '/\\evil/docs')).toMatchObject({ location: '/evil/docs/' });
  });

  test('hides dotfiles, unless told otherwise', async () => {
    for (const path of ['.env', '.git/config', '%2eenv']) {
      expect(await ask(path)).toBe(404);
      expect(await ask(path, { dotfiles: 'deny' })).toBe(403);
      expect(await ask(path, { dotfiles: 'allow' })).toMatch(/^(?:\.env|config) /);
    }
  });

  test('that is reached by a link is as any other', async () => {
    expect(await ask('docs/x.css', {}, join(base, 'link-to-public'))).toBe('x.css 10');
    expect(await ask('docs/x.css', { links: 'deny' }, join(base, 'link-to-public'))).toBe('x.css 10');
    expect(await ask('outer', {}, join(base, 'link-to-public'))).toBe(404);
  });

  test('that is not there has no files', async () => {
    expect(await ask('x', {}, join(base, 'nowhere'))).toBe(404);
  });
});

describe('nothing leads out of it', () => {
  test.each([
    '../secret',
    '..',
    'docs/../../secret',
    '%2e%2e/secret',
    '.%2E/secret',
    './index.html',
    'docs/..',
    'a\0b',
    '%00',
    '%zz',
    '%ff',
  ])('%j: 400', async (path) => {
    expect(await ask(path, { dotfiles: 'allow', links: 'follow' })).toBe(400);
  });

  test.each([
    '..%2fsecret',
    '%2e%2e%2fsecret',
    'docs%2fx.css',
    '/etc/passwd',
    '//etc/passwd',
    'docs//x.css',
    '%2fetc%2fpasswd',
  ])('%j: 404', async (path) => {
    expect(await ask(path, { dotfiles: 'allow', links: 'follow' })).toBe(404);
  });

  test('a link only where it is allowed to', async () => {
    expect(await ask('inner.css')).toBe('inner.css 10');
    expect(await ask('inner.css', { links: 'deny' })).toBe(404);
    for (const path of ['outer', 'up/secret', 'sibling/x', 'up/public/index.html']) {
      const inside = path === 'up/public/index.html';
      expect(await ask(path), path).toBe(inside ? 'index.html 10' : 404);
      expect(await ask(path, { links: 'deny' }), path).toBe(404);
      expect(await ask(path, { links: 'follow' }), path).not.toBe(404);
    }
    expect(await ask('loop')).toBe(404);
    expect(await ask('loop', { links: 'follow' })).toBe(404);
  });

  test('whatever the path is', async () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '%2e',
      '%2f',
      '/',
      '\\',
      '%5c',
      'docs',
      'x.css',
      '%00',
      '\0',
      '%',
      'up',
      'secret',
      '%c0%af',
      '',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
        const found = await ask(parts.join(''));
        expect(
          typeof found === 'number' || String(found).match(/^(?:x\.css 10|index\.html 1[05]|\/static\/)/),
        ).toBeTruthy();
      }),
      { numRuns: 300 },
    );
  });
});

describe('on Windows', () => {
  const statusOf = (path: string): unknown => {
    try {
      return staticSegments(path, 'allow', 'win32');
    } catch (error) {
      return (error as { status: number }).status;
    }
  };

  test.each([
    'a\\b',
    'a%5cb',
    '..\\x',
    'C:',
    'c:/x',
    'file.txt::$DATA',
    'NUL',
    'con.txt',
    'x/LPT1',
    'a.',
    'a ',
    'x%2e',
    'a?b',
    'a*',
    'a%01b',
    'COM¹',
  ])('%j is no file', (path) => {
    expect(statusOf(path)).toBe(404);
  });

  test('others are', () => {
    expect(statusOf('console/nul-file/com10.txt')).toEqual(['console', 'nul-file', 'com10.txt']);
    expect(staticSegments('a\\b/NUL', 'allow', 'linux')).toEqual(['a\\b', 'NUL']);
  });
});

test('options are checked', () => {
  const make = (options: unknown, at: unknown = root): StaticDirectory =>
    new StaticDirectory(at as string, options as DirectoryOptions);
  expect(() => make({}, '')).toThrow('root must be the path of a directory; got ""');
  expect(() => make({}, 1)).toThrow(TypeError);
  expect(() => make(null)).toThrow('options must be an object');
  expect(() => make({ index: 'a/b' })).toThrow("options.index must be a file's name or false");
  expect(() => make({ dotfiles: 'no' })).toThrow("options.dotfiles must be 'ignore', 'deny' or 'allow'");
  expect(() => make({ links: true })).toThrow("options.links must be 'inside', 'follow' or 'deny'");
  expect(() => make({ redirect: 1 })).toThrow('options.redirect must be a boolean');
});

test('types are known by the ending', () => {
  expect(contentTypeOf('a.html')).toBe('text/html; charset=utf-8');
  expect(contentTypeOf('/x/y.MJS')).toBe('text/javascript; charset=utf-8');
  expect(contentTypeOf('a.tar.gz')).toBe('application/gzip');
  expect(contentTypeOf('a.woff2')).toBe('font/woff2');
  expect(contentTypeOf('x.json')).toBe('application/json');
  for (const name of ['LICENSE', '.html', 'a.b/c', 'x.', 'a.unknown', 'x.constructor', '']) {
    expect(contentTypeOf(name), name).toBe('application/octet-stream');
  }
});
