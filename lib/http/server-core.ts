// What the connections of a server share: its options, its clock, its counts; and the way from a request to its handler.
//
// - A handler runs at once, in the turn that brought the request, while fewer than `concurrentRequests` have not answered;
//   else the request waits in `#queue`, or is refused with 503.
// - The clock is read once a tick: the times of requests are those of the ticks that brought them.
import { border } from '../internal/border.js';
import { now } from '../internal/clock.js';
import { type Runnable, scheduler } from '../internal/scheduler.js';
import { UnexpectedEndError } from '../net/read-errors.js';
import { spawn } from '../task/spawn.js';
import { type Answer, answer, discard, isGenerator } from './answer.js';
import { openCodec, type StaticRoute } from './codec.js';
import type { CompressionOptions } from './compression/index.js';
import type { HttpConnection } from './connection.js';
import { Counters } from './counters.js';
import { requestEnd, requestStart } from './diagnostics.js';
import type { Exchange } from './exchange.js';
import { HttpError } from './http-errors.js';
import type { HttpLimits } from './limits.js';
import type { ProxyTrust } from './proxy/index.js';
import { Reply } from './reply.js';
import type { HttpRequest } from './request.js';
import type { HttpServer } from './server.js';

/** Answers a request: at once, or with a promise, or as a generator, which runs as a fiber. */
export type Handler = (
  request: HttpRequest,
  server: HttpServer,
) => Answer | PromiseLike<Answer> | Generator<unknown, Answer, unknown>;

/**
 * Answers for a handler that has failed. Text and bytes have the status of the error: that of an HttpError, else 500. What it
 * throws, which may be what it was given, is answered as if there were no such function.
 */
export type ErrorHandler = (error: unknown, request: HttpRequest) => Answer | PromiseLike<Answer>;

/** What is called with each request that was answered, or whose peer has gone (status 0). */
export type AccessLog = (entry: AccessEntry) => void;

/** What an access log is told. */
export interface AccessEntry {
  readonly request: HttpRequest;
  /** 0: the peer had gone. Of an upgrade 101, or 200 for CONNECT. */
  readonly status: number;
  /** From the chunk that brought the head to the end of the reply, as far as it was handed to the socket. */
  readonly durationMs: number;
}

const RETRY_AFTER_SECONDS = 1;
/** A clock of 31 bits: no number on the heap. */
const CLOCK_MASK = 0x3fffffff;
const OVERLOADED = new Reply('The server has too much to do\n', {
  status: 503,
  headers: { 'Retry-After': RETRY_AFTER_SECONDS, 'Content-Type': 'text/plain; charset=utf-8' },
});

export class ServerCore implements Runnable {
  readonly limits: HttpLimits;
  readonly counters = new Counters();
  readonly codecServer: number;
  readonly scheme: 'http' | 'https';
  /** Milliseconds, of the last tick that brought something. */
  nowMs = 0;
  closing = false;
  /** Some routes are answered in C++. */
  hasStatics = false;
  compression: Required<CompressionOptions> | null = null;
  /** Who is believed to say for whom it speaks; null: nobody. */
  proxies: ProxyTrust | null = null;
  handler: Handler;
  onError: ErrorHandler | null = null;
  accessLog: AccessLog | null = null;
  /** For an adapter whose app wants to hear of each. */
  onConnection: ((connection: HttpConnection) => void) | null = null;
  /** The same for what was no request: true if the app has said so to the peer. */
  onRefused: ((connection: HttpConnection, error: HttpError) => boolean) | null = null;
  readonly server: HttpServer;
  readonly connections: HttpConnection[] = [];
  /** Requests whose handlers have not answered yet. */
  running = 0;
  /** In the order in which they came; whoever goes leaves it at once. */
  readonly #queue = new Set<Exchange>();
  #draining = false;
  #released = false;
  #atTick = -1;
  #inTick = false;
  readonly #endOfTick = { run: () => this.#measure() };
  /** The same, exactly. */
  exactMs = 0;
  readonly #startMs = now();

  constructor(limits: HttpLimits, scheme: 'http' | 'https', handler: Handler, server: HttpServer) {
    this.server = server;
    this.limits = limits;
    this.scheme = scheme;
    this.handler = handler;
    this.codecServer = openCodec().server(limits);
    this.readClock();
  }

