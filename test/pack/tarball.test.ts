// What the tarball holds, and what it must not.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { outputOf } from './command.js';

interface Manifest {
  gypfile?: boolean;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  bin: Record<string, string>;
  exports: Record<string, string | { types: string; default: string }>;
}

const installed = path.join(inject('application'), 'node_modules/millrace');
const manifest = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as Manifest;
const files = outputOf('tar', ['-tzf', inject('tarball')], inject('application'))
  .split('\n')
  .filter((file) => file !== '')
  .map((file) => file.replace(/^package\//, ''));

describe('the tarball', () => {
  test('has no install script, and nothing that npm takes for one', () => {
    const scripts = Object.keys(manifest.scripts ?? {});
    expect(scripts.filter((name) => ['preinstall', 'install', 'postinstall'].includes(name))).toEqual([]);
    expect(manifest.gypfile).toBe(false);
    expect(files.filter((file) => file.endsWith('.gyp') || file.endsWith('.gypi'))).toEqual([]);
  });

  test('has the four binaries for Linux', () => {
    expect(files.filter((file) => file.startsWith('prebuilds/linux-')).sort()).toEqual([
      'prebuilds/linux-arm64/millrace.uv1.glibc.node',
      'prebuilds/linux-arm64/millrace.uv1.musl.node',
      'prebuilds/linux-x64/millrace.uv1.glibc.node',
      'prebuilds/linux-x64/millrace.uv1.musl.node',
    ]);
  });

  test('has each file that the manifest names', () => {
    const named = [
      ...Object.values(manifest.bin),
      ...Object.values(manifest.exports).flatMap((entry) =>
        typeof entry === 'string' ? [entry] : Object.values(entry),
      ),
    ];
    expect(named.filter((file) => !existsSync(path.join(installed, file)))).toEqual([]);
  });

  test('has neither sources nor tests nor build products', () => {
    const expected =
      /^(dist\/(lib|bin|bench)\/.*\.(js|d\.ts)|prebuilds\/.*\.node|bench\/(load|peers)\/.*|package\.json|[A-Z]+(\.md)?)$/;
    expect(files.filter((file) => !expected.test(file))).toEqual([]);
    expect(files.filter((file) => file.includes('/target/') || file.includes('node_modules'))).toEqual([]);
  });

  test('has one dependency', () => {
    expect(Object.keys(manifest.dependencies ?? {})).toEqual(['node-gyp-build']);
  });

  test('has the licence and the change log', () => {
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'CHANGELOG.md', 'README.md']));
  });
});
