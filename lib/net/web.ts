// The face of Web Streams: a readable byte stream and a writable stream over one socket.
//
// - A byte stream takes the memory of each chunk that it is given away from whoever gave it. So every chunk is a copy with
//   a buffer of its own, never the receive arena, and never a part of Node's pool.
// - Bytes that somebody waits for with a buffer of his own (BYOB) are copied right into it.
// - Reading pauses while the stream holds more than the socket's high watermark; a write is done when the socket does not
//   tell to wait.
import type { ReadableByteStreamController, ReadableStream, WritableStream } from 'node:stream/web';
import { MillraceError } from '../internal/errors.js';
import type { Chunk } from './chunk.js';
import type { Data } from './data.js';
import type { Socket } from './socket.js';

export interface WebStreams {
  /** A byte stream: also for `getReader({ mode: 'byob' })`. `cancel` drops what still comes. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Takes what `socket.write` takes. `close` ends our side when all has left; `abort` resets the connection. */
  readonly writable: WritableStream<Data>;
}

export class WebFace implements WebStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Data>;
  readonly #socket: Socket;
  readonly #allowHalfOpen: boolean;
  #reader!: ReadableByteStreamController;
  /** Nothing is given to the reader any more. */
  #readEnded = false;
  #writeEnded = false;
  /** The reader wants no more: then there is no end to wait for either. */
  #cancelled = false;
  #paused = false;
  #failWriter: (error: unknown) => void = () => {};
  #flushed: (() => void) | null = null;

  constructor(socket: Socket, allowHalfOpen: boolean) {
    this.#socket = socket;
    this.#allowHalfOpen = allowHalfOpen;
    const { ReadableStream, WritableStream } = process.getBuiltinModule('node:stream/web');
    const { highWaterMark } = socket;
    this.readable = new ReadableStream(
      {
        type: 'bytes',
        start: (controller: ReadableByteStreamController) => {
          this.#reader = controller;
        },
        pull: () => this.#hold(false),
        cancel: () => this.#cancel(),
      },
      { highWaterMark },
    );
    this.writable = new WritableStream<Data>(
      {
        start: (controller) => {
          this.#failWriter = (error) => controller.error(error);
        },
        write: (data) => this.#write(data),
        close: () => this.#close(),
        abort: () => this.#abort(),
      },
      { highWaterMark, size: lengthOf },
    );
    const { received, ended } = socket.takeOver({
      data: (_socket, chunk) => this.#received(chunk),
      drain: () => this.#drained(),
      end: () => this.#ended(),
      error: (_socket, error) => this.#fail(error),
      close: () => this.#closed(),
    });
    for (const bytes of received) this.#reader.enqueue(Uint8Array.from(bytes));
    if (ended) this.#ended();
  }

  #received(chunk: Chunk): void {
    if (this.#readEnded) return;
    const reader = this.#reader;
    let from = 0;
    const wanted = reader.byobRequest;
    if (wanted !== null && wanted !== undefined && wanted.view !== null) {
      const view = wanted.view as Uint8Array;
      from = Math.min(view.byteLength, chunk.length);
      view.set(chunk.bytes.subarray(0, from));
      wanted.respond(from);
    }
    if (from < chunk.length) {
      const bytes = new Uint8Array(chunk.length - from);
      bytes.set(from === 0 ? chunk.bytes : chunk.bytes.subarray(from));
      reader.enqueue(bytes);
    }
    if ((reader.desiredSize ?? 0) <= 0) this.#hold(true);
  }

  #hold(paused: boolean): void {
    if (this.#paused === paused) return;
    this.#paused = paused;
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  #ended(): void {
    this.#endReading();
    if (!this.#allowHalfOpen) this.#endWriting();
  }

  #endReading(): void {
    if (this.#readEnded) return;
    this.#readEnded = true;
    this.#reader.close();
    // Whoever waits with a buffer is told only so.
    this.#reader.byobRequest?.respond(0);
  }

  /** Our side ends with the peer's; what is written from then on fails. */
  #endWriting(): void {
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    this.#socket.shutdown();
  }

  #fail(error: Error): void {
    if (!this.#readEnded) this.#reader.error(error);
    this.#readEnded = true;
    this.#failWriter(error);
    this.#drained();
  }

  #closed(): void {
    // Closed by somebody else: neither side came to its end.
    if (!this.#readEnded || !this.#writeEnded) this.#fail(closedError());
    this.#drained();
  }

  #cancel(): void {
    this.#readEnded = true;
    this.#cancelled = true;
    // So that the peer's end is still seen.
    this.#hold(false);
    if (this.#writeEnded) this.#socket.close();
  }

  async #write(data: Data): Promise<void> {
    let result: ReturnType<Socket['write']>;
    try {
      result = this.#socket.write(data);
    } catch (error) {
      // A stream that has failed once takes nothing more: then the connection serves nobody.
      this.#socket.destroy();
      throw error;
    }
    if (result.queued) await result.promise();
  }

  async #close(): Promise<void> {
    this.#writeEnded = true;
    if (this.#socket.notifyDrain()) {
      const flushed = new Promise<void>((resolve) => {
        this.#flushed = resolve;
      });
      this.#socket.shutdown();
      await flushed;
      if (this.#socket.error !== null) throw this.#socket.error;
    } else {
      this.#socket.shutdown();
    }
    if (this.#cancelled) this.#socket.close();
  }

  #abort(): void {
    this.#writeEnded = true;
    this.#socket.destroy();
  }

  #drained(): void {
    this.#flushed?.();
    this.#flushed = null;
  }
}

function lengthOf(data: Data): number {
  if (typeof data === 'string') return data.length;
  const bytes =
    (data as { byteLength?: unknown; length?: unknown } | null)?.byteLength ?? (data as Chunk | null)?.length;
  // What is no data is the write's to refuse, which ends the connection; who throws here ends the stream alone.
  return typeof bytes === 'number' ? bytes : 0;
}

function closedError(): MillraceError {
  return new MillraceError('ERR_MILLRACE_SOCKET_CLOSED', 'This socket is closed');
}
