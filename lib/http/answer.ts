// From what a handler returns to what is sent.
import { invalidType, MillraceError } from '../internal/errors.js';
import { spawn } from '../task/spawn.js';
import type { Exchange } from './exchange.js';
import { CONNECTION, CONTENT_LENGTH, DATE, Fields, KEEP_ALIVE, TRANSFER_ENCODING } from './fields/index.js';
import { invalidField } from './http-errors.js';
import { type PreparedHead, Reply, type ReplyBody } from './reply.js';
import { TEXT_FIELDS } from './reply-head.js';
import { ReplyWriter } from './reply-writer.js';
import { hasNoBody } from './status.js';

/** What a handler may return. */
export type Answer = string | Uint8Array | Reply | Response | AsyncIterable<string | Uint8Array> | ReadableStream;

const BYTES_FIELDS = 'Content-Type: application/octet-stream\r\n';
const FRAMING = CONTENT_LENGTH | TRANSFER_ENCODING | CONNECTION | KEEP_ALIVE;

/**
 * Sends `answer`, or begins to.
 * @throws TypeError for what is no answer, or a reply that cannot be sent: nothing was sent then.
 */
export function answer(exchange: Exchange, answer: unknown): void {
  if (typeof answer === 'string') exchange.send(200, TEXT_FIELDS, answer);
  else if (answer instanceof Reply) sendReply(exchange, answer);
  else if (answer instanceof Uint8Array) exchange.send(200, BYTES_FIELDS, answer);
  else if (answer instanceof Response) sendResponse(exchange, answer);
  else if (isStream(answer)) stream(exchange, 200, { ...NO_FIELDS, fields: BYTES_FIELDS }, answer);
  else {
    throw invalidType(
      'What a handler returns',
      'a string, a Uint8Array, a Reply, a Response, a stream or an async iterable, or a promise of these',
      answer,
    );
  }
}

const NO_FIELDS: PreparedHead = { fields: '', dated: false, length: null, closes: false };

/** @throws TypeError for a Content-Length that is no number. */
export function prepare(fields: Fields): PreparedHead {
  const { known } = fields;
  if ((known & FRAMING) === 0) {
    return { fields: fields.serialize(), dated: (known & DATE) !== 0, length: null, closes: false };
  }
  const length = (known & CONTENT_LENGTH) === 0 ? null : lengthOf(fields.get('content-length') as string);
  const closes = (known & CONNECTION) !== 0 && /(^|,)\s*close\s*(,|$)/i.test(fields.get('connection') as string);
  return { fields: fields.serialize(FRAMING), dated: (known & DATE) !== 0, length, closes };
}

function lengthOf(value: string): number {
  const length = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(length)) throw invalidField(`Content-Length must be a number of bytes; got ${value}`);
  return length;
}

function sendReply(exchange: Exchange, reply: Reply): void {
  const head = prepare(reply.headers);
  const { status, body } = reply;
  if (head.closes) exchange.keepAlive = false;
  if (body === null && head.length !== null && exchange.request.isHead) {
    // The length that the body of GET would have.
    exchange.begin(status, head.fields, head.length, head.dated);
    exchange.end();
  } else if (body === null || typeof body === 'string' || body instanceof Uint8Array) {
    const typed = reply.headers.has('content-type') || typeof body !== 'string';
    exchange.send(status, typed ? head.fields : head.fields + TEXT_FIELDS, body, head.dated);
  } else if (hasNoBody(status)) {
    exchange.send(status, head.fields, null, head.dated);
  } else {
    stream(exchange, status, head, body);
  }
}

/** A body that comes in pieces. */
function stream(exchange: Exchange, status: number, head: PreparedHead, body: ReplyBody): void {
  if (!exchange.begin(status, head.fields, head.length, head.dated)) {
    discardBody(body);
    return;
  }
  const writer = new ReplyWriter(exchange);
  const failed = (error: unknown): void => failedIn(exchange, error);
  if (exchange.request.isHead) {
    // Of a body that is not sent nothing is made.
    discardBody(body);
    writer.end();
  } else if (typeof body === 'function') {
    let made: unknown;
    try {
      made = body(writer);
    } catch (error) {
      failed(error);
      return;
    }
    const produced = isGenerator(made) ? spawn(made) : Promise.resolve(made);
    produced.then(() => writer.end(), failed);
  } else {
    pump(writer, body as AsyncIterable<string | Uint8Array>).catch(failed);
  }
}

