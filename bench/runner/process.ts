import { type ChildProcess, spawn } from 'node:child_process';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** Runs a program to its end. A program that cannot be started gives code null and the reason in `stderr`. */
export function runProgram(command: readonly string[], options: RunOptions): Promise<Finished> {
  const [program = '', ...words] = command;
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      cwd: options.cwd,
      env: options.environment ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = collect(child);
    let timedOut = false;
    const alarm = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs);
    child.once('error', (error) => {
      clearTimeout(alarm);
      resolve({ code: null, signal: null, stdout: '', stderr: error.message, timedOut: false });
    });
    child.once('close', (code, signal) => {
      clearTimeout(alarm);
      resolve({ code, signal, ...output(), timedOut });
    });
  });
}

/** Gathers what a child prints; call the result for what has come so far. */
export function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  return () => ({
    stdout: Buffer.concat(stdout).toString('utf8'),
    stderr: Buffer.concat(stderr).toString('utf8'),
  });
}

/** One line that says why a program did not do what it should. */
export function failureOf(finished: Finished): string {
  const lines = finished.stderr.split('\n').map((line) => line.trim());
  // Of a JavaScript stack the line with the error is worth showing, not the source line above it.
  const said = lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line !== '') ?? '';
  const end = finished.timedOut
    ? 'took too long and was ended'
    : finished.signal !== null
      ? `ended by ${finished.signal}`
      : `exit code ${finished.code ?? 'none'}`;
  return said === '' ? end : `${said} (${end})`;
}
