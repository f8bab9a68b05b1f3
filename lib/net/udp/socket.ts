// A UDP socket, with two faces: a handler for each datagram, or datagrams to wait for.
//
// States: open -> closing -> closed. DatagramClosed is the last thing that is heard of a handle. Datagrams are sent when
// the tick ends, or the ring or the arena for sending is full: all of one socket in as few system calls as they need.
// Without a `message` handler datagrams are copied into a queue; above the high watermark the addon stops receiving.
import { Buffer } from 'node:buffer';
import { constants } from 'node:os';
import { border } from '../../internal/border.js';
import { checkInteger, invalidType, MillraceError, shown } from '../../internal/errors.js';
import { interfaceName } from '../../internal/ip.js';
import {
  COMPLETION_DATAGRAM_CLOSED,
  COMPLETION_DATAGRAM_DRAIN,
  COMPLETION_DATAGRAMS,
  DATAGRAM_ADDRESSED,
  DATAGRAM_IPV6,
  DATAGRAM_OPTION_DROPPED,
  DATAGRAM_RECEIVED,
  DATAGRAM_TRUNCATED,
  DATAGRAM_WORD_HANDLE,
  DATAGRAM_WORD_LENGTH,
  DATAGRAM_WORD_OFFSET,
  DATAGRAM_WORD_PORT,
  DATAGRAM_WORD_WORDS,
  RESET,
  SLOT_MASK,
  SUBMISSION_DATAGRAM_CLOSE,
  SUBMISSION_DATAGRAM_NOTIFY_DRAIN,
  SUBMISSION_DATAGRAM_READ,
  SUBMISSION_DATAGRAM_REF,
  SYSCALL_READ,
} from '../../internal/layout.js';
import { type Operation, SharedOperation } from '../../internal/operation.js';
import type { Snapshot } from '../../internal/task-context.js';
import type { SocketAddress } from '../address.js';
import { Chunk } from '../chunk.js';
import { bytesOf, type Data } from '../data.js';
import { lowWaterMarkOf } from '../options.js';
import { systemError } from '../system-error.js';
import { Drained, type WriteResult, written } from '../written.js';
import { Datagram } from './datagram.js';
import { openUdpMemory, type UdpMemory } from './memory.js';
import {
  checkInterface,
  checkSettings,
  HIGH_WATER_MARK,
  type MembershipOptions,
  SEND_LIMIT,
  SETTINGS,
  type UdpHandlers,
  type UdpOptions,
  type UdpSettings,
} from './options.js';
import { peerAt, peerOf } from './peer.js';
import { Receive, ReceiveMany, ReceiveQueue } from './receive-queue.js';
import { type UdpEndpoint, udpSockets } from './sockets.js';

/** What can be sent as a datagram. Strings are sent as UTF-8. */
export type UdpData = Data | Datagram;

/** Where to: a peer, the sender of a datagram, or an IP address and a port. */
export type UdpDestination = Datagram | { readonly address: string; readonly port: number };

type MessageHandler = NonNullable<UdpHandlers['message']>;

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** A datagram's length in its packet's 16 bits, less the headers. */
const IPV4_BYTES_MAX = 65_507;
const IPV6_BYTES_MAX = 65_527;

class Closed extends SharedOperation<void> {
  get kind(): string {
    return 'udp.close';
  }
  protected onCancel(): void {}
}

export class UdpSocket implements UdpEndpoint, AsyncIterable<Datagram> {
  /** @internal */
  readonly handle: number;
  /** For the user: whatever belongs to this socket. */
  data: unknown = undefined;
  /** Datagrams that were delivered to the handler or the queue. */
  received = 0;
  /** Datagrams given to `send`. */
  sent = 0;
  /** Errors that the network told. */
  errors = 0;

  readonly #memory: UdpMemory;
  readonly #slot: number;
  readonly #handlers: UdpHandlers;
  readonly #onMessage: MessageHandler | null;
  readonly #context: Snapshot | null;
  readonly #highWaterMark: number;
  readonly #lowWaterMark: number;
  readonly #sendLimit: number;
  readonly #bytesMax: number;
  #connected: boolean;
  #state = OPEN;
  #paused = false;
  /** Paused because too much was received that nobody has taken. */
  #full = false;
  #error: Error | null = null;
  #drained: Drained | null = null;
  #closed: Closed | null = null;
  #queue: ReceiveQueue | null = null;

