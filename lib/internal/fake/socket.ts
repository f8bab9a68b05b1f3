// A socket or listener of the fake. Phases and what is owed are those of native/io/socket.h.
import type { Arenas } from './arenas.js';
import type { Address, Endpoint } from './endpoint.js';
import { SendQueue } from './send-queue.js';

export const CONNECTING = 0;
export const OPEN = 1;
/** Close was asked for: what was sent before leaves first. */
export const LEAVING = 2;
export const ENDING = 3;
export const ENDED = 4;

/** Completions that are due, in this order. */
export const OWED_CONNECT = 1;
export const OWED_END = 2;
export const OWED_DRAIN = 4;
export const OWED_ERROR = 8;
export const OWED_CLOSED = 16;

export class FakeSocket {
  paused = false;
  finWanted = false;
  finSent = false;
  reset = false;
  referenced = true;
  readEnded = false;
  owed = 0;
  /** Drain is due once at most so many bytes wait; -1: nobody asked. */
  drainLow = -1;
  connectResult = 0;
  /** While it connects: when that is decided, and the error of its route. */
  decidedNs = 0;
  routeError = 0;
  error = 0;
  errorCall = 0;
  unsentBytes = 0;
  detaching = false;
  /** After a Detach. */
  descriptor = -1;
  /** What was set; what was not has its default. */
  readonly options = new Map<number, number>();
  /** A stream's name of its own until it is connected. */
  local: Address;
  /** A stream's, once it is connected. */
  end: Endpoint | null = null;
  readonly sends: SendQueue;
  /** A listener's: connections that nobody has accepted. */
  backlog: Endpoint[] = [];
  /** A listener's: it was told that accepting fails. */
  acceptTrouble = false;
  /** A listener's: when accepting is tried again. */
  retryNs = 0;

  constructor(
    readonly handle: number,
    readonly isListener: boolean,
    public phase: number,
    /** Where it listens, or where it connects to. */
    readonly target: Address,
    arenas: Arenas,
  ) {
    this.local = target;
    this.sends = new SendQueue(arenas);
  }

  /** Notes that Drain is due, once it is. */
  checkDrain(): void {
    if (this.drainLow < 0 || this.phase > OPEN || this.sends.bytes > this.drainLow) return;
    this.drainLow = -1;
    this.owed |= OWED_DRAIN;
  }

  /** There is something for a turn to do. */
  canGoOn(nowNs: number): boolean {
    if (this.phase === ENDED) return false;
    if (this.phase === ENDING) return true;
    if (this.isListener) return !this.paused && this.retryNs <= nowNs && this.backlog.length > 0;
    if (this.phase === CONNECTING) return this.decidedNs <= nowNs;
    if (this.phase === LEAVING || !this.sends.empty || (this.finWanted && !this.finSent)) return true;
    const { end } = this;
    return this.wantsReceive && end !== null && (end.inboxBytes > 0 || end.finReceived || end.resetReceived);
  }

  get wantsReceive(): boolean {
    return this.phase === OPEN && !this.paused && !this.readEnded;
  }
}