  /** Requests that wait for a handler. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Nobody connects any more: what the codec holds for the server goes with the last connection. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    openCodec().dropServer(this.codecServer);
  }

  /** Something has come: reads the clock, once a tick. */
  tick(): void {
    if (border.ticks === this.#atTick) return;
    this.#atTick = border.ticks;
    this.readClock();
    this.#inTick = true;
    scheduler.enqueue(this.#endOfTick);
  }

  readClock(): void {
    this.exactMs = now() - this.#startMs;
    this.nowMs = this.exactMs & CLOCK_MASK;
  }

  /** Milliseconds since the server was made. */
  uptimeMs(): number {
    return now() - this.#startMs;
  }

  /** Replaces what is answered in C++. */
  setStatics(routes: readonly StaticRoute[]): void {
    this.hasStatics = routes.length > 0;
    openCodec().setStatic(this.codecServer, routes);
  }

  added(connection: HttpConnection): void {
    connection.index = this.connections.length;
    this.connections.push(connection);
    this.counters.connections++;
  }

  removed(connection: HttpConnection): void {
    const { index } = connection;
    if (index < 0) return;
    connection.index = -1;
    const last = this.connections.pop() as HttpConnection;
    if (last !== connection) {
      this.connections[index] = last;
      last.index = index;
    }
  }

  /** A request has come. */
  handle(request: HttpRequest): void {
    this.counters.requests++;
    if (requestStart.hasSubscribers) requestStart.publish({ request });
    // Nobody overtakes those that wait.
    if (this.running < this.limits.concurrentRequests && this.#queue.size === 0) {
      this.#run(request);
    } else if (this.queued < this.limits.queuedRequests) {
      const exchange = request.exchange ?? request.connection.exchange(request);
      exchange.queued = true;
      this.#queue.add(exchange);
    } else {
      this.counters.shed++;
      answer(request.exchange ?? request.connection.exchange(request), OVERLOADED);
    }
  }

  /** The reply to an exchange has begun, or will never. */
  answered(exchange: Exchange): void {
    if (exchange.queued) {
      exchange.queued = false;
      this.#queue.delete(exchange);
    }
    if (!exchange.running) return;
    exchange.running = false;
    this.running--;
    if (this.queued > 0 && !this.#draining) {
      this.#draining = true;
      scheduler.enqueue(this);
    }
  }

  /** A reply is on its way, whole; or the peer has gone before (status 0). */
  replied(request: HttpRequest, status: number): void {
    const fromThisTick = this.#inTick && request.startMs === this.exactMs;
    this.counters.replied(request.methodNumber, status, fromThisTick ? -1 : now() - this.#startMs - request.startMs);
    if (requestEnd.hasSubscribers)
      requestEnd.publish({ request, status, durationMs: this.uptimeMs() - request.startMs });
    if (this.accessLog !== null) this.#log(this.accessLog, request, status);
  }

  /** A handler has failed: its error becomes the reply. */
  fail(exchange: Exchange, error: unknown): void {
    if (exchange.aborted) return;
    // That of a Response which could not be sent is not the error's.
    exchange.reason = '';
    if (exchange.request.isGone && (error as { name?: unknown } | null)?.name === 'AbortError') {
      // The handler has heeded `request.signal`: it is no failure, and there is nothing that could be said to the peer.
      exchange.abort(null);
      return;
    }
    if (!exchange.waiting) {
      exchange.abort(error instanceof Error ? error : null);
      this.tellError(error, exchange.request);
      return;
    }
    const { onError } = this;
    if (onError !== null) {
      try {
        const result = onError(error, exchange.request);
        if (isThenable(result))
          result.then(
            (value) => this.#answerError(exchange, value, error),
            (again) => this.#failed(exchange, again),
          );
        else this.#answerError(exchange, result, error);
        return;
      } catch (again) {
        this.#failed(exchange, again);
        return;
      }
    }
    this.#failed(exchange, error);
  }

  /** What nobody else hears of. */
  tellError(error: unknown, request: HttpRequest): void {
    this.counters.handlerErrors++;
    this.server.handlerFailed(error, request);
  }

  /** @internal For the run queue: there is room for what waits. */
  run(): void {
    this.#draining = false;
    for (const exchange of this.#queue) {
      if (this.running >= this.limits.concurrentRequests) return;
      exchange.queued = false;
      this.#queue.delete(exchange);
      const { request } = exchange;
      this.counters.waited(now() - this.#startMs - request.startMs);
      this.#run(request);
    }
  }

  #run(request: HttpRequest): void {
    const { connection } = request;
    let result: unknown;
    try {
      if (request.expectsMore) throw new HttpError(417);
      result = this.handler(request, this.server);
    } catch (error) {
      this.fail(request.exchange ?? connection.exchange(request), error);
      return;
    }
    if (typeof result === 'string' && connection.first === null && !request.isOver && this.compression === null) {
      connection.replyWithText(request, result);
      return;
    }
    try {
      this.#settle(request, result);
    } catch (error) {
      // A `then` that throws when it is looked at, or called.
      this.fail(request.exchange ?? connection.exchange(request), error);
    }
  }

  #settle(request: HttpRequest, result: unknown): void {
    // The socket is somebody else's, or an adapter answers.
    if (request.isOver || request.isTaken) {
      const { exchange } = request;
      if (exchange?.waiting) this.#started(exchange);
      if (isThenable(result)) result.then(null, (error: unknown) => this.tellError(error, request));
      return;
    }
    const exchange = request.exchange ?? request.connection.exchange(request);
    if (isGenerator(result)) {
      const fiber = spawn(result);
      // Its `finally` runs where it waits, as with every fiber that is aborted.
      exchange.onGone = { exchangeGone: (error) => fiber.abort(error ?? undefined) };
      this.#wait(exchange, fiber);
    } else if (isThenable(result)) {
      this.#wait(exchange, result);
    } else {
      this.#answer(exchange, result);
    }
  }

  /** What the tick has brought was given to the handlers, and what they have said at once was handed to the sockets. */
  #measure(): void {
    this.#inTick = false;
    if (this.counters.unmeasured > 0) this.counters.measured(now() - this.#startMs - this.exactMs);
  }

  #started(exchange: Exchange): void {
    exchange.running = true;
    this.running++;
  }

  #wait(exchange: Exchange, result: PromiseLike<unknown>): void {
    if (!exchange.aborted) this.#started(exchange);
    result.then(
      (value) => this.#answer(exchange, value),
      (error: unknown) => this.fail(exchange, error),
    );
  }

