import { checkInteger, invalidType } from '../../internal/errors.js';
import { formatIpv4, formatIpv6, parsed, parsedScope, parseIp } from '../../internal/ip.js';
import { DATAGRAM_ADDRESSED, DATAGRAM_IPV6, DATAGRAM_WORD_ADDRESS, DATAGRAM_WORD_PORT } from '../../internal/layout.js';
import type { SocketAddress } from '../address.js';

/**
 * Where a datagram comes from or goes to, in the form that the kernel has it: sending to one parses nothing, and the text
 * of its address is made when it is asked for. IPv4 addresses that an IPv6 socket sees are IPv4 addresses.
 */
export class UdpPeer implements SocketAddress {
  /** @internal From DATAGRAM_WORD_PORT on: what an entry of the border's tables has. */
  readonly words: Uint32Array;
  #address: string | null = null;

  /** @internal Use `udpPeer`. */
  constructor(words: Uint32Array) {
    this.words = words;
  }

  /** 1 to 65535. */
  get port(): number {
    return (this.words[0] as number) & 0xffff;
  }

  get family(): 'IPv4' | 'IPv6' {
    return (this.words[0] as number) & DATAGRAM_IPV6 ? 'IPv6' : 'IPv4';
  }

  /** As text: `127.0.0.1`, `fe80::1%eth0`. */
  get address(): string {
    const [, a, b, c, d, scope] = this.words as unknown as [number, number, number, number, number, number];
    this.#address ??= this.family === 'IPv4' ? formatIpv4(a) : formatIpv6(a, b, c, d, scope);
    return this.#address;
  }

  /** Whether it is the same address, port and interface. */
  equals(other: UdpPeer): boolean {
    const mine = this.words;
    const its = other.words;
    const words = this.family === 'IPv4' ? 2 : 6;
    for (let i = 0; i < words; i++) if (mine[i] !== its[i]) return false;
    return true;
  }

  /** `127.0.0.1:53`, `[::1]:53`: also the key under which peers are kept in a Map. */
  toString(): string {
    return this.family === 'IPv4' ? `${this.address}:${this.port}` : `[${this.address}]:${this.port}`;
  }
}

/** The peer of the table's entry at `at`. @internal */
export function peerAt(table: Uint32Array, at: number): UdpPeer {
  return new UdpPeer(table.slice(at + DATAGRAM_WORD_PORT, at + DATAGRAM_WORD_ADDRESS + 5));
}

/**
 * The peer at an IP address. Make it once for many sends.
 *
 * @example
 * ```ts
 * const peer = udpPeer('127.0.0.1', 9); // the discard service
 * const socket = await bindUdp({ host: '127.0.0.1' });
 * await socket.send('hello', peer);
 * console.log(String(peer)); // 127.0.0.1:9
 * await socket.close();
 * ```
 * @param address an IPv4 or IPv6 address, `fe80::1%eth0` with the interface of a link-local one; no host name.
 * @param port 1 to 65535.
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`).
 */
export function udpPeer(address: string, port: number): UdpPeer {
  const family = typeof address === 'string' ? parseIp(address) : 0;
  if (family === 0) throw invalidType('address', 'an IPv4 or IPv6 address', address);
  checkInteger(port, 'port', 1, 65535);
  const words = new Uint32Array(6);
  words[0] = port | DATAGRAM_ADDRESSED | (family === 6 ? DATAGRAM_IPV6 : 0);
  words.set(family === 6 ? parsed : parsed.subarray(0, 1), 1);
  words[5] = parsedScope;
  return new UdpPeer(words);
}

let last: { address: string; port: number; peer: UdpPeer } | null = null;

/** Of a destination that is given as an address and a port; the last one is remembered. @internal */
export function peerOf(to: { readonly address: string; readonly port: number }): UdpPeer {
  if (to instanceof UdpPeer) return to;
  if (to === null || typeof to !== 'object') throw invalidType('to', 'a peer, a datagram or { address, port }', to);
  const { address, port } = to;
  if (last === null || last.address !== address || last.port !== port) {
    last = { address, port, peer: udpPeer(address, port) };
  }
  return last.peer;
}
