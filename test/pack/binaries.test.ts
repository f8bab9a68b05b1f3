// What the shipped binaries ask of a system: less than what the oldest supported one has.
import path from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { readSharedObject } from './elf.js';

const GLIBC_NEWEST = [2, 28];
const prebuilds = path.join(inject('application'), 'node_modules/millrace/prebuilds');

function isNewer(version: string): boolean {
  const [major = 0, minor = 0] = version.replace('GLIBC_', '').split('.').map(Number);
  const [newestMajor = 0, newestMinor = 0] = GLIBC_NEWEST;
  return major > newestMajor || (major === newestMajor && minor > newestMinor);
}

describe.each(['x64', 'arm64'])('linux-%s', (arch) => {
  describe.each(['glibc', 'musl'])('%s', (libc) => {
    const binary = readSharedObject(path.join(prebuilds, `linux-${arch}`, `millrace.uv1.${libc}.node`));

    test('is for this architecture', () => expect(binary.arch).toBe(arch));

    test('shows only what Node-API looks up', () => {
      expect([...binary.exported].sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
    });

    test('is stripped', () => {
      expect(binary.sections.filter((name) => name === '.symtab' || name.startsWith('.debug'))).toEqual([]);
    });

    test('has the C++ library inside', () => {
      expect(binary.needed.filter((name) => /stdc\+\+|c\+\+|gcc|unwind/.test(name))).toEqual([]);
      expect(binary.imported.filter((name) => name.startsWith('_Z'))).toEqual([]);
    });

    test('finds Node-API and libuv in Node.js itself', () => {
      expect(binary.imported).toContain('napi_make_callback');
      expect(binary.imported).toContain('uv_poll_start');
      expect(binary.needed.filter((name) => /uv|node/.test(name))).toEqual([]);
    });

    if (libc === 'glibc') {
      test('runs on glibc 2.28', () => {
        expect(binary.versions.length).toBeGreaterThan(0);
        expect(binary.versions.filter((version) => !version.startsWith('GLIBC_') || isNewer(version))).toEqual([]);
      });
    } else {
      test('needs musl and nothing else', () => {
        expect(binary.needed).toEqual(['libc.so']);
        expect(binary.versions).toEqual([]);
        expect(binary.imported.filter((name) => /_chk$|^gnu_|^__libc_start_main$/.test(name))).toEqual([]);
      });
    }
  });
});
