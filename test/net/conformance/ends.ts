// Two ends of one connection, each of which knows exactly what it wrote, what it received, what it was told and what of
// its operations still waits.
import { expect } from 'vitest';
import { spawn } from '../../../lib/index.js';
import { border } from '../../../lib/internal/border.js';
import { Chunk, type ConnectOptions, connect, listen } from '../../../lib/net/index.js';
import { Socket } from '../../../lib/net/socket.js';
import { Deferred, pattern } from '../scene.js';

export type Transport = 'tcp' | 'unix';
export type Face = 'stream' | 'handlers';

const KIBIBYTE = 1024;
/** Small, so that little has to be written before somebody has to wait. */
const KERNEL_BUFFER_BYTES = 32 * KIBIBYTE;
export const HIGH_WATER_MARK = 32 * KIBIBYTE;
export const WRITE_LIMIT = 256 * KIBIBYTE;

const STREAM = pattern(4 * KIBIBYTE * KIBIBYTE);

/** On a busy machine; then it is told what is missing. */
const PATIENCE_MS = 10_000;

/** How `waitUntil` lets others go on. Over the fake in virtual time, so that a seed decides everything. */
export const waiting = {
  pause: (): PromiseLike<unknown> => new Promise((resolve) => setTimeout(resolve, 1)),
};

export async function waitUntil(condition: () => boolean, state: () => string): Promise<void> {
  const before = performance.now();
  while (!condition()) {
    if (performance.now() - before > PATIENCE_MS) throw new Error(`nothing happens any more: ${state()}`);
    await waiting.pause();
  }
}

interface Waiting {
  abort(reason?: unknown): void;
}

export class End {
  socket!: Socket;
  /** What the handlers were told, in order, without `data`. */
  readonly events: string[] = [];
  written = 0;
  /** Writes that were told to wait, where none before them still waited. */
  crossings = 0;
  /** Its drain has not been told yet. */
  #crossed = false;
  received = 0;
  /** Of the `close` handler; -1 before. */
  lost = -1;
  /** How the stream of the other end came to its end. */
  end = '';
  /** The operations that were made to wait. */
  readonly waits: string[] = [];
  inherited: Promise<void> = Promise.resolve();
  #writtenByHeir = 0;
  #descriptor = -1;
  /** How each waiting operation ended; it waits while it is not there. */
  readonly outcomes = new Map<string, string>();
  readonly #tasks: Waiting[] = [];

  constructor(
    readonly name: string,
    readonly face: Face,
  ) {}

