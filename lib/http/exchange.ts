// One request and its reply, where the reply was not given at once. Exchanges of a connection stand in a list, in the order
// of their requests; only the first one's reply leaves, what the others have to say waits in `#held`.
//
//   waiting -> (whole | begun -> ended) -> left; or aborted at any point before
//
// - `send` gives a whole reply; `begin`, `write`, `end` one in pieces; `raw` and `endRaw` are for who frames by himself.
// - A reply that cannot be completed ends the connection: a short body is never called complete.
import { Buffer } from 'node:buffer';
import { MillraceError } from '../internal/errors.js';
import { SharedOperation } from '../internal/operation.js';
import { type WriteResult, written } from '../net/written.js';
import type { HttpConnection } from './connection.js';
import { type Framing, framingOf, headOf, isAscii, LAST_CHUNK, NO_FRAMING, TEXT_FIELDS } from './reply-head.js';
import type { HttpRequest } from './request.js';

const WAITING = 0;
const BEGUN = 1;
const ENDED = 2;
const ABORTED = 3;

/** Bytes that a reply may hold back while it is not its turn, before a write is told to wait. */
const HELD_BYTES = 64 * 1024;

/** Told when the connection has gone before the reply was complete. */
export interface GoneListener {
  exchangeGone(error: Error | null): void;
}

class Turn extends SharedOperation<void> implements WriteResult {
  get queued(): boolean {
    return true;
  }
  get kind(): string {
    return 'http.write';
  }
  protected onCancel(): void {}
  protected override unobserved(): void {}
}

export class Exchange {
  readonly request: HttpRequest;
  readonly connection: HttpConnection;
  next: Exchange | null = null;
  /** Of the reply; 0 while there is none. */
  status = 0;
  /** Of the status line; '' for the status' own phrase. Checked. */
  reason = '';
  /** @internal Counted among those whose handlers have not answered. */
  running = false;
  /** @internal It waits for a handler. */
  queued = false;
  /** What an upgrade or a handler's own framing has decided; else what request and connection allow. */
  keepAlive = true;
  onGone: GoneListener | null = null;
  #state = WAITING;
  #framing: Framing = NO_FRAMING;
  #left = 0;
  #held: (string | Uint8Array)[] | null = null;
  #heldBytes = 0;
  #turn: Turn | null = null;
  #continued = false;

  constructor(request: HttpRequest, connection: HttpConnection) {
    this.request = request;
    this.connection = connection;
  }

  /** Nothing has been said yet. */
  get waiting(): boolean {
    return this.#state === WAITING;
  }

  get ended(): boolean {
    return this.#state >= ENDED;
  }

  get aborted(): boolean {
    return this.#state === ABORTED;
  }

  /** Its reply may leave. */
  get hasTurn(): boolean {
    return this.connection.first === this;
  }

