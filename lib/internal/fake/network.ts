// Listeners and sockets in memory. Chance decides who goes first, how much leaves, how much arrives, and what breaks; the
// order of one socket's completions is that of the contract (docs/architecture.md, native/io/backend.h).
//
// A turn goes through all sockets once. A socket that could go on but did not, because chance or a full ring said so,
// makes the network `busy`: the loop must come again before time may move.
import { constants } from 'node:os';
import {
  COMPLETION_ACCEPT,
  COMPLETION_CLOSED,
  COMPLETION_CONNECT,
  COMPLETION_DATA,
  COMPLETION_DRAIN,
  COMPLETION_END,
  COMPLETION_ERROR,
  RECEIVE_BUFFER_BYTES,
  RECEIVE_BUFFERS,
  SLOT_MASK,
  SYSCALL_ACCEPT,
  SYSCALL_READ,
  SYSCALL_WRITE,
} from '../layout.js';
import { Arenas } from './arenas.js';
import { type Address, Endpoint, isSamePlace } from './endpoint.js';
import { type FakeOptions, type Faults, NO_FAULTS, type Routes } from './options.js';
import type { SeededRandom } from './random.js';
import { Slab } from './slab.js';
import {
  CONNECTING,
  ENDED,
  ENDING,
  FakeSocket,
  LEAVING,
  OPEN,
  OWED_CLOSED,
  OWED_CONNECT,
  OWED_DRAIN,
  OWED_END,
  OWED_ERROR,
} from './socket.js';
import type { FakeClock } from './time.js';

const { errno } = constants;
const NS_PER_MS = 1e6;
const ACCEPT_RETRY_NS = 100 * NS_PER_MS;
const EPHEMERAL_PORT = 40_000;
/** Beyond what a process can have, so that nobody takes one of the fake's for a real one. */
const FIRST_DESCRIPTOR = 2 ** 30;
const ACCEPTS_PER_TURN = 64;

/** Puts a completion into the ring; false where it is full. */
type Push = (kind: number, handle: number, a?: number, b?: number) => boolean;

export class FakeNetwork {
  readonly sockets = new Slab<FakeSocket>();
  readonly arenas: Arenas;
  busy = false;
  faults: Faults;
  routes: Routes;
  readonly #push: Push;
  readonly #hasRoom: () => boolean;
  readonly #random: SeededRandom;
  readonly #clock: FakeClock;
  readonly #descriptors: number;
  readonly #windowBytes: number;
  /** What Detach gave away, by descriptor. */
  readonly #detached = new Map<number, FakeSocket>();
  #open = 0;
  #lastPort = EPHEMERAL_PORT;
  #lastDescriptor = FIRST_DESCRIPTOR;

  constructor(push: Push, random: SeededRandom, clock: FakeClock, options: FakeOptions, hasRoom: () => boolean) {
    this.#push = push;
    this.#hasRoom = hasRoom;
    this.#random = random;
    this.#clock = clock;
    this.faults = { ...NO_FAULTS, ...options.faults };
    this.routes = options.routes ?? (() => undefined);
    this.arenas = new Arenas(options.receiveBuffers ?? RECEIVE_BUFFERS);
    this.#descriptors = options.descriptors ?? Number.POSITIVE_INFINITY;
    this.#windowBytes = options.windowBytes ?? 256 * 1024;
  }

