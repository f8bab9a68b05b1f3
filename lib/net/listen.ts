// Listening: on the addresses of a host, on the file of a Unix domain socket, or on a descriptor that somebody else opened.
//
// The file of a Unix socket is still there when its server has died. It is removed only when a connect is refused, which
// no living server does: its backlog, however full, answers otherwise. But one that is just beginning does, between its
// bind(2) and its listen(2). So a file that was made a moment ago is looked at again for a while.
import { constants } from 'node:os';
import { border } from '../internal/border.js';
import { withSignal } from '../internal/cancel.js';
import {
  LISTEN_IPV6_ONLY,
  LISTEN_REUSE_PORT,
  LISTEN_UNIX,
  SUBMISSION_CLOSE,
  SUBMISSION_DETACH,
} from '../internal/layout.js';
import { Operation, PENDING, REJECTED } from '../internal/operation.js';
import { handlerContext } from '../internal/task-context.js';
import { Alarm } from './alarm.js';
import { openArenas } from './arenas.js';
import { Attempt } from './attempt.js';
import { checkListenOptions, type ListenOptions } from './listen-options.js';
import { Listener } from './listener.js';
import { knownAddresses, Lookup } from './lookup.js';
import { SocketFile } from './socket-file.js';
import { shownPath, systemError } from './system-error.js';

const { EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, ECONNREFUSED, EINVAL, ENOENT, ENOTCONN } = constants.errno;

/** What says that this system does not have the address, and another one may do. */
const UNAVAILABLE: readonly number[] = [-EADDRNOTAVAIL, -EAFNOSUPPORT];
/** No server takes so long from bind(2) to listen(2). */
const BEGINNING_MS = 500;
const LOOK_AGAIN_MS = 50;
/** Others may remove and make the file at the same time. */
const FILE_TRIES = 4;

class Listen extends Operation<Listener> {
  readonly #options: ListenOptions;
  readonly #port: number;
  readonly #backlog: number;
  readonly #flags: number;
  readonly #context = handlerContext();
  #lookup: Lookup | null = null;
  #probe: Attempt | null = null;
  #again: Alarm | null = null;
  /** The file that refused, and for how long it was looked at: its own time may be of another clock. */
  #refused = '';
  #lookedMs = 0;

  constructor(options: ListenOptions) {
    super();
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#backlog = options.backlog ?? 511;
    this.#flags =
      (options.ipv6Only === true ? LISTEN_IPV6_ONLY : 0) | (options.reusePort === true ? LISTEN_REUSE_PORT : 0);
    if (options.fd !== undefined) this.#adopt(options.fd);
    else if (options.path !== undefined) this.#listenOnFile(options.path, FILE_TRIES);
    else if (options.host === undefined) this.#listenOn(['::', '0.0.0.0']);
    else this.#find(options.host);
  }

  get kind(): string {
    return 'net.listen';
  }

  protected onCancel(reason: unknown): void {
    this.#lookup?.cancel(reason);
    this.#probe?.giveUp();
    this.#again?.clear();
  }

  protected override giveBack(listener: Listener): void {
    listener.close();
  }

  #find(host: string): void {
    const known = knownAddresses(host, 0, false);
    if (known !== null) {
      this.#listenOn(known.map(({ address }) => address));
      return;
    }
    this.#lookup = new Lookup(host, 0, undefined);
    if (this.#lookup.state === PENDING) this.#lookup.addWaiter({ wake: () => this.#lookedUp() });
    else this.#lookedUp();
  }