  /** @internal Use `bindUdp` or `connectUdp`. */
  constructor(handle: number, options: UdpOptions, connected: boolean, context: Snapshot | null) {
    this.handle = handle;
    this.#memory = openUdpMemory();
    this.#slot = handle & SLOT_MASK;
    this.#handlers = options;
    this.#onMessage = options.message ?? null;
    this.#context = context;
    this.#highWaterMark = options.highWaterMark ?? HIGH_WATER_MARK;
    this.#lowWaterMark = lowWaterMarkOf(this.#highWaterMark, options.lowWaterMark);
    this.#sendLimit = options.sendLimit ?? SEND_LIMIT;
    this.#connected = connected;
    this.#bytesMax = this.localAddress.family === 'IPv6' ? IPV6_BYTES_MAX : IPV4_BYTES_MAX;
    udpSockets.add(this);
    border.keepAlive();
  }

  /** True until `close`, `destroy` or a handler that throws. */
  get open(): boolean {
    return this.#state === OPEN;
  }

  /** True when everything about this socket is over. */
  get closed(): boolean {
    return this.#state === CLOSED;
  }

  /** Where it is bound. @throws SystemError when the socket is closed. */
  get localAddress(): SocketAddress {
    return this.#name(false);
  }

  /** Where it is connected to. @throws SystemError `ENOTCONN`; `EBADF` when the socket is closed. */
  get remoteAddress(): SocketAddress {
    return this.#name(true);
  }

  /** The local port. */
  get port(): number {
    return this.localAddress.port;
  }

  /** Bytes that wait because the kernel had no room, and 64 for each of their datagrams. */
  get bytesQueued(): number {
    return this.#state === CLOSED ? 0 : (this.#memory.queuedBytes[this.#slot] as number);
  }

  /**
   * What the kernel dropped because its receive buffer was full, as the kernel counts it: datagrams, but those of one peer
   * that came together (`UDP_GRO`) count as one. @throws SystemError `ENOTSUP` but on Linux.
   */
  get dropped(): number {
    return this.#option(DATAGRAM_OPTION_DROPPED, 'getsockopt');
  }

