import { spawnSync } from 'node:child_process';

export interface Finished {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export function run(
  command: string,
  args: readonly string[],
  folder: string,
  environment: Record<string, string> = {},
): Finished {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    maxBuffer: 2 ** 26,
    timeout: 100_000,
    killSignal: 'SIGKILL',
    shell: process.platform === 'win32',
  });
  if (error !== undefined) throw error;
  return { code: status, output: stdout, errors: stderr };
}

/** The output of a command that has to succeed. */
export function outputOf(
  command: string,
  args: readonly string[],
  folder: string,
  environment?: Record<string, string>,
): string {
  const { code, output, errors } = run(command, args, folder, environment);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}${errors}`);
  return output;
}
