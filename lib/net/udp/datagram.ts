import { Buffer } from 'node:buffer';
import { MillraceError } from '../../internal/errors.js';
import {
  DATAGRAM_TRUNCATED,
  DATAGRAM_WORD_LENGTH,
  DATAGRAM_WORD_OFFSET,
  DATAGRAM_WORD_PORT,
} from '../../internal/layout.js';
import { peerAt, type UdpPeer } from './peer.js';

/**
 * A datagram that was received. Given to a `message` handler it is on loan, bytes and sender: after the handler has
 * returned, every use throws `ERR_MILLRACE_CHUNK_DEAD`. One from `receive` is yours.
 *
 * `socket.send(datagram, datagram)` sends it back to where it came from, without a copy.
 */
export class Datagram {
  /** Of its bytes, from 0 to 65,527. */
  readonly length: number;
  /** @internal */
  readonly arena: Buffer;
  /** @internal */
  readonly table: Uint32Array;
  /** @internal Of its entry in the table. */
  readonly at: number;
  /** @internal */
  alive = true;
  #bytes: Buffer | null = null;
  #from: UdpPeer | null = null;

  /** @internal */
  constructor(arena: Buffer, table: Uint32Array, at: number) {
    this.arena = arena;
    this.table = table;
    this.at = at;
    this.length = (table[at + DATAGRAM_WORD_LENGTH] as number) & (DATAGRAM_TRUNCATED - 1);
  }

  /** @internal In the arena. */
  get offset(): number {
    return this.table[this.at + DATAGRAM_WORD_OFFSET] as number;
  }

  /** Whether it was longer than the socket's `maxDatagramBytes`; the rest is lost. */
  get truncated(): boolean {
    if (!this.alive) throw dead();
    return ((this.table[this.at + DATAGRAM_WORD_LENGTH] as number) & DATAGRAM_TRUNCATED) !== 0;
  }

  /** Who sent it. The peer may be kept. */
  get from(): UdpPeer {
    if (!this.alive) throw dead();
    this.#from ??= peerAt(this.table, this.at);
    return this.#from;
  }

  /** The bytes themselves, not a copy: in a handler do not keep them. */
  get bytes(): Buffer {
    if (!this.alive) throw dead();
    this.#bytes ??= this.arena.subarray(this.offset, this.offset + this.length);
    return this.#bytes;
  }

  /** A Buffer of its own with the same bytes, to keep. */
  copy(): Buffer {
    return Buffer.from(this.bytes);
  }

  /** The same as `copy`. */
  keep(): Buffer {
    return this.copy();
  }

  /** The text; `encoding` is one of Node's, utf8 if not given. */
  toString(encoding: BufferEncoding = 'utf8'): string {
    if (!this.alive) throw dead();
    const { offset } = this;
    return this.arena.toString(encoding, offset, offset + this.length);
  }

  /** @internal Writes the words of the sender into another table's entry. */
  copyPeer(to: Uint32Array, at: number): void {
    if (!this.alive) throw dead();
    const { table } = this;
    const from = this.at + DATAGRAM_WORD_PORT;
    const into = at + DATAGRAM_WORD_PORT;
    // A loop would cost more than the words do.
    to[into] = table[from] as number;
    to[into + 1] = table[from + 1] as number;
    to[into + 2] = table[from + 2] as number;
    to[into + 3] = table[from + 3] as number;
    to[into + 4] = table[from + 4] as number;
    to[into + 5] = table[from + 5] as number;
  }
}

export function dead(): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_CHUNK_DEAD',
    'This datagram was on loan to a message handler that has returned; take datagram.copy() and datagram.from inside it',
  );
}
