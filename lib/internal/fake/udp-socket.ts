// A UDP socket of the fake, as native/io/datagram_sockets.h has it.
import type { Address } from './endpoint.js';

export interface FakeDatagram {
  bytes: Uint8Array;
  /** Whence when it was received, whither when it is to be sent; null: to the connected peer. */
  peer: Address | null;
}

export const UDP_OPEN = 0;
/** Close was asked for: what is queued leaves first. */
export const UDP_LEAVING = 1;
export const UDP_ENDING = 2;
export const UDP_ENDED = 3;

/** What a queued datagram counts beside its bytes. */
const OVERHEAD_BYTES = 64;

export class FakeUdpSocket {
  phase = UDP_OPEN;
  peer: Address | null = null;
  reading = true;
  referenced = true;
  drainAt = -1;
  drainOwed = false;
  closedOwed = false;
  /** An ICMP error that nobody was told of yet: a negative errno. */
  error = 0;
  lost = 0;
  dropped = 0;
  inboxBytes = 0;
  readonly inbox: FakeDatagram[] = [];
  readonly queue: FakeDatagram[] = [];
  readonly groups = new Set<string>();
  readonly options = new Map<number, number>();

  constructor(
    readonly handle: number,
    readonly local: Address,
    readonly flags: number,
    readonly bytesMax: number,
  ) {}

  get queuedBytes(): number {
    return this.queue.reduce((bytes, datagram) => bytes + datagram.bytes.length + OVERHEAD_BYTES, 0);
  }

  /** Whether a datagram from `from` to `to` is this one's. */
  takes(from: Address, to: Address): boolean {
    if (this.phase !== UDP_OPEN || this.local.port !== to.port) return false;
    if (this.peer !== null && (this.peer.address !== from.address || this.peer.port !== from.port)) return false;
    if (isMulticast(to.address)) return this.groups.has(to.address);
    return isWildcard(this.local.address) || this.local.address === to.address;
  }
}

export function isWildcard(address: string): boolean {
  return address === '::' || address === '0.0.0.0';
}

export function isMulticast(address: string): boolean {
  return address.startsWith('ff') || /^2(2[4-9]|3\d)\./.test(address);
}
