// A listener, and what it knows of its sockets.
//
// - Connections come one after the other from the addon: to a handler, to an `accept` that waits, or into `#untaken`.
// - Accepting is paused in the addon while any of these holds: the user has paused it; `maxConnections` sockets are open;
//   many were accepted that nobody has taken. The rest waits in the kernel's backlog. The addon hears of the pause at the
//   end of the tick; what it accepts until then is held back (held.ts), so that no limit is ever exceeded.
// - `close` with `drainMs` and `detach` take what was accepted before they were called to its end, and so let go of the
//   descriptor by Detach: an accept that completes meanwhile is still told. After a plain `close` it is reset.
import { closeSync } from 'node:fs';
import { border } from '../internal/border.js';
import { type CancelSource, CancelToken, checkDelay } from '../internal/cancel.js';
import { checkInteger, checkObject, MillraceError } from '../internal/errors.js';
import {
  COMPLETION_ACCEPT,
  COMPLETION_CLOSED,
  COMPLETION_ERROR,
  RESET,
  SUBMISSION_CLOSE,
  SUBMISSION_DETACH,
  SUBMISSION_PAUSE,
  SUBMISSION_RESUME,
  SUBMISSION_SOCKET_REF,
} from '../internal/layout.js';
import { Operation, SharedOperation } from '../internal/operation.js';
import { type Runnable, scheduler } from '../internal/scheduler.js';
import { outsideTasks, type Snapshot } from '../internal/task-context.js';
import type { SocketAddress } from './address.js';
import { Draining } from './draining.js';
import { type Endpoint, endpoints } from './endpoints.js';
import { Held } from './held.js';
import { CONNECTIONS_MAX, type ListenOptions } from './listen-options.js';
import { Detached } from './rare.js';
import { Socket } from './socket.js';
import type { SocketFile } from './socket-file.js';
import { systemError } from './system-error.js';

/** Sockets that were accepted and that nobody has taken by `accept` yet, above which no more are accepted. */
const UNTAKEN_MAX = 1024;
/** Accepting goes on when so many are left. */
const UNTAKEN_LOW = UNTAKEN_MAX / 2;

export interface CloseOptions {
  /**
   * How long the sockets that were accepted may take to end, in milliseconds from 0 to 7.2e10. Those that are left then
   * are destroyed. Without it, they are nobody's business but their own.
   */
  drainMs?: number;
}

class Closed extends SharedOperation<void> {
  get kind(): string {
    return 'listener.close';
  }
  protected onCancel(): void {}
}

/**
 * Accepts connections. Its sockets are given to the handlers of `listen`, or to `accept` where there are none. Made by
 * `listen`.
 */
export class Listener implements Endpoint, AsyncIterable<Socket>, Runnable {
  /** @internal */
  handle: number;
  /** Where it listens. */
  readonly address: SocketAddress;
  /** Connections accepted so far. */
  accepted = 0;
  readonly #options: ListenOptions;
  readonly #context: Snapshot | null;
  readonly #handled: boolean;
  readonly #file: SocketFile | null;
  #maxConnections: number;
  #connections = 0;
  #untaken: Socket[] = [];
  #held: Held[] = [];
  readonly #waiting: Accept[] = [];
  #paused = false;
  /** Paused in the addon, for whatever reason. */
  #pausedBelow = false;
  #queued = false;
  #closing = false;
  #ended = false;
  #closed: Closed | null = null;
  #draining: Draining | null = null;
  #detached: Detached | null = null;
  #unlink: (() => void) | null = null;

  /** @internal Use `listen`. */
  constructor(
    handle: number,
    address: SocketAddress,
    options: ListenOptions,
    context: Snapshot | null,
    file: SocketFile | null,
  ) {
    this.handle = handle;
    this.address = address;
    this.#options = options;
    this.#context = context;
    this.#handled = options.open !== undefined || options.data !== undefined;
    this.#maxConnections = options.maxConnections ?? CONNECTIONS_MAX;
    this.#file = file;
    endpoints.add(this);
    border.keepAlive();
    if (options.signal !== undefined) this.#closeWith(options.signal);
  }