  /** When something happens by itself at the earliest. */
  get earliestNs(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const socket of this.sockets.live()) {
      if (socket.retryNs > this.#clock.nowNs && socket.backlog.length > 0 && !socket.paused)
        earliest = Math.min(earliest, socket.retryNs);
      if (socket.phase === CONNECTING && socket.decidedNs > this.#clock.nowNs)
        earliest = Math.min(earliest, socket.decidedNs);
    }
    return earliest;
  }

  get keepsAlive(): boolean {
    return this.sockets.live().some((socket) => socket.referenced || !socket.sends.empty);
  }

  listen(address: Address, reusePort: boolean): number {
    if (this.#open >= this.#descriptors) return -errno.EMFILE;
    const chosen = address.family !== 'Unix' && address.port === 0;
    const taken = this.sockets.live().some((other) => other.isListener && isSamePlace(other.target, address));
    if (!chosen && taken && !reusePort) return -errno.EADDRINUSE;
    const target = chosen ? { ...address, port: this.#newPort() } : address;
    return this.#allocate((handle) => new FakeSocket(handle, true, OPEN, target, this.arenas));
  }

  connect(target: Address, localAddress: string, localPort: number): number {
    if (this.#open >= this.#descriptors || this.#random.chance(this.faults.outOfDescriptors)) return -errno.EMFILE;
    return this.#allocate((handle) => {
      const socket = new FakeSocket(handle, false, CONNECTING, target, this.arenas);
      socket.local = {
        ...target,
        address: target.family === 'Unix' ? '' : localAddress || target.address,
        port: localPort,
      };
      const route = this.routes(target.address, target.port);
      socket.decidedNs = this.#clock.nowNs + (route?.delayMs ?? 0) * NS_PER_MS;
      socket.routeError = route?.error ?? 0;
      return socket;
    });
  }

  /** Takes what a Detach gave away. */
  adopt(fd: number): number {
    const given = this.#detached.get(fd);
    if (given === undefined) return -errno.EBADF;
    const handle = this.#allocate((handle) => {
      const socket = new FakeSocket(handle, given.isListener, OPEN, given.target, this.arenas);
      socket.end = given.end;
      socket.backlog = given.backlog;
      for (const [option, value] of given.options) socket.options.set(option, value);
      return socket;
    });
    if (handle >= 0) {
      this.#detached.delete(fd);
      this.#open--;
    }
    return handle;
  }

  /** Undefined: stale, or closed. */
  lookup(handle: number): FakeSocket | undefined {
    const socket = this.sockets.lookup(handle);
    return socket === undefined || socket.phase === ENDED ? undefined : socket;
  }

  name(handle: number, peer: boolean): Address | number {
    const socket = this.lookup(handle);
    if (socket === undefined) return -errno.EBADF;
    if (socket.isListener) return peer ? -errno.ENOTCONN : socket.target;
    if (socket.end === null) return peer ? -errno.ENOTCONN : socket.local;
    return peer ? socket.end.remote : socket.end.local;
  }

