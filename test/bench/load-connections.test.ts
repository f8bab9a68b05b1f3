// Connections that come and go, that stay idle, and that behave badly.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildLoad, loadCommand, measure, runLoad } from './load.js';

beforeAll(buildLoad, 300_000);

const servers: Server[] = [];
const serverSockets: Socket[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const socket of serverSockets.splice(0)) socket.destroy();
  for (const child of children.splice(0)) child.stdin?.end();
});

/** A server in this process. */
function serve(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer({ noDelay: true }, (socket) => {
    serverSockets.push(socket);
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(String(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** The generator's own echo server, in a process of its own. */
async function serveOutside(): Promise<string[]> {
  const [program = '', ...words] = [...loadCommand(), 'serve'];
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const port = await new Promise<string>((resolve) => {
    child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()));
  });
  return ['--port', port, '--server-pid', String(child.pid)];
}

const echo = (socket: Socket) => socket.on('data', (chunk: Buffer) => socket.write(chunk));

describe.runIf(process.platform === 'linux')('churn', () => {
  const QUICK = ['--seconds', '0.2', '--warmup', '0', '--parallel', '4'];

  it('opens, asks, is answered and closes, from many addresses; both ends see the end', async () => {
    const clients = new Set<string>();
    let ended = 0;
    const port = await serve((socket) => {
      clients.add(socket.remoteAddress ?? '');
      echo(socket).on('end', () => ended++);
    });
    const result = await measure('churn', '--port', port, ...QUICK, '--sources', '3', '--bytes', '100');
    expect(result).toMatchObject({ mode: 'churn', parallel: 4, messageBytes: 100, close: 'client', sources: 3 });
    expect(result).toMatchObject({ timeWait: 0 });
    expect(result.connections).toBeGreaterThan(4);
    expect(ended).toBeGreaterThanOrEqual(result.connections);
    expect([...clients].sort()).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.4']);
    expect(result.answerMicroseconds.p50).toBeLessThanOrEqual(result.latencyMicroseconds.p50);
  });

  it('lets the server close first', async () => {
    const port = await serve((socket) => {
      socket.on('data', (chunk: Buffer) => socket.end(chunk));
    });
    const result = await measure('churn', '--port', port, ...QUICK, '--close', 'server');
    expect(result.close).toBe('server');
    // Where the server closes first, its ports wait.
    expect(result.timeWait).toBeGreaterThan(0);
  });

  it('ends connections with a reset', async () => {
    let resets = 0;
    const port = await serve((socket) => {
      echo(socket).on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET') resets++;
      });
    });
    const result = await measure('churn', '--port', port, ...QUICK, '--close', 'reset');
    expect(result.timeWait).toBe(0);
    expect(resets).toBeGreaterThan(0);
  });

  it.each<[string, (socket: Socket) => void, RegExp]>([
    [
      'gives everybody the first answer',
      (() => {
        let first: Buffer | undefined;
        return (socket: Socket) =>
          void socket.on('data', (chunk: Buffer) => {
            first ??= Buffer.from(chunk);
            socket.write(first);
          });
      })(),
      /wrong bytes/,
    ],
    ['closes before the answer', (socket) => void socket.on('data', () => socket.end()), /before it had answered/],
    [
      'answers too much',
      (socket) => void socket.on('data', (chunk: Buffer) => socket.write(Buffer.concat([chunk, chunk]))),
      /more than it got/,
    ],
  ])('notices a server that %s', async (_, onConnection, message) => {
    const port = await serve(onConnection);
    const finished = await runLoad('churn', '--port', port, ...QUICK);
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(1);
    expect(finished.stdout).toBe('');
  });

  it('says that nobody listens', async () => {
    const port = await serve(() => {});
    for (const server of servers.splice(0)) server.close();
    const finished = await runLoad('churn', '--port', port, ...QUICK);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/127\.0\.0\.1:\d+: Connection refused/);
  });
});

describe.runIf(process.platform === 'linux')('idle connections', () => {
  const QUICK = ['--seconds', '0.1', '--warmup', '0', '--settle', '0'];

  it('are counted with what they cost, and those that work with how they fare', async () => {
    const server = await serveOutside();
    const words = ['--connections', '600', '--busy', '5', '--prime', '10'];
    const result = await measure('idle', ...server, ...QUICK, ...words);
    expect(result).toMatchObject({ mode: 'idle', connections: 600, sources: 16 });
    const { before, open, perConnectionBytes } = result.memory;
    expect(before.rssBytes).toBeGreaterThan(before.privateBytes);
    expect(perConnectionBytes).toBeCloseTo((open.privateBytes - before.privateBytes) / 600, 0);
    expect(perConnectionBytes).toBeGreaterThan(0);
    expect(result.busy).toMatchObject({ connections: 5, alone: { connections: 5 }, beside: { connections: 5 } });
    expect(result.busy.alone.messages).toBeGreaterThan(0);
    expect(result.busy.ratioPerServerCpuSecond).toBeGreaterThan(0);
  });

  it('may stay silent from the beginning: then the server’s descriptors tell that it has them', async () => {
    const server = await serveOutside();
    const result = await measure('idle', ...server, ...QUICK, '--connections', '300', '--greet', '0', '--prime', '0');
    expect(result.connections).toBe(300);
  });

  it.each([
    ['while others are greeted', (number: number) => number === 30],
    // The first is the busy one, which goes on when all others have been greeted.
    ['while one is busy', (number: number, opened: number) => number === 0 && opened === 41],
  ])('must stay open: %s', async (_, isTheTime) => {
    const opened: Socket[] = [];
    const port = await serve((socket) => {
      const number = opened.push(socket) - 1;
      socket.on('data', (chunk: Buffer) => {
        if (isTheTime(number, opened.length)) opened[20]?.end();
        socket.write(chunk);
      });
    });
    const words = ['--connections', '40', '--prime', '0', '--busy', '1'];
    const finished = await runLoad('idle', '--port', port, ...QUICK, ...words);
    expect(finished.stderr).toMatch(/closed a connection/);
    expect(finished.code).toBe(1);
  });

  it('need as many descriptors as the system allows', async () => {
    const [program = '', ...words] = [...loadCommand(), 'idle', '--port', '9', '--connections', '5000'];
    const child = spawn('sh', ['-c', 'ulimit -n 1000 && exec "$@"', 'sh', program, ...words]);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    await new Promise((resolve) => child.once('close', resolve));
    expect(said).toMatch(/5100 connections need more open files than the hard limit of 1000/);
  });
});

