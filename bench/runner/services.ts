// The real servers whose clients are measured: PostgreSQL and Redis, each in a folder of its own on a free loopback port.
import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peersFolder } from '../paths.js';
import type { Pinning } from './pinning.js';
import { collect, runProgram } from './process.js';

export type ServiceName = 'pg' | 'redis';

export type Service =
  | { readonly ok: true; readonly port: number; readonly version: string; stop(): Promise<void> }
  | { readonly ok: false; readonly reason: string; readonly how: string };

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts the server, if its client is there to be measured. */
export async function startService(name: ServiceName, pinning: Pinning): Promise<Service> {
  const client = name === 'pg' ? 'pg' : 'ioredis';
  try {
    // From where the peers are: they import it.
    createRequire(join(peersFolder, 'javascript', 'clients.mjs')).resolve(client);
  } catch {
    return { ok: false, reason: `the package ${client} is not installed`, how: `npm install ${client} and run again` };
  }
  return name === 'pg' ? startPostgres(pinning) : startRedis(pinning);
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

async function startPostgres(pinning: Pinning): Promise<Service> {
  const how = 'install PostgreSQL (apt-get install postgresql) and run again';
  const bin = await postgresFolder();
  if (bin === null) return { ok: false, reason: 'PostgreSQL was not found', how };
  const owner = await postgresOwner();
  if (owner === null) {
    return { ok: false, reason: 'PostgreSQL does not run as root, and there is no user postgres', how };
  }
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-pg-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  if (owner !== 'own') await chown(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const made = await runAs(owner, [join(bin, 'initdb'), '-D', data, '-U', 'millrace', '-A', 'trust', '--no-sync']);
  if (made !== null) {
    await remove();
    return { ok: false, reason: `initdb failed: ${made}`, how };
  }
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'fsync=off'];
  const command = [join(bin, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const child = start(owner, pinning.load(command));
  const version = await runProgram([join(bin, 'postgres'), '--version'], { timeoutMs: 10_000 });
  // SIGINT: it ends the sessions, then itself.
  return untilReady(child, /ready to accept connections/, 'SIGINT', remove, {
    port,
    version: `PostgreSQL ${/\d[\d.]*/.exec(version.stdout)?.[0] ?? ''}`,
    how,
  });
}

async function startRedis(pinning: Pinning): Promise<Service> {
  const how = 'install Redis (apt-get install redis-server) and run again';
  const version = await runProgram(['redis-server', '--version'], { timeoutMs: 10_000 });
  if (version.code !== 0) return { ok: false, reason: 'redis-server was not found', how };
  const port = await freePort();
  const settings = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: tmpdir(), daemonize: 'no' };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = start('own', pinning.load(['redis-server', ...words]));
  return untilReady(child, /ready to accept connections/i, 'SIGTERM', async () => {}, {
    port,
    version: `Redis ${/v=([\d.]+)/.exec(version.stdout)?.[1] ?? ''}`,
    how,
  });
}

/** Where `postgres` and `initdb` are; Debian does not put them into PATH. */
async function postgresFolder(): Promise<string | null> {
  const debian = '/usr/lib/postgresql';
  const versions = await readdir(debian).catch(() => []);
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin'));
  for (const folder of [...newestFirst, ...(process.env.PATH ?? '').split(':')]) {
    const found = await runProgram([join(folder, 'initdb'), '--version'], { timeoutMs: 10_000 });
    if (found.code === 0) return folder;
  }
  return null;
}

/** PostgreSQL refuses to be root: then it is the user that its package made. */
async function postgresOwner(): Promise<Owner | 'own' | null> {
  if (process.getuid?.() !== 0) return 'own';
  const [user, group] = await Promise.all(
    ['-u', '-g'].map((flag) => runProgram(['id', flag, 'postgres'], { timeoutMs: 5_000 })),
  );
  if (user?.code !== 0 || group?.code !== 0) return null;
  return { uid: Number(user.stdout), gid: Number(group.stdout) };
}

function start(owner: Owner | 'own', [program = '', ...words]: readonly string[]): ChildProcess {
  const identity = owner === 'own' ? {} : owner;
  return spawn(program, words, { ...identity, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a program to its end; null when it went well, else what it said. */
function runAs(owner: Owner | 'own', command: readonly string[]): Promise<string | null> {
  const child = start(owner, command);
  const output = collect(child);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) =>
      resolve(code === 0 ? null : (output().stderr.trim().split('\n').at(-1) ?? 'no reason')),
    );
  });
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** The service once it has said that it is ready; it says so on either stream. */
function untilReady(
  child: ChildProcess,
  ready: RegExp,
  stopSignal: NodeJS.Signals,
  cleanUp: () => Promise<void>,
  { port, version, how }: { readonly port: number; readonly version: string; readonly how: string },
): Promise<Service> {
  const output = collect(child);
  const ended = new Promise<void>((resolve) => {
    child.once('close', resolve);
    child.once('error', resolve);
  });
  const stop = async () => {
    child.kill(stopSignal);
    const alarm = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(alarm);
    await cleanUp();
  };
  return new Promise((resolve) => {
    let settled = false;
    const settle = (service: Service) => {
      if (settled) return;
      settled = true;
      clearTimeout(alarm);
      resolve(service);
    };
    const fail = (reason: string) => void stop().then(() => settle({ ok: false, reason, how }));
    const alarm = setTimeout(() => fail(`${version} did not get ready in time`), START_TIMEOUT_MS);
    const look = () => {
      const { stdout, stderr } = output();
      if (ready.test(stdout) || ready.test(stderr)) settle({ ok: true, port, version, stop });
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    void ended.then(() => {
      const said = `${output().stderr}${output().stdout}`.trim().split('\n').at(-1) ?? '';
      fail(`${version} ended early: ${said}`);
    });
  });
}