  /**
   * Sends one datagram; on a connected socket without `to`. What is returned is done already while there is room; above
   * the high watermark, when the kernel takes fewer than are sent, it is done when they have left: `await` it, or stop
   * sending until the `drain` handler is called.
   *
   * Done means that the datagram leaves this machine or is lost, as UDP's are. What goes wrong later is told to the `error`
   * handler, or to `receive`. The bytes are copied; the caller may use its memory again.
   * @throws MillraceError `ERR_MILLRACE_SOCKET_CLOSED`; `ERR_MILLRACE_SOCKET_LIMIT` when more than `sendLimit` bytes wait;
   * `ERR_MILLRACE_CHUNK_DEAD`; `ERR_MILLRACE_INVALID_STATE` for `to` on a connected socket, or none on another; SystemError
   * `EMSGSIZE` for more than 65,507 bytes (IPv6: 65,527); TypeError (`ERR_INVALID_ARG_TYPE`), RangeError
   * (`ERR_OUT_OF_RANGE`).
   */
  send(data: UdpData, to?: UdpDestination): WriteResult {
    if (this.#state !== OPEN) throw this.#error ?? closedError();
    const queued = this.#memory.queuedBytes[this.#slot] as number;
    if (queued > this.#sendLimit) throw this.#overLimit(queued);
    if ((to === undefined) !== this.#connected) throw this.#wrongDestination(to);
    this.#put(data, to);
    this.sent++;
    return queued <= this.#highWaterMark && this.#drained === null ? written() : this.#waitForDrain();
  }

  /**
   * Sends many datagrams to one destination, in their order; done when each of them is, as `send` is.
   * @throws as `send`; those before the one that cannot be sent are sent.
   */
  sendMany(datagrams: Iterable<UdpData>, to?: UdpDestination): WriteResult {
    if (datagrams === null || typeof datagrams !== 'object' || !(Symbol.iterator in datagrams))
      throw invalidType('datagrams', 'an array or another iterable', datagrams);
    const destination = to === undefined || to instanceof Datagram ? to : peerOf(to);
    let last = written();
    for (const data of datagrams) last = this.send(data, destination);
    return last;
  }

  /**
   * The next datagram; null when the socket is closed. It is yours, bytes and all. Only without a `message` handler.
   * @throws an error that the network told (see the `error` handler), if there is no handler for it; the socket lives on.
   */
  receive(): Operation<Datagram | null> {
    return new Receive(this.#receiveQueue());
  }

  /**
   * As many datagrams as have come, at least one and at most `most` (1 to 65,536; default 1,024); null when the socket is
   * closed.
   * @throws as `receive`.
   */
  receiveMany(most = 1024): Operation<Datagram[] | null> {
    checkInteger(most, 'most', 1, 65_536);
    return new ReceiveMany(this.#receiveQueue(), most);
  }

  /**
   * Sends to this peer only from now on, and receives from no other; it may be called again for another one.
   * @throws SystemError (`ENETUNREACH`, ...); MillraceError `ERR_MILLRACE_SOCKET_CLOSED`; TypeError, RangeError.
   */
  connect(to: UdpDestination): void {
    if (this.#state !== OPEN) throw this.#error ?? closedError();
    const { address, port } = to instanceof Datagram ? to.from : peerOf(to);
    const addon = border.open();
    // What was sent without a peer must not leave with one.
    addon.flush();
    const status = addon.connectDatagrams(this.handle, address, port);
    if (status < 0) throw systemError(status, 'connect', address, port);
    this.#connected = true;
  }

  /**
   * Receives what is sent to the multicast group at this port, too.
   * @throws SystemError (`ENODEV`: no such interface, `EADDRINUSE`: joined already, `EINVAL`: no multicast address);
   * TypeError, RangeError.
   */
  join(group: string, options: MembershipOptions = {}): void {
    this.#membership(true, group, options);
  }

  /** Ends what `join` with the same arguments began. @throws as `join`; `EADDRNOTAVAIL` when it was not joined. */
  leave(group: string, options: MembershipOptions = {}): void {
    this.#membership(false, group, options);
  }

  /** Changes what is given; the rest stays as it is. @throws SystemError, TypeError, RangeError naming the option. */
  setOptions(settings: UdpSettings): void {
    checkSettings(settings);
    if (this.#state !== OPEN) throw this.#error ?? closedError();
    const addon = border.open();
    // What was sent before goes with the settings of its time.
    addon.flush();
    for (const [name, option] of SETTINGS) {
      const value = settings[name];
      if (value === undefined) continue;
      const status = addon.datagramOption(this.handle, option, Number(value));
      if (status < 0) throw systemError(status, 'setsockopt');
    }
    const { multicastInterface } = settings;
    if (multicastInterface === undefined) return;
    const status = addon.datagramInterface(this.handle, interfaceName(multicastInterface) ?? multicastInterface);
    if (status < 0) throw systemError(status, 'setsockopt');
  }

  /** What a setting is now, as the kernel has it: booleans are 0 or 1. @throws SystemError, TypeError. */
  getOption(name: Exclude<keyof UdpSettings, 'multicastInterface'>): number {
    const setting = SETTINGS.find(([known]) => known === name);
    if (setting === undefined) throw invalidType('name', SETTINGS.map(([known]) => known).join(', '), name);
    return this.#option(setting[1], 'getsockopt');
  }

  /** Closes when what waits to be sent has left. Done when the socket is closed. Closing twice is the same as once. */
  close(): Operation<void> {
    this.#closed ??= new Closed();
    if (this.#state === CLOSED) this.#closed.fulfill(undefined);
    else if (this.#state === OPEN) this.#submitClose(0);
    return this.#closed;
  }

  /** Closes at once: what waits to be sent is lost. */
  destroy(): void {
    if (this.#state !== CLOSED) this.#submitClose(RESET);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Stops receiving; what comes waits in the kernel's buffer, and is dropped when that is full. */
  pause(): void {
    this.#hold(true, this.#full);
  }

  /** Goes on receiving; a socket from which nobody receives still pauses by itself. */
  resume(): void {
    this.#hold(false, this.#full);
  }

  /** Keeps the process alive while the socket is open, which is the default. */
  ref(): this {
    if (this.#state !== CLOSED) border.submit(SUBMISSION_DATAGRAM_REF, this.handle, 1, 0);
    return this;
  }

  unref(): this {
    if (this.#state !== CLOSED) border.submit(SUBMISSION_DATAGRAM_REF, this.handle, 0, 0);
    return this;
  }

  /** `for await (const datagram of socket)`: leaving the loop early closes the socket. */
  [Symbol.asyncIterator](): AsyncIterator<Datagram, undefined> {
    return {
      next: async () => {
        const value = await this.receive();
        return value === null ? { done: true, value: undefined } : { done: false, value };
      },
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** @internal */
  complete(kind: number, a: number, b: number): void {
    if (kind === COMPLETION_DATAGRAM_CLOSED) {
      this.#finish(a);
    } else if (this.#state !== OPEN) {
      // A handler of this tick has closed it: only its end is told any more.
    } else if (kind === COMPLETION_DATAGRAM_DRAIN) {
      this.#drain();
    } else if (kind === COMPLETION_DATAGRAMS) {
      if (this.#onMessage !== null) this.#deliver(a, b);
      else this.#enqueue(a, b);
    }
  }

  #deliver(first: number, count: number): void {
    const { received, receives } = this.#memory;
    const onMessage = this.#onMessage as MessageHandler;
    const end = (first + count) * DATAGRAM_WORD_WORDS;
    for (let at = first * DATAGRAM_WORD_WORDS; at < end && this.#state === OPEN; at += DATAGRAM_WORD_WORDS) {
      if (receives[at + DATAGRAM_WORD_HANDLE] !== 0) {
        this.#tell(receives, at);
        continue;
      }
      this.received++;
      const datagram = new Datagram(received, receives, at);
      if (this.#context !== null) {
        this.#call(() => onMessage.call(this.#handlers, this, datagram));
      } else {
        try {
          onMessage.call(this.#handlers, this, datagram);
        } catch (error) {
          this.#handlerThrew(error);
        }
      }
      datagram.alive = false;
    }
  }

  /** The stream face: copies of all, in one Buffer. */
  #enqueue(first: number, count: number): void {
    const { received } = this.#memory;
    const table = this.#memory.receives.slice(first * DATAGRAM_WORD_WORDS, (first + count) * DATAGRAM_WORD_WORDS);
    let total = 0;
    for (let at = 0; at < table.length; at += DATAGRAM_WORD_WORDS) {
      if (table[at + DATAGRAM_WORD_HANDLE] === 0) total += lengthAt(table, at);
    }
    const bytes = Buffer.allocUnsafe(total);
    let datagrams: Datagram[] = [];
    let offset = 0;
    for (let at = 0; at < table.length; at += DATAGRAM_WORD_WORDS) {
      if (table[at + DATAGRAM_WORD_HANDLE] !== 0) {
        if (datagrams.length > 0) this.#push(datagrams);
        datagrams = [];
        this.#tell(table, at);
        continue;
      }
      const from = table[at + DATAGRAM_WORD_OFFSET] as number;
      const length = lengthAt(table, at);
      received.copy(bytes, offset, from, from + length);
      table[at + DATAGRAM_WORD_OFFSET] = offset;
      offset += length;
      datagrams.push(new Datagram(bytes, table, at));
    }
    if (datagrams.length > 0) this.#push(datagrams);
  }

  #push(datagrams: Datagram[]): void {
    this.received += datagrams.length;
    const queue = this.#receiveQueue();
    queue.push(datagrams);
    if (queue.bytes > this.#highWaterMark) this.#hold(this.#paused, true);
  }

  /** An error's entry in the table. */
  #tell(table: Uint32Array, at: number): void {
    this.errors++;
    const errno = (table[at + DATAGRAM_WORD_HANDLE] as number) | 0;
    const call = table[at + DATAGRAM_WORD_LENGTH] === SYSCALL_READ ? 'recvmsg' : 'send';
    const addressed = ((table[at + DATAGRAM_WORD_PORT] as number) & DATAGRAM_ADDRESSED) !== 0;
    const peer = addressed ? peerAt(table, at) : undefined;
    const error = systemError(errno, call, peer?.address, peer?.port);
    const handler = this.#handlers.error;
    if (handler !== undefined) this.#call(() => handler.call(this.#handlers, this, error));
    else if (this.#onMessage === null) this.#receiveQueue().fail(error);
  }

  #put(data: UdpData, to: UdpDestination | undefined): void {
    if (typeof data === 'string') this.#putString(data, to);
    else if (data instanceof Datagram) this.#putDatagram(data, to);
    else if (data instanceof Uint8Array && data.length > 0) this.#putBytes(data, to);
    else if (isMemory(data)) this.#putBytes(bytesOf(data, 'data'), to);
    else throw invalidType('data', 'a string, a Buffer, a typed array, an ArrayBuffer, a Chunk or a Datagram', data);
  }

  #putDatagram(datagram: Datagram, to: UdpDestination | undefined): void {
    const memory = this.#memory;
    if (!datagram.alive || datagram.table !== memory.receives) {
      this.#putBytes(datagram.bytes, to);
      return;
    }
    if (datagram.length > this.#bytesMax) throw tooLong(datagram.length);
    const at = memory.nextSend();
    this.#address(at, to);
    memory.send(at, this.handle, datagram.offset, datagram.length | DATAGRAM_RECEIVED);
  }

  #putString(text: string, to: UdpDestination | undefined): void {
    const memory = this.#memory;
    if (text.length > this.#bytesMax) throw tooLong(Buffer.byteLength(text));
    const offset = memory.reserve(text.length * 3);
    const length = memory.sending.write(text, offset, text.length * 3, 'utf8');
    if (length > this.#bytesMax) throw tooLong(length);
    const at = memory.nextSend();
    this.#address(at, to);
    memory.commit(length);
    memory.send(at, this.handle, offset, length);
  }

  #putBytes(bytes: Uint8Array, to: UdpDestination | undefined): void {
    const memory = this.#memory;
    const { length } = bytes;
    if (length > this.#bytesMax) throw tooLong(length);
    const at = memory.nextSend();
    this.#address(at, to);
    const offset = memory.reserve(length);
    memory.sending.set(bytes, offset);
    memory.commit(length);
    memory.send(at, this.handle, offset, length);
  }

  /** Writes the peer's words into the entry. */
  #address(at: number, to: UdpDestination | undefined): void {
    const { sends } = this.#memory;
    if (to === undefined) sends[at + DATAGRAM_WORD_PORT] = 0;
    else if (to instanceof Datagram) to.copyPeer(sends, at);
    else sends.set(peerOf(to).words, at + DATAGRAM_WORD_PORT);
    if (this.#bytesMax === IPV4_BYTES_MAX && ((sends[at + DATAGRAM_WORD_PORT] as number) & DATAGRAM_IPV6) !== 0)
      throw invalidType('to', 'an IPv4 peer: this socket is bound to an IPv4 address', to);
  }

  /** Receiving stops for either reason, and goes on when neither is left. */
  #hold(paused: boolean, full: boolean): void {
    const before = this.#paused || this.#full;
    this.#paused = paused;
    this.#full = full;
    const after = paused || full;
    if (before !== after && this.#state === OPEN)
      border.submit(SUBMISSION_DATAGRAM_READ, this.handle, after ? 0 : 1, 0);
  }

  #receiveQueue(): ReceiveQueue {
    if (this.#onMessage !== null) {
      throw new MillraceError(
        'ERR_MILLRACE_INVALID_STATE',
        'This socket has a message handler; receive() would never get anything',
      );
    }
    if (this.#queue === null) {
      const queue = new ReceiveQueue(() => {
        if (queue.bytes <= this.#lowWaterMark) this.#hold(this.#paused, false);
      });
      this.#queue = queue;
      if (this.#state !== OPEN) queue.end();
    }
    return this.#queue;
  }

  #waitForDrain(): WriteResult {
    if (this.#drained === null) {
      this.#drained = new Drained();
      border.submit(SUBMISSION_DATAGRAM_NOTIFY_DRAIN, this.handle, this.#lowWaterMark, 0);
    }
    return this.#drained;
  }

  #drain(): void {
    const drained = this.#drained;
    if (drained === null) return;
    this.#drained = null;
    drained.fulfill(undefined);
    const { drain } = this.#handlers;
    if (drain !== undefined) this.#call(() => drain.call(this.#handlers, this));
  }

  #submitClose(flags: number): void {
    this.#state = CLOSING;
    border.submit(SUBMISSION_DATAGRAM_CLOSE | flags, this.handle, 0, 0);
    this.#queue?.end();
  }

  #finish(lostDatagrams: number): void {
    this.#state = CLOSED;
    udpSockets.remove(this);
    this.#queue?.end();
    if (this.#drained !== null) {
      if (lostDatagrams === 0) this.#drained.fulfill(undefined);
      else this.#drained.reject(this.#error ?? closedError());
      this.#drained = null;
    }
    this.#closed?.fulfill(undefined);
    const { close } = this.#handlers;
    if (close !== undefined) this.#call(() => close.call(this.#handlers, this, lostDatagrams));
  }

  #call(handler: () => void): void {
    try {
      if (this.#context === null) handler();
      else this.#context(handler, undefined);
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  /** A handler's bug ends its own socket and is told; the others never notice. */
  #handlerThrew(thrown: unknown): void {
    const error =
      thrown instanceof Error ? thrown : new Error(`A UDP handler threw ${shown(thrown)}`, { cause: thrown });
    const first = this.#error === null;
    this.#error ??= error;
    this.destroy();
    const handler = this.#handlers.error;
    if (first && handler !== undefined) this.#call(() => handler.call(this.#handlers, this, error));
    else process.nextTick(rethrow, error);
  }

  #membership(join: boolean, group: string, options: MembershipOptions): void {
    if (typeof group !== 'string') throw invalidType('group', 'an IP address', group);
    if (options === null || typeof options !== 'object') throw invalidType('options', 'an object', options);
    checkInterface(options.interface, 'options.interface');
    const { source = '' } = options;
    if (typeof source !== 'string') throw invalidType('options.source', 'an IP address', source);
    if (this.#state !== OPEN) throw this.#error ?? closedError();
    const named = options.interface === undefined ? '' : (interfaceName(options.interface) ?? options.interface);
    const status = border.open().datagramMembership(this.handle, join, group, named, source);
    if (status < 0) throw systemError(status, 'setsockopt', group);
  }

  #option(option: number, syscall: string): number {
    const value = border.open().datagramOption(this.handle, option);
    if (value < 0) throw systemError(value, syscall);
    return value;
  }

  #name(peer: boolean): SocketAddress {
    const name = border.open().datagramName(this.handle, peer);
    if (typeof name === 'number') throw systemError(name, peer ? 'getpeername' : 'getsockname');
    return name;
  }

  #wrongDestination(to: UdpDestination | undefined): MillraceError {
    return new MillraceError(
      'ERR_MILLRACE_INVALID_STATE',
      to === undefined
        ? 'This UDP socket is not connected: send() needs to know where to'
        : 'This UDP socket is connected: send() takes no destination',
    );
  }

  #overLimit(queued: number): MillraceError {
    return new MillraceError(
      'ERR_MILLRACE_SOCKET_LIMIT',
      `${queued} bytes wait to be sent, more than sendLimit (${this.#sendLimit}); await send(), or wait for drain`,
    );
  }
}

function isMemory(data: UdpData): data is Exclude<UdpData, Datagram | string> {
  return (
    ArrayBuffer.isView(data) ||
    data instanceof ArrayBuffer ||
    data instanceof SharedArrayBuffer ||
    data instanceof Chunk
  );
}

function lengthAt(table: Uint32Array, at: number): number {
  return (table[at + DATAGRAM_WORD_LENGTH] as number) & (DATAGRAM_TRUNCATED - 1);
}

function closedError(): MillraceError {
  return new MillraceError('ERR_MILLRACE_SOCKET_CLOSED', 'This UDP socket is closed');
}

function tooLong(bytes: number): Error {
  const error = systemError(-constants.errno.EMSGSIZE, 'send');
  error.message += ` (${bytes} bytes)`;
  return error;
}

function rethrow(error: unknown): never {
  throw error;
}
