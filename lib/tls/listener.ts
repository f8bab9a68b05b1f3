import { checkObject, MillraceError } from '../internal/errors.js';
import { Operation, PENDING } from '../internal/operation.js';
import type { SocketAddress } from '../net/address.js';
import type { CloseOptions, Listener } from '../net/listener.js';
import type { Socket } from '../net/socket.js';
import { SecureContext, type TlsContextOptions, toSecureContext } from './context.js';
import type { ListenOptions } from './options.js';
import { answerSni, chooserOf } from './sni.js';
import { type HandshakeOwner, type TlsSettings, TlsSocket } from './socket.js';

/** Connections whose handshake has ended and that nobody has taken by `accept` yet. */
const UNTAKEN_MAX = 1024;

/** A TLS listener. Its sockets are given to the handlers of `listen`, or to `accept` where there are none. */
export class TlsListener implements HandshakeOwner, AsyncIterable<TlsSocket> {
  /** Handshakes that have ended well so far. */
  secured = 0;
  /** Connections that were refused, or gone, before their handshake had ended. */
  failed = 0;
  #net: Listener | null = null;
  #settings: TlsSettings;
  readonly #options: ListenOptions;
  readonly #choose: ReturnType<typeof chooserOf> | null;
  readonly #handled: boolean;
  readonly #untaken: TlsSocket[] = [];
  readonly #waiting: Accept[] = [];
  /** In the middle of their handshake. */
  readonly #handshaking = new Set<TlsSocket>();
  #ended = false;
  /** What was accepted before the end is still somebody's. */
  #gentle = false;
  /** It ends with the last handshake. */
  #settling = false;

  /** @internal Use `listen`. */
  constructor(options: ListenOptions, settings: TlsSettings) {
    this.#options = options;
    this.#settings = settings;
    this.#choose = options.sni === undefined ? null : chooserOf(options.sni);
    this.#handled = options.open !== undefined || options.data !== undefined;
  }

  /** @internal */
  attach(net: Listener): void {
    this.#net = net;
  }

