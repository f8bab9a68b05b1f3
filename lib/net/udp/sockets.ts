// Which UDP socket each handle of the addon stands for, and the tick's completions on their way there: all are taken from
// the ring first, then handlers run (see endpoints.ts).
import { border, type SocketCompletions } from '../../internal/border.js';
import { COMPLETION_CAPACITY, SLOT_MASK } from '../../internal/layout.js';

export interface UdpEndpoint {
  readonly handle: number;
  complete(kind: number, a: number, b: number): void;
}

const WORDS = 4;

class UdpSockets implements SocketCompletions {
  readonly #sockets: (UdpEndpoint | null)[] = [];
  readonly #queue = new Uint32Array(COMPLETION_CAPACITY * WORDS);
  #queued = 0;

  add(socket: UdpEndpoint): void {
    const slot = socket.handle & SLOT_MASK;
    while (this.#sockets.length <= slot) this.#sockets.push(null);
    this.#sockets[slot] = socket;
  }

  remove(socket: UdpEndpoint): void {
    const slot = socket.handle & SLOT_MASK;
    if (this.#sockets[slot] === socket) this.#sockets[slot] = null;
  }

  complete(kind: number, handle: number, a: number, b: number): void {
    const at = this.#queued * WORDS;
    this.#queue[at] = kind;
    this.#queue[at + 1] = handle;
    this.#queue[at + 2] = a;
    this.#queue[at + 3] = b;
    this.#queued++;
  }

  runHandlers(): void {
    const count = this.#queued;
    const queue = this.#queue;
    this.#queued = 0;
    for (let at = 0; at < count * WORDS; at += WORDS) {
      const handle = queue[at + 1] as number;
      const socket = this.#sockets[handle & SLOT_MASK];
      if (socket !== null && socket !== undefined && socket.handle === handle) {
        try {
          socket.complete(queue[at] as number, queue[at + 2] as number, queue[at + 3] as number);
        } catch (error) {
          // A getter among the user's options, say: the other sockets of this tick never notice.
          process.nextTick(rethrow, error);
        }
      }
    }
  }
}

function rethrow(error: unknown): never {
  throw error;
}

export const udpSockets = new UdpSockets();
border.datagrams = udpSockets;
