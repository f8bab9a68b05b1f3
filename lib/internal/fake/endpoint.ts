// One end of a connection, as the kernel would have it: it exists from the connect on, before anybody accepts.
import { LISTEN_UNIX } from '../layout.js';

export interface Address {
  address: string;
  family: string;
  port: number;
}

/** As the addon's `name` tells it: of a Unix socket a path, an abstract name that begins with NUL, or '' without one. */
export function addressOf(address: string, port: number, flags = 0): Address {
  if ((flags & LISTEN_UNIX) !== 0) return { address, family: 'Unix', port: 0 };
  return { address, family: address.includes(':') ? 'IPv6' : 'IPv4', port };
}

/** Whether who listens at `at` is who is meant by `target`: the fake has one host. */
export function isSamePlace(at: Address, target: Address): boolean {
  if (at.family === 'Unix' || target.family === 'Unix')
    return at.family === target.family && at.address === target.address;
  return at.port === target.port;
}

export class Endpoint {
  other!: Endpoint;
  finReceived = false;
  resetReceived = false;
  closed = false;
  inboxBytes = 0;
  readonly #inbox: Uint8Array[] = [];

  constructor(
    readonly local: Address,
    readonly remote: Address,
  ) {}

  static pair(client: Address, server: Address): [Endpoint, Endpoint] {
    const near = new Endpoint(client, server);
    const far = new Endpoint(server, client);
    near.other = far;
    far.other = near;
    return [near, far];
  }

  write(bytes: Uint8Array): void {
    const { other } = this;
    other.#inbox.push(bytes);
    other.inboxBytes += bytes.length;
  }

  /** At most `count` bytes, of one arrival or of several. */
  read(count: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(count, this.inboxBytes));
    let at = 0;
    while (at < bytes.length) {
      const chunk = this.#inbox[0] as Uint8Array;
      const taken = chunk.subarray(0, bytes.length - at);
      bytes.set(taken, at);
      at += taken.length;
      if (taken.length === chunk.length) this.#inbox.shift();
      else this.#inbox[0] = chunk.subarray(taken.length);
    }
    this.inboxBytes -= bytes.length;
    return bytes;
  }

  finish(): void {
    this.other.finReceived = true;
  }

  close(reset: boolean): void {
    if (this.closed) return;
    this.closed = true;
    if (reset) this.other.resetReceived = true;
    else this.other.finReceived = true;
  }
}
