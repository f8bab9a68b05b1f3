// Real servers for real clients: started by the test on a free port of the loopback, with a data directory of their own
// under the temporary folder, and gone with it. They never run as the system's services. Each also speaks TLS and has a
// Unix socket.
//
// Without the server a developer's test is skipped and says so; in CI (CI=true) that is a failure.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { certificate, key } from './certificate.js';

export interface RealServer {
  readonly port: number;
  stop(): Promise<void>;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

const HOST = '127.0.0.1';
const START_MS = 60_000;

/** Where a program is, also in the folders that Debian keeps out of PATH. */
function find(program: string): string | null {
  const versions = '/usr/lib/postgresql';
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    ...(existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : []),
  ];
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file)) ?? null;
}

const PROGRAMS = {
  postgresql: ['initdb', 'postgres'],
  'mariadb-server': ['mariadb-install-db', 'mariadbd'],
  'redis-server': ['redis-server'],
} as const;

export type Package = keyof typeof PROGRAMS;

/** For `describe.skipIf`: true, with a word about it, where the server cannot be had. */
export function missing(name: Package): boolean {
  const absent = PROGRAMS[name].filter((program) => find(program) === null);
  if (absent.length === 0) return false;
  const message = `Debian's package ${name} is not installed (no ${absent.join(', ')})`;
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(`skipped: ${message}`);
  return true;
}

function program(name: string): string {
  const file = find(name);
  if (file === null) throw new Error(`${name} is not installed`);
  return file;
}

/** Databases refuse to run as root: then as the user of their package. */
function account(name: string): Account | null {
  if (userInfo().uid !== 0) return null;
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`there is no user ${name}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

class Folder {
  readonly path: string;
  readonly account: Account | null;

  constructor(name: string, user: string) {
    this.account = account(user);
    this.path = mkdtempSync(join(tmpdir(), `millrace-${name}-`));
    this.own(this.path);
  }

  own(path: string): void {
    chmodSync(path, 0o700);
    if (this.account !== null) chownSync(path, this.account.uid, this.account.gid);
  }

  make(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path);
    this.own(path);
    return path;
  }

  /** The certificate and its key, as files that only the server can read. */
  get identity(): { cert: string; key: string } {
    const file = (name: string, text: string): string => {
      const path = join(this.path, name);
      writeFileSync(path, text, { mode: 0o600 });
      if (this.account !== null) chownSync(path, this.account.uid, this.account.gid);
      return path;
    };
    return { cert: file('cert.pem', certificate), key: file('key.pem', key) };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Runs a server until `stop`, or until this process is gone, however that ends. */
class Running implements RealServer {
  readonly port: number;
  readonly #folder: Folder;
  readonly #child: ChildProcess;
  readonly #signal: NodeJS.Signals;
  #log = '';

  constructor(folder: Folder, port: number, command: string[], signal: NodeJS.Signals) {
    this.#folder = folder;
    this.port = port;
    this.#signal = signal;
    const { account } = folder;
    const parent = find('setpriv');
    const [file, ...args] =
      parent === null
        ? command
        : [
            parent,
            '--pdeathsig',
            'KILL',
            ...(account === null ? [] : ['--reuid', `${account.uid}`, '--regid', `${account.gid}`, '--clear-groups']),
            '--',
            ...command,
          ];
    this.#child = spawn(file as string, args, {
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: folder.path, LC_ALL: 'C' },
      ...(parent === null && account !== null ? account : {}),
    });
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      output?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-20_000);
      });
    }
  }

  /** Until the server says in its log that it serves. */
  async ready(line: RegExp): Promise<this> {
    const started = Date.now();
    while (!line.test(this.#log)) {
      if (this.#child.exitCode !== null || Date.now() - started > START_MS) {
        await this.stop();
        throw new Error(`the server did not start:\n${this.#log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(this.#signal);
      await ended;
    }
    this.#folder.remove();
  }
}

function setUp(folder: Folder, file: string, args: string[]): void {
  execFileSync(program(file), args, {
    cwd: folder.path,
    stdio: 'pipe',
    env: { PATH: process.env.PATH, HOME: folder.path, LC_ALL: 'C' },
    ...(folder.account ?? {}),
  });
}

/** User `postgres`, no password, database `postgres`; its Unix socket lies in `socketFolder`. */
export async function startPostgres(): Promise<RealServer & { readonly socketFolder: string }> {
  const folder = new Folder('pg', 'postgres');
  const data = folder.make('data');
  setUp(folder, 'initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync']);
  const port = await freePort();
  const { cert, key } = folder.identity;
  const settings = [
    ...['fsync=off', 'max_connections=100', 'shared_buffers=16MB', 'autovacuum=off'],
    ...['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`],
  ];
  const running = new Running(
    folder,
    port,
    [
      ...[program('postgres'), '-D', data, '-h', HOST, '-p', `${port}`, '-k', folder.path],
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    'SIGQUIT',
  );
  await running.ready(/ready to accept connections/);
  return Object.assign(running, { socketFolder: folder.path });
}

/** User `root`, no password. */
export async function startMariadb(): Promise<RealServer & { readonly socketPath: string }> {
  const folder = new Folder('my', 'mysql');
  const data = folder.make('data');
  setUp(folder, 'mariadb-install-db', [
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--innodb-flush-method=nosync',
  ]);
  const port = await freePort();
  const socketPath = join(folder.path, 'my.sock');
  const { cert, key } = folder.identity;
  const running = new Running(
    folder,
    port,
    [
      ...[program('mariadbd'), '--no-defaults', `--datadir=${data}`, `--port=${port}`, `--bind-address=${HOST}`],
      ...[`--socket=${socketPath}`, `--pid-file=${join(folder.path, 'pid')}`, '--skip-log-bin', '--skip-name-resolve'],
      ...[`--ssl-cert=${cert}`, `--ssl-key=${key}`],
      ...['--max-allowed-packet=64M', '--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=16M'],
    ],
    'SIGKILL',
  );
  await running.ready(/ready for connections/);
  return Object.assign(running, { socketPath });
}

export async function startRedis(): Promise<RealServer & { readonly socketPath: string; readonly tlsPort: number }> {
  const folder = new Folder('redis', 'redis');
  const [port, tlsPort] = [await freePort(), await freePort()];
  const { cert, key } = folder.identity;
  const socketPath = join(folder.path, 'redis.sock');
  const running = new Running(
    folder,
    port,
    [
      ...[program('redis-server'), '--bind', HOST, '--port', `${port}`, '--unixsocket', socketPath],
      ...['--tls-port', `${tlsPort}`, '--tls-cert-file', cert, '--tls-key-file', key, '--tls-auth-clients', 'no'],
      ...['--save', '', '--appendonly', 'no', '--dir', folder.path],
    ],
    'SIGKILL',
  );
  await running.ready(/Ready to accept connections/);
  return Object.assign(running, { socketPath, tlsPort });
}
