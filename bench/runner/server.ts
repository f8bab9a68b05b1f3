import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { SampleError } from './compute-sample.js';
import { collect, failureOf } from './process.js';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 3_000;

/** A peer that serves on loopback, in a process of its own. */
export class Server {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #output: () => { stdout: string; stderr: string };
  #port = 0;

  private constructor(command: readonly string[], environment: NodeJS.ProcessEnv) {
    const [program = '', ...words] = command;
    this.#child = spawn(program, words, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    // A server that died shows in its exit; a failed write to its closed input must not end the runner.
    this.#child.stdin.on('error', () => {});
    this.#output = collect(this.#child);
  }

  /** Starts it and waits for the port that it prints as its first line. @throws SampleError */
  static async start(command: readonly string[], environment: NodeJS.ProcessEnv): Promise<Server> {
    const server = new Server(command, environment);
    try {
      server.#port = await server.#portPrinted();
    } catch (error) {
      server.kill();
      throw error;
    }
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Asks for a garbage collection; a runtime without one takes it for done. */
  collectGarbage(): void {
    this.#child.stdin.write('collect\n');
  }

  /** The most memory that it has had. */
  async peakMemoryBytes(): Promise<number> {
    try {
      const match = /^VmHWM:\s*(\d+) kB/m.exec(await readFile(`/proc/${this.pid}/status`, 'utf8'));
      return match === null ? 0 : Number(match[1]) * 1024;
    } catch {
      return 0;
    }
  }

  /**
   * Closes its standard input, which is its sign to end, and waits until its output is complete. Gives the counters that
   * it printed.
   */
  async stop(): Promise<Record<string, number>> {
    await new Promise<void>((resolve) => {
      const alarm = setTimeout(() => {
        this.kill();
        resolve();
      }, STOP_TIMEOUT_MS);
      this.#child.once('close', () => {
        clearTimeout(alarm);
        resolve();
      });
      this.#child.stdin.end();
    });
    return countersIn(this.#output().stdout);
  }

  /** Ends it at once, if it still runs. */
  kill(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
  }

  #portPrinted(): Promise<number> {
    return new Promise((resolve, reject) => {
      const alarm = setTimeout(() => reject(new SampleError('the server printed no port')), START_TIMEOUT_MS);
      this.#child.stdout.on('data', () => {
        const match = /^(\d+)\n/.exec(this.#output().stdout);
        if (match === null) return;
        clearTimeout(alarm);
        resolve(Number(match[1]));
      });
      this.#child.once('error', (error) => {
        clearTimeout(alarm);
        reject(new SampleError(error.message));
      });
      this.#child.once('close', (code, signal) => {
        clearTimeout(alarm);
        const end = failureOf({ code, signal, ...this.#output(), timedOut: false });
        reject(new SampleError(`the server ended early: ${end}`));
      });
    });
  }
}

/** The counters that a server may print after its port: a JSON object whose numbers are kept. */
export function countersIn(stdout: string): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const line of stdout.split('\n').slice(1)) {
    if (!line.startsWith('{')) continue;
    for (const [name, value] of Object.entries(JSON.parse(line) as Record<string, unknown>)) {
      if (typeof value === 'number' && Number.isFinite(value)) counters[name] = value;
    }
  }
  return counters;
}
