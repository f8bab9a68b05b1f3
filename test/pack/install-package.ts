// Packs the package and installs it, without install scripts, in an empty folder that is not below the repository.
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { outputOf } from './command.js';

declare module 'vitest' {
  export interface ProvidedContext {
    tarball: string;
    application: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-pack-'));
  outputOf('npm', ['pack', '--pack-destination', folder], root);
  const [tarball] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack has packed nothing');
  const application = mkdtempSync(path.join(tmpdir(), 'millrace-application-'));
  writeFileSync(path.join(application, 'package.json'), '{ "private": true, "type": "module" }\n');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  outputOf('npm', ['install', ...options, path.join(folder, tarball)], application);
  cpSync(path.join(root, 'test/pack/programs'), application, { recursive: true });
  project.provide('tarball', path.join(folder, tarball));
  project.provide('application', application);
  return () => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(application, { recursive: true, force: true });
  };
}
