// What a socket is made of, and how its handlers are called. The stories of a socket stand in a file each, every one a
// class over the one before, so that a connection is one object: what is asked of the kernel (socket-controls.ts),
// writing (socket-writing.ts), reading (socket-reading.ts), and its life from opening to close (socket.ts).
//
// - States: open -> closing -> closed. The addon's Closed completion is the last thing that is heard of a handle.
// - `detour` is 0 for a socket that can simply be written to: one comparison on the hot path for all that is rare.
import { MillraceError, shown } from '../internal/errors.js';
import { SLOT_MASK } from '../internal/layout.js';
import { SharedOperation } from '../internal/operation.js';
import type { Snapshot } from '../internal/task-context.js';
import { type Arenas, openArenas } from './arenas.js';
import type { DataHandler, SocketHandlers } from './handlers.js';
import { HIGH_WATER_MARK, lowWaterMarkOf, type SocketOptions, WRITE_LIMIT } from './options.js';
import { Rare } from './rare.js';
import type { ReadQueue } from './read-queue.js';
import type { Socket } from './socket.js';
import type { Drained } from './written.js';

export const OPEN = 1;
export const CLOSING = 2;
export const CLOSED = 3;

/** Why a write has to look closer: it may not be written to any more; what is written goes into the outbox; a timeout. */
export const NOT_WRITABLE = 1;
export const HAS_OUTBOX = 2;
export const WATCHED = 4;

/** A listener. */
export interface SocketOwner {
  socketClosed(): void;
}

export class Closed extends SharedOperation<void> {
  get kind(): string {
    return 'socket.close';
  }
  protected onCancel(): void {}
}

export abstract class SocketState {
  /** @internal */
  readonly handle: number;
  /** @internal Who accepted it, and is told when it has ended. */
  readonly owner: SocketOwner | null;
  /** For the user: whatever belongs to this connection. */
  data: unknown = undefined;
  /** Bytes received, as far as they were delivered. */
  bytesRead = 0;
  /** Bytes given to `write`. */
  bytesWritten = 0;
  /** In bytes: see the options. */
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly writeLimit: number;
  protected readonly arenas: Arenas;
  protected handlers: SocketHandlers;
  protected onData: DataHandler | null;
  /** The async context of the `listen` or `connect` that was given the handlers. */
  protected context: Snapshot | null;
  protected state = OPEN;
  protected detour = 0;
  /** Bytes submitted, modulo 2^32: what `bytesSent` of the arenas is compared with. */
  protected submitted: number;
  protected halfOpen: boolean;
  protected shutDown = false;
  protected ended = false;
  protected paused = false;
  /** Paused because too much was received that nobody has read yet. */
  protected full = false;
  /** What comes is not wanted any more. */
  protected discards = false;
  protected destroyed = false;
  protected failure: Error | null = null;
  protected drained: Drained | null = null;
  protected closing: Closed | null = null;
  protected reads: ReadQueue | null = null;
  protected rare: Rare | null = null;

  /** @internal Use `connect` or `listen`. */
  constructor(
    handle: number,
    options: SocketHandlers & SocketOptions,
    context: Snapshot | null,
    owner: SocketOwner | null = null,
  ) {
    this.handle = handle;
    this.owner = owner;
    this.context = context;
    this.arenas = openArenas();
    this.submitted = this.arenas.bytesSent[handle & SLOT_MASK] as number;
    this.handlers = options;
    this.onData = options.data ?? null;
    this.highWaterMark = options.highWaterMark ?? HIGH_WATER_MARK;
    this.lowWaterMark = lowWaterMarkOf(this.highWaterMark, options.lowWaterMark);
    this.writeLimit = options.writeLimit ?? WRITE_LIMIT;
    this.halfOpen = options.allowHalfOpen === true;
  }

  /** True from the moment that the connection stands until `close`, `destroy` or an error. */
  get open(): boolean {
    return this.state === OPEN;
  }

  /** True when everything about this socket is over. */
  get closed(): boolean {
    return this.state === CLOSED;
  }

  /** True while it can be written to. */
  get writable(): boolean {
    return (this.detour & NOT_WRITABLE) === 0;
  }

  /** True when the peer has ended its side. */
  get peerEnded(): boolean {
    return this.ended;
  }

  /** What it failed with; null while it has not. */
  get error(): Error | null {
    return this.failure;
  }

  /** Bytes that were written and have not left yet. */
  get bytesQueued(): number {
    if (this.state === CLOSED) return 0;
    const queued = (this.submitted - this.bytesLeft) >>> 0;
    return (this.detour & HAS_OUTBOX) === 0 ? queued : queued + (this.rare?.outbox?.bytes ?? 0);
  }

  /** @internal Bytes that left, modulo 2^32. */
  get bytesLeft(): number {
    return this.arenas.bytesSent[this.handle & SLOT_MASK] as number;
  }

  /** Bytes that were received and that nobody has read. */
  get bytesUnread(): number {
    return this.reads === null ? 0 : this.reads.bytes;
  }

  protected ensureRare(): Rare {
    this.rare ??= new Rare();
    return this.rare;
  }

  protected get isDetaching(): boolean {
    return this.rare !== null && this.rare.detached !== null && !this.destroyed;
  }

  /** Without a `data` handler. */
  protected get isRead(): boolean {
    return this.onData === null && (this.rare === null || this.rare.successor === null);
  }

  protected call(handler: () => void): void {
    try {
      if (this.context === null) handler();
      else this.context(handler, undefined);
    } catch (error) {
      this.handlerThrew(error);
    }
  }

  /** A handler's bug ends its own connection and is told; the other connections never notice. */
  protected handlerThrew(thrown: unknown): void {
    const error =
      thrown instanceof Error ? thrown : new Error(`A socket handler threw ${shown(thrown)}`, { cause: thrown });
    this.destroy();
    const told = this.state !== CLOSED && this.failure === null && this.handlers.error !== undefined;
    if (told) this.fail(error);
    else process.nextTick(rethrow, error);
  }

  protected throwClosed(): never {
    throw this.failure ?? this.closedError();
  }

  protected closedError(): MillraceError {
    return new MillraceError('ERR_MILLRACE_SOCKET_CLOSED', 'This socket is closed');
  }

  /** What the handlers are given. */
  protected get self(): Socket {
    return this as unknown as Socket;
  }

  abstract destroy(error?: Error): void;

  protected abstract fail(error: Error): void;
}

export function noReads(): MillraceError {
  return new MillraceError(
    'ERR_MILLRACE_INVALID_STATE',
    'This socket has a data handler; read() would never get anything',
  );
}

function rethrow(error: unknown): never {
  throw error;
}
