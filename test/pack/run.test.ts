// The installed package at work.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, test } from 'vitest';
import { outputOf, run } from './command.js';
import { canRunMusl, muslNode } from './musl/musl-node.js';
import { nodeOf } from './node-versions.js';

const application = inject('application');
const onLinuxX64 = process.platform === 'linux' && process.arch === 'x64';

function smoke(
  command: string,
  args: readonly string[] = [],
  environment?: Record<string, string>,
): Record<string, unknown> {
  return JSON.parse(outputOf(command, [...args, 'smoke.mjs'], application, environment));
}

describe.runIf(onLinuxX64).each(['20', '22', '24'])('on Node.js %s', (version) => {
  test.each(['auto', 'uv'])('runs a task, a timer, a channel and an echo with the backend %s', (backend) => {
    const result = smoke(nodeOf(version, 'x64'), [], { MILLRACE_BACKEND: backend });
    expect(result).toMatchObject({ slept: true, echoed: 'the mill wheel turns', received: 6 });
    expect(result.node).toMatch(new RegExp(`^v${version}\\.`));
    if (backend !== 'auto') expect(result.backend).toBe(backend);
  });

  test('answers `millrace info`', () => {
    const output = outputOf(
      nodeOf(version, 'x64'),
      ['node_modules/millrace/dist/bin/millrace.js', 'info'],
      application,
    );
    expect(JSON.parse(output)).toMatchObject({ arch: 'x64', platform: 'linux' });
  });

  test('is also there for require()', () => {
    const source = "require('millrace').spawn(() => 42).then((result) => console.log(result))";
    const { output, errors } = run(nodeOf(version, 'x64'), ['-e', source], application);
    // Node.js 20.19 and 22.12 say that require() of a module is experimental; later ones do not.
    expect({ output, errors: errors.replace(/^.*(ExperimentalWarning|trace-warnings).*\n/gm, '') }).toEqual({
      output: '42\n',
      errors: '',
    });
  });
});

describe('types', () => {
  test('of every entry are found by a program that uses them', () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable',
    ];
    const types = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules/@types')];
    const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
    const { code, output } = run(process.execPath, [compiler, ...options, ...types, 'typed.mts'], application);
    expect({ code, output }).toEqual({ code: 0, output: '' });
  });
});

// Debian's qemu-user runs arm64 programs with the libraries of its cross packages; it has no io_uring.
const libraries = '/usr/aarch64-linux-gnu';
const emulator = '/usr/bin/qemu-aarch64';
const canEmulate = onLinuxX64 && existsSync(emulator) && existsSync(`${libraries}/lib/libstdc++.so.6`);

describe.runIf(canEmulate)('on arm64 (qemu-user, libc6-arm64-cross, libstdc++6-arm64-cross)', () => {
  test('runs a task, a timer, a channel and an echo, and says why without io_uring', () => {
    const environment = { QEMU_LD_PREFIX: libraries };
    expect(smoke(emulator, [nodeOf('20', 'arm64')], environment)).toMatchObject({
      arch: 'arm64',
      backend: 'uv',
      slept: true,
      echoed: 'the mill wheel turns',
      received: 6,
    });
  });
});

describe.runIf(canRunMusl)('on musl (Debian: musl)', () => {
  test.each(['auto', 'uv'])('runs a task, a timer, a channel and an echo with the backend %s', (backend) => {
    const { program, environment } = muslNode();
    // node-gyp-build takes only Alpine for a system with musl; elsewhere LIBC says it.
    const result = smoke(program, [], { ...environment, LIBC: 'musl', MILLRACE_BACKEND: backend });
    expect(result).toMatchObject({ slept: true, echoed: 'the mill wheel turns', received: 6 });
  });

  test('importing says how to select the binary for musl, where another one was taken', () => {
    const { program, environment } = muslNode();
    const source = "import('millrace').catch((error) => console.log(error.code, error.message))";
    const { output } = run(program, ['-e', source], application, environment);
    expect(output).toMatch(
      /^ERR_MILLRACE_ADDON Millrace cannot run here \(linux-x64, musl, Node\.js v22\..*\): .*glibc\.node does not/,
    );
    expect(output).toContain('set LIBC=musl');
  });
});

describe('where there is no binary', () => {
  test('importing says platform, libc, version and what to do', () => {
    const source = `
      Object.defineProperty(process, 'platform', { value: 'sunos' });
      require('node:os').platform = () => 'sunos';
      import('millrace').catch((error) => console.log(error.code, error.message, error.cause instanceof Error));`;
    const { output } = run(process.execPath, ['-e', source], application);
    expect(output).toMatch(/^ERR_MILLRACE_ADDON Millrace cannot run here \(sunos-x64, Node\.js v\d+/);
    expect(output).toMatch(/there is no binary for this platform in .*\. What to do: .* true\n$/);
  });
});