  #lookedUp(): void {
    const lookup = this.#lookup as Lookup;
    if (this.state !== PENDING) return;
    if (lookup.state === REJECTED) this.reject(lookup.value);
    else this.#listenOn(lookup.value.map(({ address }) => address));
  }

  /** On the first address that this system has. */
  #listenOn(addresses: readonly string[]): void {
    let failed = 0;
    let failedAddress = '';
    for (const address of addresses) {
      const handle = this.#bind(address, this.#port, this.#flags, 0);
      if (handle >= 0) {
        this.#listening(handle, null);
        return;
      }
      if (failed === 0 || !UNAVAILABLE.includes(handle)) {
        failed = handle;
        failedAddress = address;
      }
      if (!UNAVAILABLE.includes(handle)) break;
    }
    this.reject(systemError(failed, 'listen', failedAddress, this.#port));
  }

  #listenOnFile(path: string, tries: number): void {
    const handle = this.#bind(path, 0, LISTEN_UNIX, this.#options.mode ?? 0);
    if (handle >= 0) {
      this.#listening(handle, path.startsWith('\0') ? null : SocketFile.at(path));
      return;
    }
    if (handle !== -EADDRINUSE || path.startsWith('\0') || tries === 1) {
      this.#refuse(handle, path);
      return;
    }
    const file = SocketFile.at(path);
    // Gone by now; or no socket, which is found out by trying.
    if (file === null) this.#listenOnFile(path, tries - 1);
    else this.#probeFile(file, path, tries);
  }

  /** Does anybody listen there? */
  #probeFile(file: SocketFile, path: string, tries: number): void {
    const probed = (errno: number): void => {
      this.#probe = null;
      if (errno === -ECONNREFUSED && this.#mayBegin(file)) {
        this.#again ??= new Alarm(() => this.#listenOnFile(path, tries));
        this.#again.set(LOOK_AGAIN_MS);
        return;
      }
      const isGone = errno === -ENOENT || (errno === -ECONNREFUSED && file.remove());
      if (isGone) this.#listenOnFile(path, tries - 1);
      else this.#refuse(-EADDRINUSE, path);
    };
    const handle = border.open().connect(path, 0, LISTEN_UNIX, '', 0);
    if (handle < 0) {
      probed(handle);
      return;
    }
    const attempted = (attempt: Attempt, errno: number): void => {
      if (errno === 0) border.submit(SUBMISSION_CLOSE, attempt.handle, 0, 0);
      probed(errno);
    };
    this.#probe = new Attempt(handle, path, { attempted });
  }

  /** It refuses, but may be somebody's who is about to listen. */
  #mayBegin(file: SocketFile): boolean {
    if (file.identity !== this.#refused) this.#lookedMs = 0;
    this.#refused = file.identity;
    if (file.ageMs >= BEGINNING_MS || this.#lookedMs >= BEGINNING_MS) return false;
    this.#lookedMs += LOOK_AGAIN_MS;
    return true;
  }

  /** What is no listener stays its owner's. */
  #adopt(fd: number): void {
    openArenas();
    const handle = border.open().adopt(fd);
    if (handle < 0) {
      this.reject(systemError(handle === -ENOTCONN ? -EINVAL : handle, 'listen'));
    } else if (typeof border.open().name(handle, true) === 'number') {
      this.#listening(handle, null);
    } else {
      border.submit(SUBMISSION_DETACH, handle, 0, 0);
      this.reject(systemError(-EINVAL, 'listen'));
    }
  }

  #bind(address: string, port: number, flags: number, mode: number): number {
    openArenas();
    return border.open().listen(address, port, this.#backlog, flags, mode);
  }

  #listening(handle: number, file: SocketFile | null): void {
    const name = border.open().name(handle, false);
    if (typeof name === 'number') {
      border.submit(SUBMISSION_CLOSE, handle, 0, 0);
      this.reject(systemError(name, 'getsockname'));
    } else {
      this.fulfill(new Listener(handle, name, this.#options, this.#context, file));
    }
  }

  #refuse(errno: number, path: string): void {
    this.reject(systemError(errno, 'listen', shownPath(path)));
  }
}

/**
 * Listens for connections: on a TCP port, or with `path` on a Unix domain socket, or on the descriptor `fd`. With `open`
 * or `data` handlers, they are given every socket; else take the sockets with `accept()` or `for await`.
 *
 * `signal` cancels the listening while it begins, and closes the listener afterwards, as in Node.
 *
 * The file that a dead server has left at `path` is removed: when it is a socket and a connect to it is refused. Closing
 * removes the file if it is still ours.
 *
 * @example
 * ```ts
 * const listener = await listen({
 *   host: '127.0.0.1',
 *   data(socket, chunk) {
 *     socket.write(chunk);
 *   },
 * });
 * console.log(listener.port); // for example 40123
 * await listener.close();
 * ```
 * @throws SystemError with Node's code (`EADDRINUSE`, `EACCES`, `ENOTSUP` for `reusePort` where the system has none,
 * `EINVAL` for an `fd` that does not listen, ...); the resolver's error; TypeError, RangeError naming the option.
 */
export function listen(options: ListenOptions = {}): Operation<Listener> {
  checkListenOptions(options);
  return withSignal(new Listen(options), options.signal);
}
