// UDP in memory, with the checks of native/io/datagram*.cc. Chance decides when the kernel has no room, who is served, how
// many arrive in a turn, and what is lost. Two datagrams from one socket to another stay in order, as on a loopback.
import { constants } from 'node:os';
import { formatIpv4, formatIpv6, parsed, parseIp } from '../ip.js';
import {
  COMPLETION_DATAGRAM_CLOSED,
  COMPLETION_DATAGRAM_DRAIN,
  COMPLETION_DATAGRAMS,
  DATAGRAM_ADDRESSED,
  DATAGRAM_BYTES_MAX,
  DATAGRAM_CONTROL_SEND_HEAD,
  DATAGRAM_CONTROL_SEND_TAIL,
  DATAGRAM_CONTROL_WORDS,
  DATAGRAM_IPV6,
  DATAGRAM_OPTION_DROPPED,
  DATAGRAM_RECEIVE_BYTES,
  DATAGRAM_RECEIVED,
  DATAGRAM_RECEIVES,
  DATAGRAM_SEND_BYTES,
  DATAGRAM_SENDS,
  DATAGRAM_SOCKETS_MAX,
  DATAGRAM_TRUNCATED,
  DATAGRAM_WORD_ADDRESS,
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
} from '../layout.js';
import type { Address } from './endpoint.js';
import type { FakeNetwork } from './network.js';
import type { SeededRandom } from './random.js';
import type { Submission } from './rings.js';
import { Slab } from './slab.js';
import {
  type FakeDatagram,
  FakeUdpSocket,
  isMulticast,
  isWildcard,
  UDP_ENDED,
  UDP_ENDING,
  UDP_LEAVING,
  UDP_OPEN,
} from './udp-socket.js';

const { errno } = constants;
const POISON = 0xdb;
const BATCH = 64;
const EPHEMERAL_PORT = 50_000;
const INBOX_BYTES_MAX = 208 * 1024;
const REUSE = 3;

type Push = (kind: number, handle: number, a?: number, b?: number) => boolean;

export class FakeDatagrams {
  readonly sockets = new Slab<FakeUdpSocket>();
  busy = false;
  readonly memory = {
    receiveArena: new ArrayBuffer(DATAGRAM_RECEIVE_BYTES),
    receives: new ArrayBuffer(DATAGRAM_RECEIVES * DATAGRAM_WORD_WORDS * 4),
    sendArena: new ArrayBuffer(DATAGRAM_SEND_BYTES),
    sends: new ArrayBuffer(DATAGRAM_SENDS * DATAGRAM_WORD_WORDS * 4),
    control: new ArrayBuffer(DATAGRAM_CONTROL_WORDS * 4),
    queuedBytes: new ArrayBuffer(DATAGRAM_SOCKETS_MAX * 4),
  };
  readonly #received = new Uint8Array(this.memory.receiveArena);
  readonly #receives = new Uint32Array(this.memory.receives);
  readonly #sending = new Uint8Array(this.memory.sendArena);
  readonly #sends = new Uint32Array(this.memory.sends);
  readonly #control = new Uint32Array(this.memory.control);
  readonly #queued = new Uint32Array(this.memory.queuedBytes);
  readonly #push: Push;
  readonly #hasRoom: () => boolean;
  readonly #random: SeededRandom;
  readonly #network: FakeNetwork;
  #sendHead = 0;
  #filled = 0;
  #entries = 0;
  #lastPort = EPHEMERAL_PORT;

  constructor(push: Push, hasRoom: () => boolean, random: SeededRandom, network: FakeNetwork) {
    this.#push = push;
    this.#hasRoom = hasRoom;
    this.#random = random;
    this.#network = network;
  }

  get keepsAlive(): boolean {
    return this.sockets.live().some((socket) => socket.referenced || socket.queue.length > 0);
  }