async function pump(writer: ReplyWriter, body: AsyncIterable<string | Uint8Array>): Promise<void> {
  for await (const piece of body) {
    // Leaving the loop cancels the source.
    if (!writer.open) return;
    const written = writer.write(piece);
    if (written.queued) await written;
  }
  writer.end();
}

/** Nobody will have this answer: whatever its body holds is let go of. */
export function discard(answer: unknown): void {
  if (answer instanceof Reply) discardBody(answer.body);
  else if (answer instanceof Response) discardBody(answer.body);
  else if (typeof answer === 'object' && answer !== null) discardBody(answer);
}

function discardBody(body: unknown): void {
  if (body instanceof ReadableStream) {
    if (!body.locked) body.cancel().catch(() => {});
  } else if (typeof body === 'object' && body !== null && 'return' in body && typeof body.return === 'function') {
    Promise.resolve(body.return()).catch(() => {});
  }
}

/** A WHATWG Response: its fields are checked by whoever made it, but for what is not Latin-1. */
function sendResponse(exchange: Exchange, response: Response): void {
  const { status, body } = response;
  if (response.bodyUsed) {
    throw new MillraceError('ERR_MILLRACE_CONSUMED', 'The body of this Response was read already');
  }
  if (status < 200) throw invalidField('A Response of Response.error() cannot be sent');
  const head = prepare(new Fields(response.headers));
  if (head.closes) exchange.keepAlive = false;
  if (body === null || hasNoBody(status)) {
    exchange.send(status, head.fields, null, head.dated);
  } else if (exchange.request.isHead) {
    stream(exchange, status, head, body);
  } else {
    wholeOrStream(exchange, status, head, body.getReader()).catch((error: unknown) => failedIn(exchange, error));
  }
}

/** What a reader gives. */
interface StreamStep {
  readonly done: boolean;
  readonly value?: unknown;
}

/** So many turns of the microtask queue a body has to be complete in, to be sent with its length. */
const TURNS = 8;

/** Most bodies are one piece that is there: it is sent with its length. What is not, is sent as it comes. */
async function wholeOrStream(
  exchange: Exchange,
  status: number,
  head: PreparedHead,
  reader: ReadableStreamDefaultReader<unknown>,
): Promise<void> {
  const first = await reader.read();
  if (first.done) {
    exchange.send(status, head.fields, null, head.dated);
    return;
  }
  let next: StreamStep | null = null;
  const second = reader.read();
  second.then(
    (result) => {
      next = result;
    },
    () => {},
  );
  for (let turn = 0; turn < TURNS && next === null; turn++) await null;
  if (next !== null && (next as StreamStep).done) {
    exchange.send(status, head.fields, pieceOf(first.value), head.dated);
    return;
  }
  exchange.begin(status, head.fields, head.length, head.dated);
  const writer = new ReplyWriter(exchange);
  for (let piece: StreamStep = first, isFirst = true; !piece.done; isFirst = false) {
    if (!writer.open) {
      await reader.cancel();
      return;
    }
    const result = writer.write(pieceOf(piece.value));
    if (result.queued) await result;
    piece = isFirst ? await second : await reader.read();
  }
  writer.end();
}

function pieceOf(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  throw invalidType('A piece of a body', 'a string or a Uint8Array', value);
}

/** It cannot be completed. The peer's going is no failure of the handler's. */
function failedIn(exchange: Exchange, error: unknown): void {
  const told = exchange.aborted;
  if (exchange.waiting) {
    exchange.connection.server.fail(exchange, error);
    return;
  }
  exchange.abort(error instanceof Error ? error : new Error('A reply failed', { cause: error }));
  if (!told) exchange.connection.server.tellError(error, exchange.request);
}

export function isGenerator(value: unknown): value is Generator<never, unknown, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { next?: unknown }).next === 'function' &&
    typeof (value as { throw?: unknown }).throw === 'function' &&
    Symbol.iterator in value
  );
}

export function isAnswer(value: unknown): value is Answer {
  return (
    typeof value === 'string' ||
    value instanceof Uint8Array ||
    value instanceof Reply ||
    value instanceof Response ||
    isStream(value)
  );
}

function isStream(value: unknown): value is AsyncIterable<string | Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
