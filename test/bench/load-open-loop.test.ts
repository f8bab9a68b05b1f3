// The open loop: a server that stalls is seen by every message that was due meanwhile. The bounds asserted follow from the
// schedule alone, on a machine however slow: no message leaves before it is due.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { collect, runProgram } from '../../bench/runner/process.js';
import { buildLoad, loadCommand, measure, runLoad } from './load.js';

beforeAll(buildLoad, 300_000);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function serve(onData: (socket: Socket, chunk: Buffer) => void): Promise<string> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', (chunk: Buffer) => onData(socket, chunk));
    socket.on('error', () => socket.destroy());
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(String(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

const MESSAGE_BYTES = 64;
const SIZE = ['--bytes', String(MESSAGE_BYTES)];

describe.runIf(process.platform === 'linux')('the open loop', () => {
  it('sends what the schedule says, and times each message', async () => {
    let bytes = 0;
    const port = await serve((socket, chunk) => {
      bytes += chunk.length;
      socket.write(chunk);
    });
    const words = ['--port', port, '--rate', '1000', '--seconds', '0.3', '--warmup', '0.1', '--connections', '5'];
    const result = await measure('echo', ...words, ...SIZE, '--server-pid', String(process.pid));
    expect(result).toMatchObject({ loop: 'open', rate: 1_000, schedule: 'uniform', seed: 1, connections: 5 });
    expect(bytes / MESSAGE_BYTES).toBe(400);
    expect(result).toMatchObject({ scheduled: 300, unanswered: 0 });
    expect(result.serverCpuSeconds).toBeGreaterThan(0);
    expect(result.latencyMicroseconds.max).toBeGreaterThanOrEqual(result.latencyMicroseconds.p50);
    // Nothing is back before it was sent.
    expect(result.latencyMicroseconds.mean).toBeGreaterThan(result.latenessMicroseconds.mean);
  });

  it('corrects for coordinated omission: a stall counts for all that was due while it lasted', async () => {
    // The answers to message 500 and all later ones are held back until 1,500 have come.
    const held: [Socket, Buffer][] = [];
    let received = 0;
    const port = await serve((socket, chunk) => {
      received += chunk.length / MESSAGE_BYTES;
      held.push([socket, chunk]);
      if (received >= 500 && received < 1_500) return;
      for (const [to, bytes] of held.splice(0)) to.write(bytes);
    });
    const words = ['--port', port, '--rate', '2000', '--seconds', '1', '--warmup', '0', '--connections', '4'];
    const { scheduled, unanswered, latencyMicroseconds } = await measure('echo', ...words, ...SIZE);
    expect({ scheduled, unanswered }).toEqual({ scheduled: 2_000, unanswered: 0 });
    // Message 1,499 leaves 749.5 ms after the beginning or later. Of the 1,000 messages before it, at 0.5 ms each, that were
    // held, 20 (1 % of all) waited for 490 ms at least, and 200 (10 %) for 400 ms.
    expect(latencyMicroseconds.p99).toBeGreaterThanOrEqual(489_000);
    expect(latencyMicroseconds.p90).toBeGreaterThanOrEqual(399_000);
  });

  it('counts from the time that was intended, and says that it was itself the one that was late', async () => {
    // The generator is stopped for half a second when its first message has come.
    let stopped = false;
    let pid = 0;
    const port = await serve((socket, chunk) => {
      socket.write(chunk);
      if (stopped) return;
      stopped = true;
      process.kill(pid, 'SIGSTOP');
      while (!/\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
      setTimeout(() => process.kill(pid, 'SIGCONT'), 500);
    });
    const words = ['--port', port, '--rate', '1000', '--seconds', '2', '--warmup', '0', '--connections', '2', ...SIZE];
    const [program = '', ...first] = loadCommand();
    const child = spawn(program, [...first, 'echo', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    pid = child.pid ?? 0;
    const output = collect(child);
    await new Promise((resolve) => child.once('close', resolve));
    expect(output().stderr).toBe('');
    const result = JSON.parse(output().stdout);
    expect(result.scheduled).toBe(2_000);
    expect(result.generatorLimited).toBe(true);
    // 500 messages were due meanwhile, one each millisecond: 200 of them (10 % of all) at least 298 ms before it went on.
    expect(result.latenessMicroseconds.p90).toBeGreaterThanOrEqual(290_000);
    expect(result.latencyMicroseconds.p90).toBeGreaterThanOrEqual(result.latenessMicroseconds.p90 * 0.99);
  });

  it('counts what never comes back with the time that it was waited for', async () => {
    let received = 0;
    const port = await serve((socket, chunk) => {
      const wanted = Math.max(0, Math.min(chunk.length, 50 * MESSAGE_BYTES - received));
      received += chunk.length;
      if (wanted > 0) socket.write(chunk.subarray(0, wanted));
    });
    const words = ['--port', port, '--rate', '1000', '--seconds', '0.2', '--warmup', '0', '--drain', '0.1'];
    const result = await measure('echo', ...words, '--connections', '1', ...SIZE);
    expect(result).toMatchObject({ scheduled: 200, messages: 50, unanswered: 150 });
    expect(result.latencyMicroseconds.p50).toBeGreaterThanOrEqual(100_000);
  });

  it('does not count waiting for a full socket as its own lateness', async () => {
    // Of two connections the server reads one only when 80 of the 100 messages of the other have come: 20 MiB wait by then,
    // which is more than sockets hold.
    const bytes = 256 << 10;
    let slow: Socket | undefined;
    let received = 0;
    const port = await serve((socket, chunk) => {
      socket.write(chunk);
      slow ??= socket.pause();
      if (socket !== slow) received += chunk.length;
      if (received >= 80 * bytes) slow.resume();
    });
    const words = ['--port', port, '--rate', '500', '--seconds', '0.4', '--warmup', '0', '--connections', '2'];
    const result = await measure('echo', ...words, '--bytes', String(bytes));
    expect(result).toMatchObject({ scheduled: 200, unanswered: 0 });
    // The 80th message of the other is due at 316 ms or later; of the slow one 40 were due in the first 160 ms.
    expect(result.latencyMicroseconds.p90).toBeGreaterThanOrEqual(150_000);
    expect(result.latenessMicroseconds.p90).toBeLessThan(result.latencyMicroseconds.p90);
  });

  it('spins when it has been given a CPU, and sleeps where it shares them', async () => {
    const port = await serve((socket, chunk) => socket.write(chunk));
    const words = ['--port', port, '--rate', '100', '--seconds', '0.1', '--warmup', '0', '--connections', '1'];
    const shares = availableParallelism() > 1;
    if (shares) expect((await measure('echo', ...words)).wait).toBe('sleep');
    expect((await measure('echo', ...words, '--wait', 'sleep')).wait).toBe('sleep');
    const cpu = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    const finished = await runProgram(['taskset', '-c', cpu, ...loadCommand(), 'echo', ...words], {
      timeoutMs: 60_000,
    });
    if (shares) expect(JSON.parse(finished.stdout).wait).toBe('spin');
  });

  it.each([
    ['echoes wrongly', (socket: Socket, chunk: Buffer) => socket.write(chunk.map((byte) => byte ^ 1)), /wrong bytes/],
    ['hangs up', (socket: Socket) => socket.end(), /closed a connection/],
    ['says nothing', () => {}, /no message came back/],
  ])('notices a server that %s', async (_, onData, message) => {
    const port = await serve(onData);
    const words = ['--port', port, '--rate', '100', '--seconds', '0.2', '--warmup', '0', '--drain', '0.1'];
    const finished = await runLoad('echo', ...words, '--connections', '2');
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(1);
    expect(finished.stdout).toBe('');
  });

  it.each([
    [['--rate', '100', '--in-flight', '2'], /--in-flight is the closed loop's/],
    [['--schedule', 'poisson'], /--schedule needs --rate/],
    [['--rate', '100', '--schedule', 'random'], /--schedule must be one of uniform, poisson, got random/],
    [['--rate', '0'], /--rate must be a number from 0\.1/],
    [['--rate', '100', '--close', 'client'], /--close means nothing to echo/],
  ])('refuses %j', async (words, message) => {
    const finished = await runLoad('echo', '--port', '9', ...words);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(message);
  });
});