  /** Where it listens. */
  get address(): SocketAddress {
    return this.#listener.address;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Connections accepted so far, whatever became of their handshakes. */
  get accepted(): number {
    return this.#listener.accepted;
  }

  /** Connections in the middle of their handshake. */
  get handshaking(): number {
    return this.#handshaking.size;
  }

  /** The next connection; null when the listener is closed. Only where `listen` was given no `open` or `data` handler. */
  accept(): Operation<TlsSocket | null> {
    if (this.#handled) {
      throw new MillraceError(
        'ERR_MILLRACE_INVALID_STATE',
        'This listener gives its sockets to handlers; accept() would get none',
      );
    }
    return new Accept(this);
  }

  /**
   * Keys, certificates and rules for connections that come from now on; those that there are go on with theirs. Sessions
   * of before can still be resumed, unless clients' certificates are asked for, or other `ticketKeys` are given.
   *
   * @throws as `createSecureContext`; then all stays as it was.
   */
  setSecureContext(context: SecureContext | TlsContextOptions): void {
    checkObject(context, 'context');
    const keep = !(context instanceof SecureContext) && !this.#settings.requestCert && context.ticketKeys === undefined;
    const next = toSecureContext(
      keep ? { ...context, ticketKeys: this.#settings.context.ticketKeys } : context,
      'context',
    );
    this.#settings = { ...this.#settings, context: next };
  }

  /** The context of connections that come now. */
  get secureContext(): SecureContext {
    return this.#settings.context;
  }

  /** The sockets of this listener that are open now. */
  sockets(): TlsSocket[] {
    return this.#listener.sockets().flatMap(({ data }) => (data instanceof TlsSocket && data.open ? [data] : []));
  }

  /** Connections of this listener, those included that are in the middle of their handshake. */
  get connections(): number {
    return this.#listener.connections;
  }

  /** As `Listener.maxConnections` of `millrace/net`. */
  get maxConnections(): number {
    return this.#listener.maxConnections;
  }

  set maxConnections(max: number) {
    this.#listener.maxConnections = max;
  }

  /** True from `pause` to `resume`. */
  get paused(): boolean {
    return this.#listener.paused;
  }

  /** True from the moment that `close` or `detach` is called, or its signal aborts. */
  get closing(): boolean {
    return this.#listener.closing;
  }

  /** As `Listener.fd` of `millrace/net`. */
  get fd(): number {
    return this.#listener.fd;
  }

  /** Accepts nothing until `resume`: connections wait in the kernel's backlog, and are refused when that is full. */
  pause(): this {
    this.#listener.pause();
    return this;
  }

  resume(): this {
    this.#listener.resume();
    return this;
  }

  /**
   * As `Listener.close` of `millrace/net`: stops listening. The sockets that were accepted live on, but those that nobody
   * has taken are reset. With `drainMs` it waits for them, and gives how many had to be destroyed.
   * @throws TypeError, RangeError naming the option.
   */
  close(): Operation<void>;
  close(options: CloseOptions): Operation<number>;
  close(options?: CloseOptions): Operation<void> | Operation<number> {
    if (options?.drainMs === undefined) {
      const closed = this.#listener.close(options ?? {});
      this.#endAccepts();
      return closed;
    }
    this.#gentle = true;
    const drained = this.#listener.close(options);
    if (drained.state === PENDING) drained.addWaiter({ wake: () => this.#endAccepts() });
    else this.#endAccepts();
    return drained;
  }

  /** As `Listener.detach` of `millrace/net`: the descriptor goes on listening. Handshakes under way go on. */
  detach(): Operation<number> {
    this.#gentle = true;
    const detached = this.#listener.detach();
    detached.addWaiter({ wake: () => this.#endWhenSettled() });
    return detached;
  }

  #endAccepts(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const accept of this.#waiting.splice(0)) accept.fulfill(null);
    if (!this.#gentle) for (const socket of this.#untaken.splice(0)) socket.destroy();
    if (this.#handled || this.#gentle) return;
    // With nobody to take them, they end here.
    for (const socket of this.#handshaking) socket.abandon();
    this.#handshaking.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TlsSocket, void, undefined> {
    for (;;) {
      const socket = await this.accept();
      if (socket === null) return;
      yield socket;
    }
  }

  /** Keeps the process alive while it listens, which is the default. */
  ref(): this {
    this.#listener.ref();
    return this;
  }

  unref(): this {
    this.#listener.unref();
    return this;
  }

  /** @internal The plain listener is closing: by `close`, `detach` or its signal. */
  beginClose(): void {
    this.#options.closing?.(this);
    if (this.#gentle) return;
    const closed = this.#listener.close();
    if (closed.state === PENDING) closed.addWaiter({ wake: () => this.#endAccepts() });
    else this.#endAccepts();
  }

  /** After `detach`: those who wait in `accept` may still be given what is in its handshake. */
  #endWhenSettled(): void {
    this.#settling = true;
    if (this.#handshaking.size === 0) this.#endAccepts();
  }

  /** @internal */
  connected(net: Socket): void {
    let socket: TlsSocket;
    try {
      socket = new TlsSocket(net, this.#settings, this);
    } catch (error) {
      net.destroy();
      this.#tell(error as Error, null);
      return;
    }
    this.#handshaking.add(socket);
    socket.start(null);
  }

  /** @internal */
  handshakeDone(socket: TlsSocket): void {
    this.#handshaking.delete(socket);
    this.secured++;
    if (this.#handled) {
      socket.opened();
      return;
    }
    const accept = this.#waiting.shift();
    if (accept !== undefined) accept.fulfill(socket);
    else if (this.#untaken.length < UNTAKEN_MAX && !this.#ended) this.#untaken.push(socket);
    else socket.destroy();
    if (this.#settling) this.#endWhenSettled();
  }

  /** @internal */
  handshakeFailed(socket: TlsSocket, error: Error): void {
    this.#handshaking.delete(socket);
    let remote: string | null = null;
    try {
      remote = socket.remoteAddress.address;
    } catch {
      // It has gone already.
    }
    this.#tell(error, remote);
    if (this.#settling) this.#endWhenSettled();
  }

  /** @internal */
  wantsContext(socket: TlsSocket, servername: string): void {
    if (this.#choose === null) socket.select(null);
    else answerSni(socket, servername, this.#choose);
  }

  /** @internal */
  take(accept: Accept): void {
    const socket = this.#untaken.shift();
    if (socket !== undefined) accept.fulfill(socket);
    else if (this.#ended) accept.fulfill(null);
    else this.#waiting.push(accept);
  }

  /** @internal */
  drop(accept: Accept): void {
    const at = this.#waiting.indexOf(accept);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** @internal */
  putBack(socket: TlsSocket): void {
    const accept = this.#waiting.shift();
    if (accept !== undefined) accept.fulfill(socket);
    else if (this.#ended) socket.destroy();
    else this.#untaken.unshift(socket);
  }

  get #listener(): Listener {
    return this.#net as Listener;
  }

  #tell(error: Error, remoteAddress: string | null): void {
    this.failed++;
    try {
      this.#options.handshakeError?.(error, remoteAddress);
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown;
      });
    }
  }
}

class Accept extends Operation<TlsSocket | null> {
  readonly #listener: TlsListener;

  constructor(listener: TlsListener) {
    super();
    this.#listener = listener;
    listener.take(this);
  }

  get kind(): string {
    return 'tls.accept';
  }

  protected onCancel(): void {
    this.#listener.drop(this);
  }

  protected override giveBack(socket: TlsSocket | null): void {
    if (socket !== null) this.#listener.putBack(socket);
  }
}