  /** A whole reply. `fields` is a block of checked lines; a body is sent as it is. False: it is too late. */
  send(status: number, fields: string, body: string | Uint8Array | null, dated = false): boolean {
    if (this.#state !== WAITING) return false;
    if (status < 300 && this.request.isConnect) return this.#refuseTunnel();
    this.#begun();
    this.status = status;
    const { request, connection } = this;
    const bytes = body === null || (typeof body === 'string' && isAscii(body)) ? body : bytesOf(body);
    const framing = framingOf(status, request.isHead, request.http10, bytes === null ? 0 : bytes.length);
    connection.decideKeepAlive(this);
    const head = headOf(status, fields, dated, framing.field, this.keepAlive, request.http10, this.reason);
    if (bytes === null || framing.silent) {
      this.emit(head);
    } else if (typeof bytes === 'string') {
      this.emit(head + bytes);
    } else {
      this.emit(head);
      this.emit(bytes);
    }
    this.#finish();
    return true;
  }

  /**
   * Begins a reply in pieces. `length` is that of the body; null when it is not known: chunks, or with HTTP/1.0 the end of
   * the connection. False: it is too late, or there is no such reply.
   */
  begin(status: number, fields: string, length: number | null, dated = false): boolean {
    if (this.#state !== WAITING) return false;
    if (status < 300 && this.request.isConnect) return !this.#refuseTunnel();
    this.#begun();
    this.status = status;
    const { request, connection } = this;
    const framing = framingOf(status, request.isHead, request.http10, length);
    this.#framing = framing;
    this.#left = framing.length;
    if (framing.closes) this.keepAlive = false;
    connection.decideKeepAlive(this, false);
    this.emit(headOf(status, fields, dated, framing.field, this.keepAlive, request.http10, this.reason));
    return true;
  }

  /**
   * More of the body. Done when there is room for more.
   * @throws MillraceError `ERR_MILLRACE_HTTP_REPLY` for more bytes than were announced, or after the end.
   */
  write(data: string | Uint8Array): WriteResult {
    this.connection.checkRoom(this.#held === null ? 0 : this.#heldBytes);
    if (this.#state === ABORTED) throw this.connection.goneError();
    if (this.#state !== BEGUN) throw replyError('This reply has ended already, or not begun');
    const framing = this.#framing;
    if (data.length === 0 || framing.silent) return written();
    const bytes = typeof data === 'string' && isAscii(data) ? data : bytesOf(data);
    const { length } = bytes;
    if (framing.chunked) {
      const size = `${length.toString(16)}\r\n`;
      if (typeof bytes === 'string') return this.emit(`${size}${bytes}\r\n`);
      this.emit(size);
      this.emit(bytes);
      return this.emit('\r\n');
    }
    if (framing.length >= 0) {
      if (length > this.#left) {
        const error = replyError(`The reply announced ${framing.length} bytes and has ${length - this.#left} more`);
        this.#broken(error);
        throw error;
      }
      this.#left -= length;
    }
    return this.emit(bytes);
  }

  /** The body is complete. `trailers` is a block of checked lines; they leave where chunks do, else they are dropped. */
  end(trailers = ''): void {
    if (this.#state !== BEGUN) return;
    const framing = this.#framing;
    if (framing.length >= 0 && this.#left > 0 && !framing.silent) {
      this.#broken(replyError(`The reply announced ${framing.length} bytes and ended ${this.#left} short`));
      return;
    }
    if (framing.chunked && !framing.silent) this.emit(trailers === '' ? LAST_CHUNK : `0\r\n${trailers}\r\n`);
    this.#finish();
  }

  /** Bytes of whoever frames by himself: head and all. */
  raw(data: string | Uint8Array, status: number): WriteResult {
    if (this.#state === WAITING) {
      this.status = status;
      this.#begun();
      this.connection.decideKeepAlive(this);
    }
    if (this.#state !== BEGUN) throw this.connection.goneError();
    return this.emit(data);
  }

  /** @param keepAlive whether the head that was given lets the connection go on. */
  endRaw(keepAlive: boolean): void {
    if (this.#state === WAITING) this.#begun();
    if (this.#state !== BEGUN) return;
    if (!keepAlive) this.keepAlive = false;
    this.#finish();
  }

  /**
   * The reply cannot be completed: the connection ends where it broke off, and is reset where its end would be taken for
   * that of the body. The replies before it still arrive.
   */
  abort(error: Error | null): void {
    if (this.#state >= ENDED) return;
    const { chunked, length } = this.#framing;
    this.#begun();
    this.#state = ABORTED;
    this.#held = null;
    this.connection.broken(this, chunked || length >= 0, error);
  }

  /** 100 Continue, in its turn, once. */
  sendContinue(): void {
    if (this.#state !== WAITING || this.#continued) return;
    this.#continued = true;
    this.emit('HTTP/1.1 100 Continue\r\n\r\n');
  }

  /** Text is a byte a code unit. Leaves at once in its turn; else it waits for it. */
  emit(data: string | Uint8Array): WriteResult {
    if (this.connection.first === this) return this.connection.emit(data);
    this.#held ??= [];
    // Bytes may be the caller's to write over.
    this.#held.push(typeof data === 'string' ? data : Uint8Array.from(data));
    this.#heldBytes += data.length;
    if (this.#heldBytes <= HELD_BYTES) return written();
    this.#turn ??= new Turn();
    return this.#turn;
  }

  /** @internal It is its turn: what it has said leaves. */
  takeTurn(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) for (const data of held) this.connection.emit(data);
    this.#turn?.fulfill(undefined);
    this.#turn = null;
  }

  /** @internal The socket belongs to somebody else: there will be no reply. */
  handedOver(): void {
    this.#begun();
    this.#state = ENDED;
    this.onGone = null;
  }

  /** @internal The connection has gone. */
  gone(error: Error | null): void {
    if (this.#state < ENDED) this.#state = ABORTED;
    this.#held = null;
    this.#turn?.reject(this.connection.goneError());
    this.#turn = null;
    this.connection.server.answered(this);
    const listener = this.onGone;
    this.onGone = null;
    listener?.exchangeGone(error);
  }

  /** 2xx would say that there is a tunnel (RFC 9110, 9.3.6), which only `upgrade` makes: whoever just answers has none. */
  #refuseTunnel(): boolean {
    return this.send(501, TEXT_FIELDS, 'Not Implemented\n');
  }

  /** The handler's fault, which whoever waits for `write` may not tell. */
  #broken(error: Error): void {
    this.abort(error);
    this.connection.server.tellError(error, this.request);
  }

  #begun(): void {
    if (this.#state === WAITING) this.#state = BEGUN;
    if (this.running) this.connection.server.answered(this);
  }

  #finish(): void {
    this.#state = ENDED;
    this.onGone = null;
    this.connection.finished(this);
  }
}

function replyError(message: string): MillraceError {
  return new MillraceError('ERR_MILLRACE_HTTP_REPLY', message);
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data) : data;
}
