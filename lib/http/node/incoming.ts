// A request as an http.IncomingMessage. It is Node's own class; ours is only where its body comes from.
//
// - Nothing is pushed before somebody reads: a request that nobody reads costs no turn of the stream's machinery.
// - The body is pulled while the stream has room. What waits for more of it is woken in the middle of a tick, and pushes
//   from the run queue, because that calls listeners.
import type { IncomingMessage } from 'node:http';
import { type Operation, PENDING, REJECTED, type Waiter } from '../../internal/operation.js';
import { type Runnable, scheduler } from '../../internal/scheduler.js';
import type { HttpRequest } from '../request.js';
import type { RequestBody } from '../request-body.js';
import type { ConnectionSocket } from './connection-socket.js';
import type { RequestClass } from './messages.js';
import type { RequestInternals } from './native.js';

const FEED = Symbol('millrace.feed');

/** An http.IncomingMessage of ours. */
export type NodeRequest = IncomingMessage & RequestInternals & { [FEED]: BodyFeed | null };

/** Made while the handler runs: the head is read at once, the body when it is asked for. */
export function makeIncoming(
  request: HttpRequest,
  socket: ConnectionSocket | null,
  Message: RequestClass,
): NodeRequest {
  const incoming = new Message(socket);
  const minor = request.http10 ? 0 : 1;
  incoming.httpVersionMajor = 1;
  incoming.httpVersionMinor = minor;
  incoming.httpVersion = minor === 0 ? '1.0' : '1.1';
  incoming.method = request.method;
  incoming.url = request.target;
  incoming.upgrade = false;
  const lines = request.headers.raw();
  incoming._addHeaderLines(lines, lines.length);
  if (request.hasBody) {
    const { body } = request;
    body.detach();
    incoming[FEED] = new BodyFeed(incoming, request, body);
  } else {
    incoming[FEED] = null;
    incoming.complete = true;
  }
  incoming._read = read;
  return incoming;
}

/** Somebody reads the body, or is about to, and has not seen its end. */
export function isBeingRead(incoming: NodeRequest): boolean {
  const { resumeScheduled, readableListening } = incoming._readableState;
  const isRead = incoming._consuming || resumeScheduled || readableListening;
  return isRead && !incoming.complete && !incoming.destroyed;
}

/** Calls `listener` when the body has come to an end of whatever kind. */
export function onBodyOver(incoming: NodeRequest, listener: BodyListener): void {
  const feed = incoming[FEED];
  if (feed !== null) feed.listener = listener;
}

/** The reply is complete: of what was not read nothing more is wanted. As Node does. */
export function dump(incoming: NodeRequest): void {
  const state = incoming._readableState;
  if (incoming._consuming || state.resumeScheduled) return;
  if (incoming._eventsCount > 0) {
    incoming._dump();
    return;
  }
  // Nobody listens: it is over without the events that nobody would hear.
  incoming.complete = true;
  state.ended = true;
  state.endEmitted = true;
  state.destroyed = true;
  state.closed = true;
  state.closeEmitted = true;
}

/** The connection has gone before the reply was complete. As Node does. */
export function abortIncoming(incoming: NodeRequest): void {
  incoming.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
}

export interface BodyListener {
  bodyOver(): void;
}

function read(this: NodeRequest): void {
  if (!this._consuming) {
    this._readableState.readingMore = false;
    this._consuming = true;
  }
  const feed = this[FEED];
  if (feed === null) this.push(null);
  else feed.pull();
}

class BodyFeed implements Waiter, Runnable {
  listener: BodyListener | null = null;
  readonly #incoming: NodeRequest;
  readonly #request: HttpRequest;
  readonly #body: RequestBody;
  #waiting: Operation<Uint8Array | null> | null = null;
  #over = false;

  constructor(incoming: NodeRequest, request: HttpRequest, body: RequestBody) {
    this.#incoming = incoming;
    this.#request = request;
    this.#body = body;
  }

  /** Pushes what there is, while there is room. */
  pull(): void {
    while (this.#waiting === null && !this.#over) {
      if (this.#request.isOver) {
        // The reply was complete before anybody wanted this: the rest is nobody's.
        this.#end();
        return;
      }
      const read = this.#body.read();
      if (read.state === PENDING) {
        this.#waiting = read;
        read.addWaiter(this);
      } else if (!this.#give(read)) {
        return;
      }
    }
  }

  wake(): void {
    scheduler.enqueue(this);
  }

  run(): void {
    const read = this.#waiting;
    this.#waiting = null;
    if (read === null) return;
    try {
      if (this.#give(read)) this.pull();
    } catch (error) {
      // A listener's, as in Node: an uncaught exception, in a turn of its own.
      process.nextTick(rethrow, error);
    }
  }

  /** @returns whether more may be pushed. */
  #give(read: Operation<Uint8Array | null>): boolean {
    if (read.state === REJECTED) {
      this.#fail();
      return false;
    }
    const bytes = read.value;
    if (bytes !== null) return this.#incoming.push(bytes) && !this.#incoming.destroyed;
    this.#end();
    return false;
  }

  #end(): void {
    const incoming = this.#incoming;
    this.#over = true;
    incoming.complete = true;
    const { trailers } = this.#request;
    if (trailers.size > 0) {
      const lines: string[] = [];
      for (const [name, value] of trailers) lines.push(name, value);
      incoming._addHeaderLines(lines, lines.length);
    }
    incoming.push(null);
    this.listener?.bodyOver();
  }

  /** The peer has gone in the middle of it, or it cannot be understood. */
  #fail(): void {
    this.#over = true;
    if (!this.#incoming.destroyed) abortIncoming(this.#incoming);
    this.listener?.bodyOver();
  }
}

function rethrow(error: unknown): never {
  throw error;
}