describe.runIf(process.platform === 'linux')('a storm', () => {
  const PEERS = ['--resets', '8', '--half-close', '4', '--slow', '2', '--seconds', '0.3', '--bytes', '20000'];

  it('counts every byte of those that stay to the end, and what the server keeps', async () => {
    const result = await measure('storm', ...(await serveOutside()), ...PEERS);
    expect(result.descriptors.after).toBe(result.descriptors.before);
    expect(result.resets.connections).toBeGreaterThan(8);
    for (const { connections, bytesSent, bytesReceived } of [result.halfClose, result.slow]) {
      expect(bytesSent).toBe(connections * 20_000);
      expect(bytesReceived).toBe(bytesSent);
    }
    expect(result.control.messages).toBeGreaterThan(0);
  });

  it('notices one byte that is missing at the end', async () => {
    const port = await serve((socket) => {
      let kept = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        socket.write(Buffer.concat([kept, chunk.subarray(0, -1)]));
        kept = Buffer.from(chunk.subarray(-1));
      });
    });
    const finished = await runLoad('storm', '--port', port, '--half-close', '2', '--seconds', '0.2', '--bytes', '1000');
    expect(finished.stderr).toMatch(/closed after 999 of 1000 bytes/);
    expect(finished.code).toBe(1);
  });

  it('has peers that are gone without a word, where that is allowed', async () => {
    let open = 0;
    const port = await serve((socket) => {
      open++;
      echo(socket).on('close', () => open--);
    });
    const words = ['--port', port, '--vanish', '2', '--seconds', '0.1', '--bytes', '100'];
    const finished = await runLoad('storm', ...words);
    if (finished.code !== 0) {
      expect(finished.stderr).toMatch(/--vanish needs the capability CAP_NET_ADMIN/);
      return;
    }
    expect(JSON.parse(finished.stdout).vanish.connections).toBeGreaterThan(2);
    // Nobody tells the server: most of its sockets are open still.
    expect(open).toBeGreaterThan(2);
  });

  it('does not wait for ever for the one connection that must go on', async () => {
    let first: Socket | undefined;
    const port = await serve((socket) => {
      first ??= socket;
      socket.on('data', (chunk: Buffer) => {
        if (socket !== first) socket.write(chunk);
      });
    });
    const words = ['--port', port, '--half-close', '2', '--seconds', '0.1', '--bytes', '1000'];
    const finished = await runLoad('storm', ...words);
    expect(finished.stderr).toMatch(/silent for 5 seconds/);
    expect(finished.code).toBe(1);
  });

  it('needs peers', async () => {
    const finished = await runLoad('storm', '--port', '9');
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(/at least one of --resets, --vanish, --half-close, --slow/);
  });
});

describe.runIf(process.platform === 'linux')('calibration', () => {
  it('tells what the generator can do at most, in each mode', async () => {
    const { limits } = await measure('calibrate', '--seconds', '0.3', '--warmup', '0.02');
    const byName = Object.fromEntries(limits.map((limit: { what: string }) => [limit.what, limit]));
    expect(Object.keys(byName)).toEqual([
      'echo 64 B, 1 in flight',
      'echo 64 B, 16 in flight',
      'echo 16 KiB',
      'echo 256 KiB',
      'echo 64 B, open loop, sleeping',
      'echo 64 B, open loop, spinning',
      'churn, client closes',
      'churn, reset',
      'udp 64 B, 1 in flight',
      'udp 64 B, 16 in flight',
      'udp 64 B, open loop, spinning',
      'http, 1 in flight',
      'http, 16 pipelined',
      'http, open loop, spinning',
    ]);
    for (const { what, perSecond, perLoadCpuSecond } of limits) {
      if (/open loop/.test(what)) continue; // on a busy machine it may keep no rate at all
      expect(perSecond).toBeGreaterThan(0);
      expect(perLoadCpuSecond).toBeGreaterThan(0);
    }
  });
});
