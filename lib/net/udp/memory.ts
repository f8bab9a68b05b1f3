// The memory of UDP that the addon shares (native/io/datagrams.h), seen from JavaScript.
//
// - What was received in this tick: the bytes in an arena, and a table with an entry for each datagram. Both are the
//   addon's again after the tick.
// - What is to be sent: bytes in an arena, and a ring of entries. The addon takes all of it at once, so that the arena is
//   free again whenever the ring is empty.
import { Buffer } from 'node:buffer';
import { border } from '../../internal/border.js';
import {
  DATAGRAM_CONTROL_SEND_HEAD,
  DATAGRAM_CONTROL_SEND_TAIL,
  DATAGRAM_SEND_BYTES,
  DATAGRAM_SENDS,
  DATAGRAM_WORD_HANDLE,
  DATAGRAM_WORD_LENGTH,
  DATAGRAM_WORD_OFFSET,
  DATAGRAM_WORD_WORDS,
} from '../../internal/layout.js';

export class UdpMemory {
  readonly received: Buffer;
  readonly receives: Uint32Array;
  readonly sending: Buffer;
  readonly sends: Uint32Array;
  /** For each slot: the bytes that wait because the kernel had no room, and 64 for each of their datagrams. */
  readonly queuedBytes: Uint32Array;
  readonly #control: Uint32Array;
  #position = 0;

  constructor() {
    const memory = border.open().openDatagrams();
    this.received = Buffer.from(memory.receiveArena);
    this.receives = new Uint32Array(memory.receives);
    this.sending = Buffer.from(memory.sendArena);
    this.sends = new Uint32Array(memory.sends);
    this.queuedBytes = new Uint32Array(memory.queuedBytes);
    this.#control = new Uint32Array(memory.control);
  }

  /** The offset of `bytes` free bytes of the arena. */
  reserve(bytes: number): number {
    const control = this.#control;
    if (control[DATAGRAM_CONTROL_SEND_HEAD] === control[DATAGRAM_CONTROL_SEND_TAIL]) this.#position = 0;
    if (this.#position + bytes > DATAGRAM_SEND_BYTES) {
      border.flush();
      this.#position = 0;
    }
    return this.#position;
  }

  /** The first `bytes` of what was reserved are in use. */
  commit(bytes: number): void {
    this.#position += bytes;
  }

  /** Where in `sends` the next entry is to be written. */
  nextSend(): number {
    const control = this.#control;
    const tail = control[DATAGRAM_CONTROL_SEND_TAIL] as number;
    if ((tail - (control[DATAGRAM_CONTROL_SEND_HEAD] as number)) >>> 0 === DATAGRAM_SENDS) border.flush();
    return (tail & (DATAGRAM_SENDS - 1)) * DATAGRAM_WORD_WORDS;
  }

  /** The entry at `at`, whose peer has been written, is complete. */
  send(at: number, handle: number, offset: number, lengthAndFlags: number): void {
    const { sends } = this;
    sends[at + DATAGRAM_WORD_HANDLE] = handle;
    sends[at + DATAGRAM_WORD_OFFSET] = offset;
    sends[at + DATAGRAM_WORD_LENGTH] = lengthAndFlags;
    const control = this.#control;
    control[DATAGRAM_CONTROL_SEND_TAIL] = (control[DATAGRAM_CONTROL_SEND_TAIL] as number) + 1;
    border.keepAlive();
  }
}

let memory: UdpMemory | null = null;

/** This thread's; allocated when the first UDP socket is made. */
export function openUdpMemory(): UdpMemory {
  memory ??= new UdpMemory();
  return memory;
}