  /** 0 for a Unix domain socket. */
  get port(): number {
    return this.address.port;
  }

  /** Sockets of this listener that are open, those included that nobody has taken yet. */
  get connections(): number {
    return this.#connections;
  }

  /** Accepting pauses while so many are open; those above it wait in the backlog. 1 to 2^31 - 1. */
  get maxConnections(): number {
    return this.#maxConnections;
  }

  /** @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`). */
  set maxConnections(max: number) {
    checkInteger(max, 'maxConnections', 1, CONNECTIONS_MAX);
    this.#maxConnections = max;
    this.#regulate();
  }

  /** True from `pause` to `resume`. */
  get paused(): boolean {
    return this.#paused;
  }

  /** True from the moment that `close` or `detach` is called, or its signal aborts. Handlers may end their sockets then. */
  get closing(): boolean {
    return this.#closing;
  }

  /** The descriptor's number, to be inherited by another process; it stays the listener's. -1 when it is closed. */
  get fd(): number {
    return this.#closing ? -1 : Math.max(border.open().descriptor(this.handle), -1);
  }

  /** The sockets of this listener that are open now. */
  sockets(): Socket[] {
    return endpoints.filter((endpoint): endpoint is Socket => endpoint instanceof Socket && endpoint.owner === this);
  }

  /**
   * The next connection; null when the listener is closed. Only where `listen` was given no `open` or `data` handler.
   * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` where there are handlers.
   */
  accept(): Operation<Socket | null> {
    if (this.#handled) {
      throw new MillraceError(
        'ERR_MILLRACE_INVALID_STATE',
        'This listener gives its sockets to handlers; accept() would get none',
      );
    }
    return new Accept(this);
  }

  /** Accepts nothing until `resume`: connections wait in the kernel's backlog, and are refused when that is full. */
  pause(): this {
    this.#paused = true;
    this.#regulate();
    return this;
  }

  resume(): this {
    this.#paused = false;
    this.#regulate();
    return this;
  }

