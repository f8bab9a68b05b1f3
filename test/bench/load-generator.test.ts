// The load generator must notice a server that cheats: otherwise its figures mean nothing.
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Finished } from '../../bench/runner/process.js';
import { buildLoad, runLoad } from './load.js';

beforeAll(buildLoad, 300_000);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that answers each chunk by `answer`; gives its port. */
function serve(answer: (socket: Socket, chunk: Buffer) => void): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', (chunk: Buffer) => answer(socket, chunk));
    socket.on('error', () => socket.destroy());
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function run(...words: string[]): Promise<Finished> {
  return runLoad('--seconds', '0.2', '--warmup', '0', ...words);
}

describe.runIf(process.platform === 'linux')('the load generator', () => {
  it('counts whole messages, times each, and reads the server’s CPU clock', async () => {
    const port = await serve((socket, chunk) => socket.write(chunk));
    const words = ['--connections', '3', '--bytes', '100', '--in-flight', '4', '--server-pid', String(process.pid)];
    const finished = await run('--port', String(port), ...words);
    expect(finished.stderr).toBe('');
    const result = JSON.parse(finished.stdout);
    expect(result).toMatchObject({ connections: 3, messageBytes: 100, inFlight: 4 });
    expect(result.messages).toBeGreaterThan(10);
    // Both are rounded where they are printed: the rate to a tenth, the seconds to a millionth.
    const rounding = 0.05 * result.seconds + result.messagesPerSecond * 1e-6;
    expect(Math.abs(result.messagesPerSecond * result.seconds - result.messages)).toBeLessThan(rounding + 1e-6);
    expect(result.serverCpuSeconds).toBeGreaterThan(0);
    const { p50, p90, p99, p999, max } = result.latencyMicroseconds;
    expect([...[p50, p90, p99, p999]].sort((a, b) => a - b)).toEqual([p50, p90, p99, p999]);
    expect(p999).toBeLessThanOrEqual(max);
    expect(p50).toBeGreaterThan(0);
  });

  it.each([
    [
      'changes one byte',
      (socket: Socket, chunk: Buffer) => {
        const changed = Buffer.from(chunk);
        changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
        socket.write(changed);
      },
      /wrong bytes/,
    ],
    [
      'swaps two halves',
      (socket: Socket, chunk: Buffer) => {
        socket.write(Buffer.concat([chunk.subarray(chunk.length / 2), chunk.subarray(0, chunk.length / 2)]));
      },
      /wrong bytes/,
    ],
    [
      'says everything twice',
      (socket: Socket, chunk: Buffer) => {
        socket.write(Buffer.concat([chunk, chunk]));
      },
      /more than it got/,
    ],
    [
      'hangs up',
      (socket: Socket) => {
        socket.end();
      },
      /closed a connection/,
    ],
  ])('notices a server that %s', async (_, answer, message) => {
    const port = await serve(answer);
    const finished = await run('--port', String(port), '--connections', '2');
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(message);
    expect(finished.stdout).toBe('');
  });

  it('does not take silence for a result', async () => {
    const port = await serve(() => {});
    const finished = await run('--port', String(port), '--connections', '1');
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/no message came back|silent/);
  });

  it.each([
    [['--port', '0'], /--port must be a whole number from 1 to 65535, got 0/],
    [[], /--port is required/],
    [['--port'], /--port needs a value/],
    [['--port', '80', '--bytes', 'many'], /--bytes must be a whole number/],
    [['--port', '80', '--in-flight', '0'], /--in-flight/],
    [['--port', '80', '--speed', '9'], /unknown option: --speed/],
    [['--port', '80', '--host', 'localhost'], /not an IPv4 address: localhost/],
  ])('refuses %j', async (words, message) => {
    const finished = await run(...words);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(message);
  });

  it('says that nobody listens', async () => {
    const port = await serve(() => {});
    servers[0]?.close();
    const finished = await run('--port', String(port));
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/connect to 127\.0\.0\.1:\d+: Connection refused/);
  });
});
