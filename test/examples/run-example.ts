// Runs a program of examples/ as its user would, but with the library as it was compiled for this test run
// (test/build-library.ts) in the place of dist/.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

/** A module hook, as Node takes it from `--import`: `millrace/x` is build/test/lib/x/index.js. */
const hook = `
  const library = ${JSON.stringify(new URL('build/test/lib/', root).href)};
  export function resolve(specifier, context, next) {
    if (specifier !== 'millrace' && !specifier.startsWith('millrace/')) return next(specifier, context);
    const folder = specifier.slice('millrace/'.length);
    return { url: library + (folder === '' ? '' : folder + '/') + 'index.js', shortCircuit: true };
  }`;
const register = `
  import { register } from 'node:module';
  register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hook))});`;
export const useTestBuild = `data:text/javascript,${encodeURIComponent(register)}`;

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
  errors: string;
}

export class Example {
  readonly #child: ChildProcess;
  readonly ended: Promise<Outcome>;
  #output = '';
  #errors = '';
  #told: (() => void) | null = null;

  constructor(name: string, args: readonly string[] = []) {
    const file = fileURLToPath(new URL(`examples/${name}.mjs`, root));
    const child = spawn(process.execPath, ['--import', useTestBuild, file, ...args], { timeout: 15_000 });
    this.#child = child;
    child.stdout.on('data', (text) => {
      this.#output += text;
      this.#told?.();
    });
    child.stderr.on('data', (text) => (this.#errors += text));
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        resolve({ code, signal, output: this.#output, errors: this.#errors });
        this.#told?.();
      });
    });
  }

  /** Waits until the output matches; throws when the program ends before it does. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`it ended and had said only: ${this.#output}${this.#errors}`);
      }
      await new Promise<void>((resolve) => (this.#told = resolve));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Runs to the end. Throws unless that is a good one. @returns the lines of its output. */
export async function linesOf(name: string, ...args: string[]): Promise<string[]> {
  const { code, signal, output, errors } = await new Example(name, args).ended;
  if (code !== 0 || errors !== '') throw new Error(`${name} ended with ${code ?? signal}: ${errors}${output}`);
  return output.trimEnd().split('\n');
}
