// Server-sent events as a reply.
import { checkFunction } from '../internal/errors.js';
import type { WriteResult } from '../net/written.js';
import { Reply, type ReplyInit } from './reply.js';
import type { ReplyWriter } from './reply-writer.js';
import { EVENT_STREAM_TYPE, encodeEvent, type ServerSentEvent } from './sse.js';

/** Sends events to one client. */
export class EventWriter {
  readonly #writer: ReplyWriter;

  /** @internal */
  constructor(writer: ReplyWriter) {
    this.#writer = writer;
  }

  /** True until the client has gone. */
  get open(): boolean {
    return this.#writer.open;
  }

  /** Aborts when the client has gone. */
  get signal(): AbortSignal {
    return this.#writer.signal;
  }

  /**
   * Sends an event, or its data. `await` it: it is done when there is room for more.
   * @throws TypeError, RangeError for what cannot be sent: see {@link ServerSentEvent}; as `ReplyWriter.write`.
   */
  send(event: ServerSentEvent | string): WriteResult {
    return this.#writer.write(encodeEvent(typeof event === 'string' ? { data: event } : event));
  }

  /** Sends a line that no client sees, so that what stands between does not take the connection for dead. */
  comment(text = ''): WriteResult {
    return this.#writer.write(encodeEvent({ comment: text }));
  }
}

/** Sends events until it returns; then the client connects anew, unless it was told not to. */
export type EventProducer = (
  events: EventWriter,
) => Promise<unknown> | Generator<unknown, unknown, unknown> | undefined;

/**
 * A reply of server-sent events (`text/event-stream`). `Last-Event-ID` of a client that has connected anew is in the request's
 * headers.
 *
 * @example
 * ```ts
 * const server = serve({
 *   hostname: '127.0.0.1',
 *   fetch: () =>
 *     sendEvents(async (events) => {
 *       for (let i = 1; i <= 2; i++) await events.send({ id: String(i), data: `tick ${i}` });
 *     }),
 * });
 * console.log(JSON.stringify(await (await fetch(server.url)).text())); // "id: 1\ndata: tick 1\n\nid: 2\ndata: tick 2\n\n"
 * await server.close();
 * ```
 * @throws TypeError, RangeError naming the argument.
 */
export function sendEvents(producer: EventProducer, init: ReplyInit = {}): Reply {
  checkFunction(producer, 'producer');
  const reply = Reply.stream((writer) => producer(new EventWriter(writer)), init);
  const { headers } = reply;
  headers.set('Content-Type', EVENT_STREAM_TYPE);
  if (!headers.has('cache-control')) headers.set('Cache-Control', 'no-cache');
  return reply;
}
