// Runs a program in a process of its own, over the compiled library (see build-library.ts).
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  code: number | null;
  signal: string | null;
  output: string;
  errors: string;
}

export interface ProgramOptions {
  flags?: string[];
  environment?: Record<string, string>;
}

const library = new URL('../build/test/lib/', import.meta.url).href;
const addon = process.env.MILLRACE_ADDON || fileURLToPath(new URL('../build/Release/millrace.node', import.meta.url));

/** `source` is a module; `lib('index.js')` in it is the address of a file of the library. */
export function runProgram(source: string, { flags = [], environment = {} }: ProgramOptions = {}): Promise<Outcome> {
  const text = source.replace(/lib\('([^']*)'\)/g, (_, file) => JSON.stringify(library + file));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', text], {
      env: { ...process.env, MILLRACE_ADDON: addon, NODE_OPTIONS: '', ...environment },
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.on('close', (code, signal) => resolve({ code, signal, output: output.trim(), errors }));
  });
}
