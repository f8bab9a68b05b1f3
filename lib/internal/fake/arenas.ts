// The memory of sockets: receive buffers and who holds them, send blocks and how many of their segments are unsent.
//
// What nobody may read any more is overwritten, so that reading it after all does not go unnoticed. Sends are copied when
// they leave, not when they are submitted, so that writing over what is still being sent does not either.
import { RECEIVE_BUFFER_BYTES, RECEIVE_BUFFERS, SEND_BLOCK_BYTES, SEND_BLOCKS, SOCKETS_MAX } from '../layout.js';

const POISON = 0xdb;
/** The next message in a shared buffer starts on a cache line of its own. */
const PACK_BYTES = 64;

export class Arenas {
  readonly receiveArena = new ArrayBuffer(RECEIVE_BUFFERS * RECEIVE_BUFFER_BYTES);
  readonly sendArena = new ArrayBuffer(SEND_BLOCKS * SEND_BLOCK_BYTES);
  readonly sendBlockSegments = new ArrayBuffer(SEND_BLOCKS * 4);
  readonly socketBytesSent = new ArrayBuffer(SOCKETS_MAX * 4);
  readonly received = new Uint8Array(this.receiveArena);
  readonly sending = new Uint8Array(this.sendArena);
  readonly blockSegments = new Uint32Array(this.sendBlockSegments);
  readonly bytesSent = new Uint32Array(this.socketBytesSent);
  readonly #buffers: number;
  readonly #free: number[] = [];
  readonly #references = new Uint32Array(RECEIVE_BUFFERS);
  readonly #delivered = new Set<number>();
  /** The buffer of this tick that has room left, and from where. */
  #shared = -1;
  #sharedFrom = 0;

  constructor(receiveBuffers: number) {
    this.#buffers = Math.min(receiveBuffers, RECEIVE_BUFFERS);
    for (let buffer = this.#buffers - 1; buffer >= 0; buffer--) this.#free.push(buffer);
  }

  get buffersFree(): number {
    return this.#free.length;
  }

  get buffersInUse(): number {
    return this.#buffers - this.#free.length;
  }

  /** Puts `bytes` (at most a buffer) where JavaScript can read them; gives the offset, or -1 without a buffer. */
  deliver(bytes: Uint8Array, share: boolean): number {
    if (!share || this.#shared < 0 || this.#sharedFrom + bytes.length > RECEIVE_BUFFER_BYTES) {
      const buffer = this.#free.pop();
      if (buffer === undefined) return -1;
      this.#shared = buffer;
      this.#sharedFrom = 0;
      this.#delivered.add(buffer);
      this.hold(buffer);
    }
    const offset = this.#shared * RECEIVE_BUFFER_BYTES + this.#sharedFrom;
    this.received.set(bytes, offset);
    this.#sharedFrom = (this.#sharedFrom + bytes.length + PACK_BYTES - 1) & ~(PACK_BYTES - 1);
    return offset;
  }

  /** JavaScript has seen what was delivered, and the Sends that answer it are queued. False: nothing was. */
  releaseDelivered(): boolean {
    if (this.#delivered.size === 0) return false;
    this.#shared = -1;
    for (const buffer of this.#delivered) this.drop(buffer);
    this.#delivered.clear();
    return true;
  }

  isHeld(buffer: number): boolean {
    return (this.#references[buffer] ?? 0) > 0;
  }

  hold(buffer: number): void {
    this.#references[buffer] = (this.#references[buffer] as number) + 1;
  }

  drop(buffer: number): void {
    const left = (this.#references[buffer] as number) - 1;
    this.#references[buffer] = left;
    if (left > 0) return;
    this.received.fill(POISON, buffer * RECEIVE_BUFFER_BYTES, (buffer + 1) * RECEIVE_BUFFER_BYTES);
    this.#free.push(buffer);
  }
}