  bind(address: string, port: number, flags: number, bytesMax: number): number {
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    const taken = this.sockets.live().some((other) => other.local.port === port && other.phase !== UDP_ENDED);
    if (port !== 0 && taken && (flags & REUSE) === 0) return -errno.EADDRINUSE;
    const local = { address, family, port: port === 0 ? ++this.#lastPort : port };
    const socket = this.sockets.allocate((handle) => new FakeUdpSocket(handle, local, flags, bytesMax));
    if (socket === undefined) return -errno.ENFILE;
    this.busy = true;
    return socket.handle;
  }

  connect(handle: number, address: string, port: number): number {
    const socket = this.sockets.lookup(handle);
    if (socket === undefined || socket.phase === UDP_ENDED) return -errno.EBADF;
    socket.peer = { address, family: address.includes(':') ? 'IPv6' : 'IPv4', port };
    return 0;
  }

  name(handle: number, peer: boolean): Address | number {
    const socket = this.sockets.lookup(handle);
    if (socket === undefined || socket.phase === UDP_ENDED) return -errno.EBADF;
    return peer ? (socket.peer ?? -errno.ENOTCONN) : socket.local;
  }

  option(handle: number, option: number, value?: number): number {
    const socket = this.sockets.lookup(handle);
    if (socket === undefined || socket.phase === UDP_ENDED) return -errno.EBADF;
    if (option === DATAGRAM_OPTION_DROPPED) return value === undefined ? socket.dropped : -errno.EINVAL;
    if (value === undefined) return socket.options.get(option) ?? 1;
    socket.options.set(option, value);
    return 0;
  }

  membership(handle: number, join: boolean, group: string): number {
    const socket = this.sockets.lookup(handle);
    if (socket === undefined || socket.phase === UDP_ENDED) return -errno.EBADF;
    if (!isMulticast(group)) return -errno.EINVAL;
    if (join === socket.groups.has(group)) return join ? -errno.EADDRINUSE : -errno.EADDRNOTAVAIL;
    if (join) socket.groups.add(group);
    else socket.groups.delete(group);
    return 0;
  }

  /** Gives the number of faults. */
  takeSends(): number {
    const end = this.#control[DATAGRAM_CONTROL_SEND_TAIL] as number;
    let faults = 0;
    if ((end - this.#sendHead) >>> 0 > DATAGRAM_SENDS) {
      this.#sendHead = end;
      faults++;
    }
    for (; this.#sendHead !== end; this.#sendHead = (this.#sendHead + 1) >>> 0) {
      if (!this.#take((this.#sendHead & (DATAGRAM_SENDS - 1)) * DATAGRAM_WORD_WORDS)) faults++;
    }
    this.#control[DATAGRAM_CONTROL_SEND_HEAD] = this.#sendHead;
    return faults;
  }

  /** A record of DatagramRead .. DatagramRef; false for a fault. */
  apply({ head, handle, a }: Submission): boolean {
    const kind = head & 0xff;
    if (kind < SUBMISSION_DATAGRAM_READ || kind > SUBMISSION_DATAGRAM_REF) return false;
    const flags = kind === SUBMISSION_DATAGRAM_CLOSE ? RESET : 0;
    if ((head & ~(0xff | flags)) !== 0 || !this.sockets.knows(handle)) return false;
    if ((kind === SUBMISSION_DATAGRAM_READ || kind === SUBMISSION_DATAGRAM_REF) && a > 1) return false;
    const socket = this.sockets.lookup(handle);
    if (socket === undefined) return true;
    this.busy = true;
    if (kind === SUBMISSION_DATAGRAM_READ) {
      socket.reading = a === 1;
    } else if (kind === SUBMISSION_DATAGRAM_REF) {
      socket.referenced = a === 1;
    } else if (kind === SUBMISSION_DATAGRAM_NOTIFY_DRAIN) {
      if (socket.phase === UDP_OPEN) socket.drainAt = a;
      this.#queueChanged(socket);
    } else if (socket.phase < UDP_ENDING) {
      socket.drainAt = -1;
      socket.drainOwed = false;
      socket.phase = (head & RESET) !== 0 || socket.queue.length === 0 ? UDP_ENDING : UDP_LEAVING;
    }
    return true;
  }

  turn(): void {
    this.busy = false;
    this.#payOwed();
    const sockets = this.sockets.live();
    const { faults } = this.#network;
    if (this.#random.chance(faults.reorder)) this.#random.shuffle(sockets);
    for (const socket of sockets) {
      if (this.#random.chance(faults.delay)) this.busy = true;
      else this.#advance(socket);
    }
    this.#payOwed();
  }

  /** JavaScript has taken what was received; reading it after all must not go unnoticed. */
  releaseDelivered(): void {
    this.#received.fill(POISON, 0, this.#filled);
    if (this.#entries > 0) this.busy = true;
    this.#filled = 0;
    this.#entries = 0;
  }

  #take(at: number): boolean {
    const entry = this.#sends.subarray(at, at + DATAGRAM_WORD_WORDS);
    const handle = entry[DATAGRAM_WORD_HANDLE] as number;
    const offset = entry[DATAGRAM_WORD_OFFSET] as number;
    const length = (entry[DATAGRAM_WORD_LENGTH] as number) & (DATAGRAM_TRUNCATED - 1);
    const flags = (entry[DATAGRAM_WORD_LENGTH] as number) - length;
    if ((flags & ~DATAGRAM_RECEIVED) !== 0 || length > DATAGRAM_BYTES_MAX) return false;
    const port = entry[DATAGRAM_WORD_PORT] as number;
    if ((port & ~(0xffff | DATAGRAM_IPV6 | DATAGRAM_ADDRESSED)) !== 0 || !this.sockets.knows(handle)) return false;
    if (offset + length > (flags === 0 ? DATAGRAM_SEND_BYTES : this.#filled)) return false;
    const socket = this.sockets.lookup(handle);
    if (socket === undefined || socket.phase !== UDP_OPEN) return true;
    const bytes = (flags === 0 ? this.#sending : this.#received).slice(offset, offset + length);
    const datagram: FakeDatagram = { bytes, peer: port & DATAGRAM_ADDRESSED ? readPeer(entry) : null };
    this.busy = true;
    if (socket.queue.length > 0 || this.#random.chance(this.#network.faults.partialSend)) {
      socket.queue.push(datagram);
      this.#queueChanged(socket);
    } else {
      this.#route(socket, datagram);
    }
    return true;
  }

  #route(socket: FakeUdpSocket, { bytes, peer }: FakeDatagram): void {
    const to = peer ?? socket.peer;
    if (to === null) {
      socket.error = -errno.EDESTADDRREQ;
      return;
    }
    const { local } = socket;
    const loopback = to.family === 'IPv6' ? '::1' : '127.0.0.1';
    const from = { ...to, address: isWildcard(local.address) ? loopback : local.address, port: local.port };
    let receivers = this.sockets.live().filter((other) => other.takes(from, to));
    // A connected socket is preferred; where several share the port, any of them.
    const connected = receivers.filter((other) => other.peer !== null);
    if (connected.length > 0) receivers = connected;
    if (receivers.length > 1 && !isMulticast(to.address)) {
      receivers = [receivers[this.#random.below(receivers.length)] as FakeUdpSocket];
    }
    if (receivers.length === 0 && socket.peer !== null) socket.error = -errno.ECONNREFUSED;
    if (this.#random.chance(this.#network.faults.loseDatagram)) return;
    for (const receiver of receivers) {
      if (receiver.inboxBytes + bytes.length > INBOX_BYTES_MAX) {
        receiver.dropped++;
      } else {
        receiver.inbox.push({ bytes, peer: from });
        receiver.inboxBytes += bytes.length;
      }
    }
  }

  #advance(socket: FakeUdpSocket): void {
    if (socket.phase === UDP_ENDED) return;
    const { faults } = this.#network;
    while (socket.queue.length > 0 && socket.phase < UDP_ENDING) {
      this.busy = true;
      if (this.#random.chance(faults.partialSend)) break;
      this.#route(socket, socket.queue.shift() as FakeDatagram);
      this.#queueChanged(socket);
    }
    if (socket.phase === UDP_LEAVING && socket.queue.length === 0) socket.phase = UDP_ENDING;
    if (socket.phase === UDP_ENDING) {
      socket.lost += socket.queue.length;
      socket.queue.length = 0;
      this.#queueChanged(socket);
      socket.phase = UDP_ENDED;
      socket.closedOwed = true;
    } else if (socket.phase === UDP_OPEN && socket.reading) {
      this.#receive(socket);
    }
  }

  #receive(socket: FakeUdpSocket): void {
    if (socket.error === 0 && socket.inbox.length === 0) return;
    if (!this.#hasRoom() || this.#entries === DATAGRAM_RECEIVES) {
      this.busy = true;
      return;
    }
    const { faults } = this.#network;
    const first = this.#entries;
    if (socket.error !== 0) {
      const at = this.#entries++ * DATAGRAM_WORD_WORDS;
      this.#receives.fill(0, at, at + DATAGRAM_WORD_WORDS);
      this.#receives[at + DATAGRAM_WORD_HANDLE] = socket.error >>> 0;
      this.#receives[at + DATAGRAM_WORD_LENGTH] = SYSCALL_READ;
      socket.error = 0;
    }
    let most = Math.min(BATCH, DATAGRAM_RECEIVES - this.#entries);
    if (this.#random.chance(faults.split)) most = this.#random.below(most);
    if (this.#random.chance(faults.outOfBuffers)) most = 0;
    while (most-- > 0 && this.#filled + DATAGRAM_BYTES_MAX <= DATAGRAM_RECEIVE_BYTES) {
      const datagram = socket.inbox.shift();
      if (datagram === undefined) break;
      this.#enter(datagram, socket.bytesMax);
      socket.inboxBytes -= datagram.bytes.length;
    }
    if (socket.inbox.length > 0) this.busy = true;
    if (this.#entries > first) this.#push(COMPLETION_DATAGRAMS, socket.handle, first, this.#entries - first);
  }

  #enter({ bytes, peer }: FakeDatagram, bytesMax: number): void {
    const at = this.#entries++ * DATAGRAM_WORD_WORDS;
    const kept = bytes.subarray(0, bytesMax);
    this.#received.set(kept, this.#filled);
    this.#receives[at + DATAGRAM_WORD_HANDLE] = 0;
    this.#receives[at + DATAGRAM_WORD_OFFSET] = this.#filled;
    this.#receives[at + DATAGRAM_WORD_LENGTH] = kept.length | (kept.length < bytes.length ? DATAGRAM_TRUNCATED : 0);
    const { address, port } = peer as Address;
    const family = parseIp(address);
    this.#receives[at + DATAGRAM_WORD_PORT] = port | DATAGRAM_ADDRESSED | (family === 6 ? DATAGRAM_IPV6 : 0);
    this.#receives.set(parsed, at + DATAGRAM_WORD_ADDRESS);
    this.#receives[at + DATAGRAM_WORD_ADDRESS + 4] = 0;
    this.#filled += kept.length;
  }

  #queueChanged(socket: FakeUdpSocket): void {
    const bytes = socket.queuedBytes;
    this.#queued[socket.handle & SLOT_MASK] = bytes;
    if (socket.drainAt < bytes) return;
    socket.drainAt = -1;
    socket.drainOwed = true;
    this.busy = true;
  }

  #payOwed(): void {
    for (const socket of this.sockets.live()) {
      if (socket.drainOwed && this.#push(COMPLETION_DATAGRAM_DRAIN, socket.handle)) socket.drainOwed = false;
      if (socket.closedOwed && !socket.drainOwed) {
        if (this.#push(COMPLETION_DATAGRAM_CLOSED, socket.handle, socket.lost)) this.sockets.release(socket.handle);
        else this.busy = true;
      } else if (socket.drainOwed) {
        this.busy = true;
      }
    }
  }
}

function readPeer(entry: Uint32Array): Address {
  const port = entry[DATAGRAM_WORD_PORT] as number;
  const [a, b, c, d] = entry.subarray(DATAGRAM_WORD_ADDRESS) as unknown as [number, number, number, number];
  return port & DATAGRAM_IPV6
    ? { address: formatIpv6(a, b, c, d, 0), family: 'IPv6', port: port & 0xffff }
    : { address: formatIpv4(a), family: 'IPv4', port: port & 0xffff };
}
