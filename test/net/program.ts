// Programs in processes of their own, over the compiled library.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// `npm run test:asan`: the runtime of the sanitizers has to be there before the addon, but vitest itself does without.
const preload = process.env.MILLRACE_PRELOAD === undefined ? {} : { LD_PRELOAD: process.env.MILLRACE_PRELOAD };

export const sanitized = process.env.MILLRACE_PRELOAD !== undefined;

/** A program that hangs is ended, so that nothing is left of it. */
const LIMIT_MS = 300_000;

export interface Outcome {
  code: number | null;
  signal: string | null;
  output: string;
  errors: string;
}

export interface RunOptions {
  args?: string[];
  /** Of open descriptors, set by a shell that then becomes the program. */
  descriptorsMax?: number;
  /** Called with each line that the program prints; what it returns is written to the program. */
  onLine?(line: string): string | undefined;
}

/** Runs test/`program`, and waits until it has ended. */
export function run(program: string, options: RunOptions = {}): Promise<Outcome> {
  const file = fileURLToPath(new URL(`../${program}`, import.meta.url));
  const command = [process.execPath, file, ...(options.args ?? [])];
  if (options.descriptorsMax !== undefined) {
    command.unshift('sh', '-c', `ulimit -n ${options.descriptorsMax} && exec "$@"`, 'sh');
  }
  return new Promise((resolve, reject) => {
    const child = spawn(command[0] as string, command.slice(1), {
      env: { ...process.env, ...preload },
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let errors = '';
    let lines = 0;
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const complete = output.split('\n').slice(0, -1);
      for (; lines < complete.length; lines++) {
        const answer = options.onLine?.(complete[lines] as string);
        if (answer !== undefined) child.stdin.write(answer);
      }
    });
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output, errors }));
  });
}

/** The same for a program that prints one line of JSON, and is expected to end well. */
export async function result(program: string, options: RunOptions = {}): Promise<Record<string, unknown>> {
  const { code, signal, output, errors } = await run(program, options);
  if (code !== 0) throw new Error(`${program} ended with ${signal ?? code}\n${output}\n${errors}`);
  return JSON.parse(output.trim().split('\n').at(-1) as string);
}
