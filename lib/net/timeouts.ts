// The idle and the write timeout of one socket.
//
// Nothing is noted when bytes move: one timer looks at the byte counters now and then. When they stand where they stood
// a whole limit ago, the limit has run out. It looks four times in a limit, so a timeout comes at most a quarter of the
// limit late, and never early.
import { now } from '../internal/clock.js';
import { TimeoutError } from '../internal/errors.js';
import { type Runnable, scheduler } from '../internal/scheduler.js';
import { arm, disarm, type TimerTarget } from '../internal/timers.js';

const LOOKS = 4;
const NO_SLOT = -1;

/** No byte has moved for as long as the socket's `idleTimeout` or `writeTimeout` allows. */
export class SocketTimeoutError extends TimeoutError {
  /** 'idle': no byte either way; 'write': bytes wait to be sent, and none has left. */
  readonly kind: 'idle' | 'write';

  constructor(kind: 'idle' | 'write', limitMs: number) {
    super(
      kind === 'idle' ? `No byte came or left for ${limitMs} ms` : `Bytes wait, and none has left for ${limitMs} ms`,
    );
    this.name = 'SocketTimeoutError';
    this.kind = kind;
  }
}

/** What is watched. */
export interface Watched {
  readonly bytesRead: number;
  /** Bytes that left, modulo 2^32. */
  readonly bytesLeft: number;
  readonly bytesQueued: number;
  timedOut(error: SocketTimeoutError): void;
}

export class SocketTimeouts implements TimerTarget, Runnable {
  #idleMs = 0;
  #writeMs = 0;
  #slot = NO_SLOT;
  #read = 0;
  #left = 0;
  #writeLeft = 0;
  /** Bytes wait to be sent, as far as was seen. */
  #writes = false;
  /** Since when no byte has moved, as far as was seen. */
  #idleSinceMs = 0;
  #writeSinceMs = 0;
  /** It was told, and no byte has moved since: as in Node, that happens once. */
  #idleTold = false;
  #writeTold = false;
  #ended = false;
  readonly #socket: Watched;

  constructor(socket: Watched) {
    this.#socket = socket;
  }

  get idleMs(): number {
    return this.#idleMs;
  }

  set idleMs(limitMs: number) {
    this.#idleMs = limitMs;
    this.#begin();
  }

  get writeMs(): number {
    return this.#writeMs;
  }

  set writeMs(limitMs: number) {
    this.#writeMs = limitMs;
    this.#begin();
  }

  /** Something is written: there is something to watch again. */
  wrote(): void {
    if (this.#writes || this.#writeMs === 0 || this.#ended) return;
    this.#writes = true;
    this.#writeTold = false;
    this.#writeSinceMs = now();
    this.#writeLeft = this.#socket.bytesLeft;
    this.#disarm();
    this.#arm(this.#writeSinceMs);
  }

  end(): void {
    this.#ended = true;
    this.#disarm();
  }

  /** @internal */
  timerFired(): void {
    this.#slot = NO_SLOT;
    scheduler.enqueue(this);
  }

  /** @internal */
  run(): void {
    if (this.#ended || this.#slot !== NO_SLOT) return;
    const at = now();
    this.#look(at);
    const idle = this.#idleMs > 0 && !this.#idleTold && at >= this.#idleSinceMs + this.#idleMs;
    const write = this.#writeMs > 0 && !this.#writeTold && at >= this.#writeSinceMs + this.#writeMs;
    if (idle) this.#idleTold = true;
    if (write) this.#writeTold = true;
    this.#arm(at);
    // Last: a handler may do anything, even set other limits.
    if (write) this.#socket.timedOut(new SocketTimeoutError('write', this.#writeMs));
    else if (idle) this.#socket.timedOut(new SocketTimeoutError('idle', this.#idleMs));
  }

  #look(at: number): void {
    const { bytesRead, bytesLeft, bytesQueued } = this.#socket;
    if (bytesLeft !== this.#left || bytesRead !== this.#read) {
      this.#read = bytesRead;
      this.#left = bytesLeft;
      this.#idleSinceMs = at;
      this.#idleTold = false;
    }
    this.#writes = bytesQueued > 0;
    if (!this.#writes || bytesLeft !== this.#writeLeft) {
      this.#writeLeft = bytesLeft;
      this.#writeSinceMs = at;
      this.#writeTold = false;
    }
  }

  #begin(): void {
    this.#disarm();
    if (this.#ended) return;
    const at = now();
    this.#look(at);
    this.#idleSinceMs = at;
    this.#writeSinceMs = at;
    this.#idleTold = false;
    this.#writeTold = false;
    this.#arm(at);
  }

  #arm(at: number): void {
    let delayMs = Number.POSITIVE_INFINITY;
    if (this.#idleMs > 0) delayMs = delayOf(this.#idleMs, this.#idleSinceMs, at, this.#idleTold);
    // With nothing to send there is nothing to watch: `wrote` begins again.
    if (this.#writeMs > 0 && this.#writes) {
      delayMs = Math.min(delayMs, delayOf(this.#writeMs, this.#writeSinceMs, at, this.#writeTold));
    }
    if (delayMs !== Number.POSITIVE_INFINITY) this.#slot = arm(at + delayMs, this, true);
  }

  #disarm(): void {
    if (this.#slot === NO_SLOT) return;
    disarm(this.#slot);
    this.#slot = NO_SLOT;
  }
}

/** Until the next look. */
function delayOf(limitMs: number, sinceMs: number, at: number, told: boolean): number {
  return told ? limitMs / LOOKS : Math.min(limitMs / LOOKS, sinceMs + limitMs - at);
}