  /**
   * Stops listening. The sockets that were accepted live on, but those that nobody has taken are reset.
   *
   * With `drainMs` it is done when all sockets of the listener have ended, of their own accord or because the time was
   * over, and gives how many had to be destroyed. What was accepted and not taken yet can still be taken. Called again
   * with less time, it takes less.
   *
   * @example
   * ```ts
   * const listener = await listen({
   *   host: '127.0.0.1',
   *   data(socket, chunk) {
   *     socket.write(chunk);
   *     if (listener.closing) socket.close(); // no more requests on this one
   *   },
   *   closing(listener) {
   *     for (const socket of listener.sockets()) if (socket.bytesQueued === 0) socket.close(); // the idle ones
   *   },
   * });
   * const destroyed = await listener.close({ drainMs: 5000 });
   * console.log(destroyed); // 0
   * ```
   * @throws TypeError, RangeError naming the option.
   */
  close(): Operation<void>;
  close(options: CloseOptions): Operation<number>;
  close(options: CloseOptions = {}): Operation<void> | Operation<number> {
    checkObject(options, 'options');
    const { drainMs } = options;
    if (drainMs !== undefined) {
      checkDelay(drainMs, 'options.drainMs');
      return this.#drain(drainMs);
    }
    this.#closed ??= new Closed();
    if (this.#ended) this.#closed.fulfill(undefined);
    else if (!this.#closing) this.#stop(SUBMISSION_CLOSE);
    return this.#closed;
  }

  /**
   * Stops listening, and gives the descriptor, which goes on listening: whoever gets it has to close it. Connections wait
   * in its backlog meanwhile. What was accepted and not taken yet can still be taken; the file of `path` stays.
   * @throws MillraceError `ERR_MILLRACE_INVALID_STATE` when it is closing already. Cancelled: the descriptor is closed
   * when it comes.
   */
  detach(): Operation<number> {
    if (this.#closing) throw new MillraceError('ERR_MILLRACE_INVALID_STATE', 'This listener is closing or closed');
    this.#detached = new Detached();
    this.#stop(SUBMISSION_DETACH);
    return this.#detached;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Socket, void, undefined> {
    for (;;) {
      const socket = await this.accept();
      if (socket === null) return;
      yield socket;
    }
  }

  /** Keeps the process alive while it listens, which is the default. */
  ref(): this {
    if (!this.#ended) border.submit(SUBMISSION_SOCKET_REF, this.handle, 1, 0);
    return this;
  }

  unref(): this {
    if (!this.#ended) border.submit(SUBMISSION_SOCKET_REF, this.handle, 0, 0);
    return this;
  }

  /** @internal */
  complete(kind: number, a: number, b: number): void {
    if (kind === COMPLETION_ACCEPT) this.#accept(a);
    else if (kind === COMPLETION_ERROR) this.#tell(systemError(a | 0, b, this.address.address, this.port));
    else if (kind === COMPLETION_CLOSED) this.#letGo(b - 1);
  }

  /** @internal One of its sockets has ended. */
  socketClosed(): void {
    this.#connections--;
    if (this.#pausedBelow || this.#held.length > 0) this.#regulate();
    this.#draining?.check();
  }

  /** @internal There is room again for some that were held back. User code may run now. */
  run(): void {
    this.#queued = false;
    outsideTasks(() => {
      while (this.#held.length > 0 && this.#hasRoom) this.#admit((this.#held.shift() as Held).release());
    });
    this.#regulate();
    this.#tellEnd();
  }

  /** @internal */
  unhold(held: Held, admit: boolean): Socket | null {
    const at = this.#held.indexOf(held);
    if (at >= 0) this.#held.splice(at, 1);
    const socket = admit && at >= 0 ? this.#admit(held.release()) : null;
    this.#tellEnd();
    return socket;
  }

  /** @internal Nothing more comes from it, and nothing of it is left. */
  get drained(): boolean {
    return this.#isOver && this.#connections === 0;
  }

  /** @internal @returns how many there were. */
  destroyAll(): number {
    const sockets = this.sockets();
    for (const socket of sockets) socket.destroy();
    for (const held of this.#held) held.destroy();
    return sockets.length + this.#held.length;
  }

  /** @internal */
  take(accept: Accept): void {
    const socket = this.#untaken.shift();
    if (socket !== undefined) {
      accept.fulfill(socket);
      if (this.#pausedBelow) this.#regulate();
    } else if (this.#closing && (!this.#takesAll || this.#isOver)) {
      accept.fulfill(null);
    } else {
      this.#waiting.push(accept);
    }
  }

  /** @internal */
  drop(accept: Accept): void {
    const at = this.#waiting.indexOf(accept);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** @internal */
  putBack(socket: Socket): void {
    const accept = this.#waiting.shift();
    if (accept !== undefined) accept.fulfill(socket);
    else if (this.#ended && !this.#takesAll) socket.destroy();
    else this.#untaken.unshift(socket);
  }

  /** What was accepted before the end is still somebody's. */
  get #takesAll(): boolean {
    return this.#draining !== null || this.#detached !== null;
  }

  /** Nobody else will come. */
  get #isOver(): boolean {
    return this.#ended && this.#held.length === 0;
  }

  get #hasRoom(): boolean {
    return this.#connections < this.#maxConnections && (!this.#paused || this.#closing);
  }

  #accept(handle: number): void {
    if (this.#closing && (!this.#takesAll || this.#draining?.outOfTime)) {
      border.submit(SUBMISSION_CLOSE | RESET, handle, 0, 0);
      return;
    }
    this.accepted++;
    // Those that came before go first.
    if (this.#held.length > 0 || !this.#hasRoom) this.#held.push(new Held(handle, this));
    else this.#admit(handle);
    this.#regulate();
  }

  #admit(handle: number): Socket | null {
    let socket: Socket;
    try {
      socket = new Socket(handle, this.#options, this.#context, this);
    } catch (error) {
      // The options are not any more what they were when they were checked.
      border.submit(SUBMISSION_CLOSE | RESET, handle, 0, 0);
      this.#tell(error as Error);
      return null;
    }
    this.#connections++;
    if (this.#handled) {
      socket.opened();
      return socket;
    }
    const accept = this.#waiting.shift();
    if (accept !== undefined) accept.fulfill(socket);
    else this.#untaken.push(socket);
    return socket;
  }

  /** Tells the addon whether to accept, and lets in what was held back when there is room. */
  #regulate(): void {
    if (this.#held.length > 0 && this.#hasRoom && !this.#queued) {
      this.#queued = true;
      scheduler.enqueue(this);
    }
    if (this.#closing) return;
    const untakenMax = this.#pausedBelow ? UNTAKEN_LOW : UNTAKEN_MAX - 1;
    const pause = !this.#hasRoom || this.#held.length > 0 || this.#untaken.length > untakenMax;
    if (pause === this.#pausedBelow) return;
    this.#pausedBelow = pause;
    border.submit(pause ? SUBMISSION_PAUSE : SUBMISSION_RESUME, this.handle, 0, 0);
  }

  #drain(drainMs: number): Operation<number> {
    this.#draining ??= new Draining(this);
    this.#draining.within(drainMs);
    if (!this.#closing) this.#stop(SUBMISSION_DETACH);
    else this.#draining.check();
    return this.#draining;
  }

  #stop(submission: number): void {
    this.#closing = true;
    // Before the descriptor is closed: who listens there next finds the place free.
    if (this.#detached === null) this.#file?.remove();
    if (!this.#takesAll) for (const held of this.#held.splice(0)) held.destroy();
    border.submit(submission, this.handle, 0, 0);
    const { closing } = this.#options;
    if (closing !== undefined) this.#call(() => closing.call(this.#options, this));
  }

  #tell(error: Error): void {
    const { listenError } = this.#options;
    if (listenError === undefined) {
      process.emitWarning(error.message, { type: 'MillraceWarning', code: (error as Error & { code: string }).code });
    } else {
      this.#call(() => listenError.call(this.#options, error));
    }
  }

  /** What a handler of the listener throws is an uncaught exception: there is nobody else to tell. */
  #call(handler: () => void): void {
    try {
      if (this.#context === null) handler();
      else this.#context(handler, undefined);
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown;
      });
    }
  }

  /** Nothing is accepted any more. A descriptor that nobody asked for is ours to close. */
  #letGo(descriptor: number): void {
    endpoints.remove(this);
    if (this.#detached !== null) {
      this.#detached.arrive(descriptor, new MillraceError('ERR_MILLRACE_INVALID_STATE', 'This listener is closed'));
    } else if (descriptor >= 0) {
      const handle = border.open().adopt(descriptor);
      if (handle >= 0) {
        this.handle = handle;
        endpoints.add(this);
        border.submit(SUBMISSION_CLOSE, handle, 0, 0);
        return;
      }
      closeSync(descriptor);
    }
    this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    this.#unlink?.();
    if (!this.#takesAll) for (const socket of this.#untaken.splice(0)) socket.destroy();
    this.#closed?.fulfill(undefined);
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (!this.#isOver) return;
    for (const accept of this.#waiting.splice(0)) accept.fulfill(null);
    this.#draining?.check();
  }

  #closeWith(signal: CancelSource): void {
    const close = (): void => void this.close();
    if (signal instanceof CancelToken) {
      const listening = { cancel: close };
      signal.attach(listening);
      this.#unlink = () => signal.detach(listening);
    } else {
      signal.addEventListener('abort', close, { once: true });
      this.#unlink = () => signal.removeEventListener('abort', close);
    }
  }
}

class Accept extends Operation<Socket | null> {
  readonly #listener: Listener;

  constructor(listener: Listener) {
    super();
    this.#listener = listener;
    listener.take(this);
  }

  get kind(): string {
    return 'listener.accept';
  }

  protected onCancel(): void {
    this.#listener.drop(this);
  }

  protected override giveBack(socket: Socket | null): void {
    if (socket !== null) this.#listener.putBack(socket);
  }
}