  /** One turn: everything that can go on does, unless chance is against it. */
  turn(): void {
    this.busy = false;
    this.payOwed();
    const sockets = this.sockets.live();
    if (this.#random.chance(this.faults.reorder)) this.#random.shuffle(sockets);
    for (const socket of sockets) {
      if (!this.#random.chance(this.faults.delay)) this.#advance(socket);
      else if (socket.canGoOn(this.#clock.nowNs)) this.busy = true;
    }
    this.payOwed();
  }

  /** JavaScript has taken what was delivered. */
  releaseDelivered(): void {
    if (this.arenas.releaseDelivered()) this.busy = true;
  }

  payOwed(): void {
    for (const socket of this.sockets.live()) while (socket.owed !== 0) if (!this.#payOne(socket)) return;
  }

  fail(socket: FakeSocket, error: number, call: number): void {
    if (socket.phase >= ENDING) return;
    if (socket.phase === CONNECTING) {
      socket.connectResult = error;
      socket.owed |= OWED_CONNECT;
    } else if (socket.phase === OPEN) {
      socket.error = error;
      socket.errorCall = call;
      socket.owed |= OWED_ERROR;
    }
    socket.phase = ENDING;
    socket.reset = true;
    this.busy = true;
  }

  #payOne(socket: FakeSocket): boolean {
    const { handle } = socket;
    if (socket.owed & OWED_CONNECT) {
      if (!this.#push(COMPLETION_CONNECT, handle, socket.connectResult >>> 0)) return this.#full();
      socket.owed &= ~OWED_CONNECT;
    } else if (socket.owed & OWED_END) {
      if (!this.#push(COMPLETION_END, handle)) return this.#full();
      socket.owed &= ~OWED_END;
    } else if (socket.owed & OWED_DRAIN) {
      if (!this.#push(COMPLETION_DRAIN, handle)) return this.#full();
      socket.owed &= ~OWED_DRAIN;
    } else if (socket.owed & OWED_ERROR) {
      if (!this.#push(COMPLETION_ERROR, handle, socket.error >>> 0, socket.errorCall)) return this.#full();
      socket.owed &= ~OWED_ERROR;
    } else {
      if (!this.#push(COMPLETION_CLOSED, handle, socket.unsentBytes, socket.descriptor + 1)) return this.#full();
      socket.owed = 0;
      this.sockets.release(handle);
    }
    return true;
  }

  #full(): false {
    this.busy = true;
    return false;
  }

  #advance(socket: FakeSocket): void {
    if (socket.phase === ENDED) return;
    if (socket.phase === ENDING) this.#end(socket);
    else if (socket.isListener) this.#accept(socket);
    else if (socket.phase === CONNECTING) this.#establish(socket);
    else {
      this.#send(socket);
      if (socket.wantsReceive && (socket.owed & OWED_CONNECT) === 0) this.#receive(socket);
    }
  }

  #establish(socket: FakeSocket): void {
    if (socket.decidedNs > this.#clock.nowNs) return;
    if (socket.routeError !== 0) {
      this.fail(socket, socket.routeError, 0);
      return;
    }
    const { target } = socket;
    // What is detached listens on, whoever has it.
    const listeners = [...new Set([...this.sockets.live(), ...this.#detached.values()])].filter(
      (other) =>
        other.isListener &&
        (other.phase === OPEN || (other.detaching && !other.reset)) &&
        isSamePlace(other.target, target),
    );
    const listener = listeners[this.#random.below(listeners.length)];
    if (listener === undefined || this.#random.chance(this.faults.refuse)) {
      const isPath = target.family === 'Unix' && !target.address.startsWith('\0');
      this.fail(socket, listener === undefined && isPath ? -errno.ENOENT : -errno.ECONNREFUSED, 0);
      return;
    }
    const { local } = socket;
    const from = local.family === 'Unix' || local.port !== 0 ? local : { ...local, port: this.#newPort() };
    const [near, far] = Endpoint.pair(from, target);
    socket.end = near;
    listener.backlog.push(far);
    socket.phase = OPEN;
    socket.owed |= OWED_CONNECT;
    this.busy = true;
  }

  #accept(listener: FakeSocket): void {
    if (listener.paused || listener.retryNs > this.#clock.nowNs) return;
    for (let i = 0; i < ACCEPTS_PER_TURN && listener.backlog.length > 0; i++) {
      if (!this.#hasRoom()) {
        this.busy = true;
        return;
      }
      if (this.#open >= this.#descriptors || this.#random.chance(this.faults.outOfDescriptors)) {
        listener.retryNs = this.#clock.nowNs + ACCEPT_RETRY_NS;
        if (listener.acceptTrouble) return;
        listener.acceptTrouble = true;
        listener.error = -errno.EMFILE;
        listener.errorCall = SYSCALL_ACCEPT;
        listener.owed |= OWED_ERROR;
        return;
      }
      const end = listener.backlog[0] as Endpoint;
      const handle = this.#allocate((given) => {
        const socket = new FakeSocket(given, false, OPEN, end.remote, this.arenas);
        socket.end = end;
        return socket;
      });
      this.#push(COMPLETION_ACCEPT, listener.handle, handle);
      listener.acceptTrouble = false;
      listener.backlog.shift();
      this.busy = true;
    }
  }

  #send(socket: FakeSocket): void {
    const end = socket.end as Endpoint;
    if (!socket.sends.empty) {
      if (end.other.closed || end.resetReceived || this.#random.chance(this.faults.failOnSend)) {
        this.fail(socket, end.resetReceived ? -errno.ECONNRESET : -errno.EPIPE, SYSCALL_WRITE);
        return;
      }
      let room = this.#windowBytes - end.other.inboxBytes;
      if (this.#random.chance(this.faults.partialSend)) room = this.#random.below(room + 1);
      let moved = 0;
      while (room > moved && !socket.sends.empty) {
        const bytes = socket.sends.front(room - moved);
        end.write(bytes);
        moved += bytes.length;
        const slot = socket.handle & SLOT_MASK;
        this.arenas.bytesSent[slot] = (this.arenas.bytesSent[slot] as number) + bytes.length;
        socket.sends.consume(bytes.length);
        socket.checkDrain();
      }
      if (moved > 0 || end.other.inboxBytes < this.#windowBytes) this.busy = true;
      if (!socket.sends.empty) return;
    }
    if (socket.phase === LEAVING) {
      socket.phase = ENDING;
      this.busy = true;
    } else if (socket.finWanted && !socket.finSent) {
      socket.finSent = true;
      end.finish();
      this.busy = true;
    }
  }

  #receive(socket: FakeSocket): void {
    const end = socket.end as Endpoint;
    if (end.inboxBytes > 0) {
      if (this.#random.chance(this.faults.resetOnReceive)) {
        this.fail(socket, -errno.ECONNRESET, SYSCALL_READ);
        return;
      }
      // Buffers come back when JavaScript has answered or a Send has left, which wakes the network.
      if (this.arenas.buffersFree === 0) return;
      this.busy = true;
      if (this.#random.chance(this.faults.outOfBuffers) || !this.#deliver(socket, end)) return;
    }
    if (end.inboxBytes > 0) return;
    if (end.resetReceived) {
      this.fail(socket, -errno.ECONNRESET, SYSCALL_READ);
    } else if (end.finReceived) {
      socket.readEnded = true;
      socket.owed |= OWED_END;
      this.busy = true;
    }
  }

  /** False: no room in the ring; nothing was taken. */
  #deliver(socket: FakeSocket, end: Endpoint): boolean {
    if (!this.#hasRoom()) return false;
    let count = Math.min(end.inboxBytes, RECEIVE_BUFFER_BYTES);
    if (this.#random.chance(this.faults.split)) count = 1 + this.#random.below(count);
    const bytes = end.read(count);
    const offset = this.arenas.deliver(bytes, this.#random.chance(this.faults.split));
    return this.#push(COMPLETION_DATA, socket.handle, offset, bytes.length);
  }

  #end(socket: FakeSocket): void {
    socket.unsentBytes = socket.sends.bytes >>> 0;
    socket.sends.discard();
    socket.phase = ENDED;
    socket.owed |= OWED_CLOSED;
    this.busy = true;
    if (socket.detaching && !socket.reset && (socket.isListener || socket.end !== null)) {
      // It stays open, and counts.
      socket.descriptor = this.#lastDescriptor++;
      this.#detached.set(socket.descriptor, socket);
      return;
    }
    // A Unix socket has no resets, except where its peer's bytes were not read (unix(7)).
    const { end } = socket;
    end?.close(socket.reset && (end.local.family !== 'Unix' || end.inboxBytes > 0));
    for (const waiting of socket.backlog) waiting.close(true);
    socket.backlog.length = 0;
    this.#open--;
    for (const other of this.sockets.live()) other.retryNs = 0;
  }

  #allocate(make: (handle: number) => FakeSocket): number {
    const socket = this.sockets.allocate(make);
    if (socket === undefined) return -errno.ENFILE;
    this.arenas.bytesSent[socket.handle & SLOT_MASK] = 0;
    this.#open++;
    this.busy = true;
    return socket.handle;
  }

  #newPort(): number {
    return ++this.#lastPort;
  }
}
