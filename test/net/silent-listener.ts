// A port on loopback on which connections are never accepted, so that a connect hangs as it would at a host that answers
// nothing: a process whose loop stands still, with its backlog filled.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

const PROGRAM = `require('node:net').createServer().listen(0, '127.0.0.1', 1, function () {
  require('node:fs').writeSync(1, this.address().port + '\\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

export class SilentListener {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #fillers: Socket[];

  private constructor(port: number, process: ChildProcess, fillers: Socket[]) {
    this.port = port;
    this.#process = process;
    this.#fillers = fillers;
  }

  static async start(): Promise<SilentListener> {
    const child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(child.stdout, 'data');
    const port = Number(String(line));
    // The kernel takes one more than the backlog; what comes after those gets no answer.
    const fillers = Array.from({ length: 4 }, () => createConnection(port, '127.0.0.1').on('error', () => {}));
    await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')));
    return new SilentListener(port, child, fillers);
  }

  stop(): void {
    for (const filler of this.#fillers) filler.destroy();
    this.#process.kill('SIGKILL');
  }
}