  get handlers(): object {
    return {
      allowHalfOpen: true,
      sendBufferSize: KERNEL_BUFFER_BYTES,
      receiveBufferSize: KERNEL_BUFFER_BYTES,
      highWaterMark: HIGH_WATER_MARK,
      writeLimit: WRITE_LIMIT,
      ...(this.face === 'handlers' ? { data: (_socket: Socket, chunk: Chunk) => this.take(chunk) } : {}),
      drain: () => {
        this.events.push(this.#crossed ? 'drain' : 'drain without a crossing');
        this.#crossed = false;
      },
      end: () => void this.events.push('end'),
      error: (_socket: Socket, error: Error) => void this.events.push(`error ${codeOrName(error)}`),
      close: (_socket: Socket, lostBytes: number) => {
        this.events.push('close');
        this.lost = lostBytes;
      },
    };
  }

  /** The next `length` bytes of the stream. What throws has written nothing. */
  write(length: number) {
    const result = this.socket.write(STREAM.subarray(this.written, this.written + length));
    this.written += length;
    if (result.queued && !this.#crossed) {
      this.#crossed = true;
      this.crossings++;
    }
    return result;
  }

  /** What was received has to be the next of what the other end wrote. */
  take(chunk: Uint8Array | Chunk): void {
    const bytes = chunk instanceof Chunk ? chunk.bytes : chunk;
    const at = this.received;
    if (Buffer.compare(bytes, STREAM.subarray(at, at + bytes.length)) !== 0)
      throw new Error(`${this.name} got other bytes than the next ${bytes.length} from ${at}`);
    this.received += bytes.length;
  }

  /** A task of its own waits for `operation`. */
  wait(name: string, operation: () => PromiseLike<unknown>): void {
    const task = spawn(async () => {
      let outcome: string;
      try {
        const value = await operation();
        if (value instanceof Uint8Array) this.take(value);
        if (typeof value === 'number') this.#descriptor = value;
        outcome = value instanceof Uint8Array ? 'bytes' : value === null ? 'end' : 'done';
      } catch (error) {
        outcome = codeOrName(error);
      }
      // Once: a second one would be seen.
      this.outcomes.set(name, this.outcomes.has(name) ? 'settled twice' : outcome);
    });
    // Aborted before it began: it never asked.
    task.then(undefined, () => this.outcomes.set(name, this.outcomes.get(name) ?? 'ABORTED'));
    this.#tasks.push(task);
    this.waits.push(name);
  }

  cancelWaiting(): void {
    for (const task of this.#tasks) task.abort('given up');
  }

  /** Reads to the end, or to the error, in pieces of at most `limit`; gives which. */
  async readToEnd(limit?: number): Promise<string> {
    try {
      for (;;) {
        const bytes = await this.socket.read(limit);
        if (bytes === null) return 'end';
        this.take(bytes);
      }
    } catch (error) {
      return codeOrName(error);
    }
  }

  /** Whoever got the descriptor says and hears the rest of the stream. */
  async inherit(lastWordsBytes: number): Promise<boolean> {
    await waitUntil(
      () => this.outcomes.has('detach'),
      () => 'the descriptor does not come',
    );
    if (this.#descriptor < 0) return false;
    if (this.face === 'stream') await this.readToEnd();
    const heir = new Socket(border.open().adopt(this.#descriptor), { allowHalfOpen: true }, null);
    void heir.write(STREAM.subarray(this.written, this.written + lastWordsBytes));
    this.written += lastWordsBytes;
    this.#writtenByHeir = lastWordsBytes;
    heir.shutdown();
    this.inherited = (async () => {
      for (let bytes = await heir.read(); bytes !== null; bytes = await heir.read()) this.take(bytes);
      await heir.close();
    })();
    return true;
  }

  get drains(): number {
    return this.events.filter((event) => event === 'drain').length;
  }

  get pending(): string[] {
    return this.waits.filter((name) => !this.outcomes.has(name));
  }

  get settled(): boolean {
    return this.pending.length === 0;
  }

  /** `close` once and last, drains told by a socket that was open, and nothing that still waits. */
  check(): void {
    const { events } = this;
    expect(
      events.filter((event) => event === 'close'),
      `${this.name}: ${events}`,
    ).toHaveLength(1);
    expect(events.at(-1), this.name).toBe('close');
    expect(events.filter((event) => event === 'end').length, this.name).toBeLessThanOrEqual(1);
    expect(events.filter((event) => event.startsWith('error')).length, this.name).toBeLessThanOrEqual(1);
    expect(events, this.name).not.toContain('drain without a crossing');
    expect(this.drains, `${this.name}: drains`).toBeLessThanOrEqual(this.crossings);
    expect(this.socket.bytesWritten, `${this.name}: bytesWritten`).toBe(this.written - this.#writtenByHeir);
    expect(this.lost).toBeGreaterThanOrEqual(0);
    expect(this.lost).toBeLessThanOrEqual(this.written);
  }
}

/** Shorter, for the table. */
const SHORT: Record<string, string> = {
  ABORT_ERR: 'ABORTED',
  ERR_MILLRACE_TIMEOUT: 'TIMEOUT',
  ERR_MILLRACE_SOCKET_CLOSED: 'CLOSED',
  // On a Unix socket: whichever of reading and writing learns of it first.
  EPIPE: 'ECONNRESET',
};

function codeOrName(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: string };
  return typeof code === 'string' ? (SHORT[code] ?? code) : (name ?? String(error));
}

export interface Ends {
  us: End;
  peer: End;
  /** Where the listener was. */
  place: ConnectOptions;
  /** Whether whoever destroys a socket resets the connection: a Unix socket's peer sees an end. */
  resets: boolean;
}

let names = 0;

/** We connected to the peer, which is read as a stream. */
export async function makeEnds(transport: Transport, face: Face): Promise<Ends> {
  const us = new End('we', face);
  const peer = new End('the peer', 'stream');
  const accepted = new Deferred<Socket>();
  const unix = transport === 'unix';
  const name = unix ? { path: `\0millrace-conformance-${process.pid}-${names++}` } : { host: '127.0.0.1' };
  const listener = await listen({ ...name, ...peer.handlers, open: accepted.resolve });
  const place = unix ? name : { ...name, port: listener.port };
  us.socket = await connect({ ...place, ...us.handlers });
  peer.socket = await accepted.promise;
  await listener.close();
  return { us, peer, place, resets: !unix };
}