  #answer(exchange: Exchange, value: unknown): void {
    if (exchange.aborted || exchange.request.isTaken || exchange.request.isOver) {
      discard(value);
      return;
    }
    try {
      answer(exchange, value);
    } catch (error) {
      this.fail(exchange, error);
    }
  }

  #answerError(exchange: Exchange, value: unknown, why: unknown): void {
    const { status } = statusErrorOf(why, exchange.request);
    try {
      answer(exchange, typeof value === 'string' || value instanceof Uint8Array ? new Reply(value, { status }) : value);
    } catch (error) {
      this.#failed(exchange, error);
    }
  }

  #failed(exchange: Exchange, error: unknown): void {
    if (!exchange.waiting) return;
    const told = statusErrorOf(error, exchange.request);
    if (told.status >= 500) this.tellError(error, exchange.request);
    answer(exchange, this.#refusal(told, exchange.request));
  }

  #refusal({ status, publicMessage, headers = {} }: HttpError, request: HttpRequest): Reply {
    try {
      return new Reply(`${publicMessage}\n`, { status, headers });
    } catch (error) {
      // Its fields cannot be sent.
      this.tellError(error, request);
      return new Reply('Internal Server Error\n', { status: 500 });
    }
  }

  #log(log: AccessLog, request: HttpRequest, status: number): void {
    try {
      log({ request, status, durationMs: now() - this.#startMs - request.startMs });
    } catch (error) {
      this.tellError(error, request);
    }
  }
}

/** With the status that becomes of `error`. */
function statusErrorOf(error: unknown, request: HttpRequest): HttpError {
  if (error instanceof HttpError) return error;
  // The peer has ended its side in the middle of its body: that is no failure of ours.
  if (error instanceof UnexpectedEndError && request.isGone) return new HttpError(400, 'The body ended too early');
  return new HttpError(500, undefined, { cause: error });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
