// From what a handler returns to what is sent.
import { Buffer } from 'node:buffer';
import { invalidType, MillraceError } from '../internal/errors.js';
import { spawn } from '../task/spawn.js';
import { CompressedBody, codingFor, sendCompressed } from './compressed.js';
import { addVary } from './compression/index.js';
import type { Exchange } from './exchange.js';
import {
  CONNECTION,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  DATE,
  Fields,
  forbiddenInValue,
  KEEP_ALIVE,
  shownCharacter,
  TRANSFER_ENCODING,
  UPGRADE,
} from './fields/index.js';
import { invalidField } from './http-errors.js';
import { type PreparedHead, Reply, type ReplyBody } from './reply.js';
import { TEXT_FIELDS, TEXT_TYPE } from './reply-head.js';
import { ReplyWriter } from './reply-writer.js';
import { hasNoBody } from './status.js';

/** The method of replies that know how they are sent: an adapter's. */
export const SENDS = Symbol('millrace.sends');

interface SelfSending {
  [SENDS](exchange: Exchange): void;
}

/** What a handler may return. */
export type Answer = string | Uint8Array | Reply | Response | AsyncIterable<string | Uint8Array> | ReadableStream;

const TEXT = new Fields({ 'Content-Type': TEXT_TYPE });
const BYTES = new Fields({ 'Content-Type': 'application/octet-stream' });
const FRAMING = CONTENT_LENGTH | TRANSFER_ENCODING | CONNECTION | KEEP_ALIVE;
/** Upgrade is of this connection, which has to be told (RFC 9110, 7.8). */
const CONNECTION_UPGRADE = 'Connection: Upgrade\r\n';

/**
 * Sends `answer`, or begins to.
 * @throws TypeError for what is no answer, or a reply that cannot be sent: nothing was sent then.
 */
export function answer(exchange: Exchange, answer: unknown): void {
  if (typeof answer === 'string') sendText(exchange, answer);
  else if (answer instanceof Reply) sendReply(exchange, answer);
  else if (isSelfSending(answer)) answer[SENDS](exchange);
  else if (answer instanceof Uint8Array) sendWhole(exchange, 200, BYTES, answer);
  else if (answer instanceof Response) sendResponse(exchange, answer);
  else if (isStream(answer)) stream(exchange, 200, BYTES, answer);
  else {
    throw invalidType(
      'What a handler returns',
      'a string, a Uint8Array, a Reply, a Response, a stream or an async iterable, or a promise of these',
      answer,
    );
  }
}

/** @throws TypeError for a Content-Length that is no number. */
export function prepare(fields: Fields): PreparedHead {
  const { known } = fields;
  if ((known & (FRAMING | UPGRADE)) === 0) {
    return { fields: fields.serialize(), dated: (known & DATE) !== 0, length: null, closes: false };
  }
  const length = (known & CONTENT_LENGTH) === 0 ? null : lengthOf(fields.get('content-length') as string);
  const closes = (known & CONNECTION) !== 0 && /(^|,)\s*close\s*(,|$)/i.test(fields.get('connection') as string);
  const block = fields.serialize(FRAMING);
  const sent = (known & UPGRADE) === 0 ? block : block + CONNECTION_UPGRADE;
  return { fields: sent, dated: (known & DATE) !== 0, length, closes };
}

function lengthOf(value: string): number {
  const length = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(length)) throw invalidField(`Content-Length must be a number of bytes; got ${value}`);
  return length;
}

function sendReply(exchange: Exchange, reply: Reply): void {
  const { status, body, headers } = reply;
  if (typeof body === 'string' || body instanceof Uint8Array) {
    sendWhole(exchange, status, headers, body);
  } else if (body === null || hasNoBody(status)) {
    sendEmpty(exchange, status, headers);
  } else {
    stream(exchange, status, headers, body);
  }
}

function sendText(exchange: Exchange, text: string): void {
  if (exchange.connection.server.compression === null) exchange.send(200, TEXT_FIELDS, text);
  else sendWhole(exchange, 200, TEXT, text);
}

/** No body; to HEAD the length that the body of GET would have, where that is told. */
export function sendEmpty(exchange: Exchange, status: number, fields: Fields): void {
  if (exchange.request.isHead && (fields.known & CONTENT_LENGTH) !== 0) {
    begin(exchange, status, fields);
    exchange.end();
  } else {
    const head = headFor(exchange, status === 304 ? notModified(exchange, fields) : fields);
    exchange.send(status, head.fields, null, head.dated);
  }
}

/** Where replies are compressed, 200 would depend on Accept-Encoding, and 304 has its Vary (RFC 9110, 15.4.5). */
function notModified(exchange: Exchange, fields: Fields): Fields {
  if (exchange.connection.server.compression === null) return fields;
  const varying = fields.copy();
  addVary(varying, 'Accept-Encoding');
  return varying;
}

/** A body that is there. */
export function sendWhole(exchange: Exchange, status: number, given: Fields, body: string | Uint8Array): void {
  let fields = given;
  if (typeof body === 'string' && (fields.known & CONTENT_TYPE) === 0) {
    fields = fields.copy().set('Content-Type', TEXT_TYPE);
  }
  if (exchange.connection.server.compression === null) {
    const head = headFor(exchange, fields);
    exchange.send(status, head.fields, body, head.dated);
    return;
  }
  fields = fields.copy();
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const coding = codingFor(exchange, { status, fields, length });
  const head = headFor(exchange, fields);
  if (coding === null) {
    exchange.send(status, head.fields, body, head.dated);
  } else if (exchange.request.isHead) {
    exchange.begin(status, head.fields, null, head.dated);
    exchange.end();
  } else {
    exchange.request.detach();
    sendCompressed(exchange, status, head, body, coding).catch((error: unknown) => failedIn(exchange, error));
  }
}

function headFor(exchange: Exchange, fields: Fields): PreparedHead {
  const head = prepare(fields);
  if (head.closes) exchange.keepAlive = false;
  return head;
}

/** A body that comes in pieces. */
function stream(exchange: Exchange, status: number, given: Fields, body: ReplyBody): void {
  const { writer, begun } = begin(exchange, status, given);
  if (!begun) {
    discardBody(body);
    return;
  }
  if (exchange.request.isHead) {
    // Of a body that is not sent nothing is made.
    discardBody(body);
    writer.complete();
    return;
  }
  produce(writer, body).then(
    () => writer.complete(),
    (error: unknown) => {
      writer.giveUp();
      failedIn(exchange, error);
    },
  );
}

function begin(exchange: Exchange, status: number, given: Fields): { writer: ReplyWriter; begun: boolean } {
  const compresses = exchange.connection.server.compression !== null;
  const fields = compresses ? given.copy() : given;
  const coding = compresses ? codingFor(exchange, { status, fields, length: prepare(fields).length }) : null;
  const head = headFor(exchange, fields);
  const begun = exchange.begin(status, head.fields, head.length, head.dated);
  const compressed = begun && coding !== null && !exchange.request.isHead ? new CompressedBody(exchange, coding) : null;
  return { writer: new ReplyWriter(exchange, compressed), begun };
}

async function produce(writer: ReplyWriter, body: ReplyBody): Promise<void> {
  if (typeof body === 'function') {
    const made = body(writer);
    await (isGenerator(made) ? spawn(made) : made);
    return;
  }
  for await (const piece of body as AsyncIterable<string | Uint8Array>) {
    // Leaving the loop cancels the source.
    if (!writer.open) return;
    const written = writer.write(piece);
    if (written.queued) await written;
  }
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
    const end = body.return as () => unknown;
    // In a promise, as what it throws is nobody's either.
    new Promise((resolve) => resolve(end.call(body))).catch(() => {});
  }
}

/** A WHATWG Response. Whoever made it has checked it, but it may be a stranger's. @throws TypeError for what cannot be sent. */
export function sendResponse(exchange: Exchange, response: Response): void {
  const { status, body } = response;
  if (response.bodyUsed) {
    throw new MillraceError('ERR_MILLRACE_CONSUMED', 'The body of this Response was read already');
  }
  if (status < 200) throw invalidField('A Response of Response.error() cannot be sent');
  const fields = new Fields(response.headers);
  exchange.reason = reasonOf(response);
  if (body === null || hasNoBody(status)) sendEmpty(exchange, status, fields);
  else if (exchange.request.isHead) stream(exchange, status, fields, body);
  else wholeOrStream(exchange, status, fields, body.getReader()).catch((error: unknown) => failedIn(exchange, error));
}

/** The reason phrase of a Response; '' for the status' own. @throws TypeError for what could end the status line. */
export function reasonOf({ statusText }: { readonly statusText: string }): string {
  const at = forbiddenInValue(statusText);
  if (at < 0) return statusText;
  throw invalidField(`statusText must not contain ${shownCharacter(statusText, at)}, at index ${at}`);
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
  fields: Fields,
  reader: ReadableStreamDefaultReader<unknown>,
): Promise<void> {
  exchange.request.detach();
  // A source that has nothing to give would never hear of it.
  exchange.onGone = { exchangeGone: (error) => void reader.cancel(error).catch(() => {}) };
  const first = await soon(reader.read());
  if (first.step?.done) {
    sendEmpty(exchange, status, fields);
    return;
  }
  const second = first.step === null ? null : await soon(reader.read());
  if (second?.step?.done) {
    sendWhole(exchange, status, fields, pieceOf(first.step?.value));
    return;
  }
  // Whoever waits for the head has it before the first piece is there.
  const { writer } = begin(exchange, status, fields);
  try {
    let step = await first.read;
    for (let ahead = second?.read ?? null; !step.done; ahead = null) {
      if (!writer.open) break;
      const result = writer.write(pieceOf(step.value));
      if (result.queued) await result;
      step = await (ahead ?? reader.read());
    }
  } catch (error) {
    writer.giveUp();
    reader.cancel(error).catch(() => {});
    throw error;
  }
  if (!writer.open) await reader.cancel();
  await writer.complete();
}

interface Soon {
  readonly read: Promise<StreamStep>;
  /** What it gave, if that was soon; else null. */
  readonly step: StreamStep | null;
}

/** Waits a few turns for what is probably there. @throws what the read has failed with by then. */
async function soon(read: Promise<StreamStep>): Promise<Soon> {
  let step: StreamStep | null = null;
  let failed = false;
  read.then(
    (result) => {
      step = result;
    },
    () => {
      failed = true;
    },
  );
  for (let turn = 0; turn < TURNS && step === null && !failed; turn++) await null;
  if (failed) await read;
  return { read, step };
}

function pieceOf(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  throw invalidType('A piece of a body', 'a string or a Uint8Array', value);
}

/** It cannot be completed. */
function failedIn(exchange: Exchange, error: unknown): void {
  exchange.connection.server.fail(exchange, error);
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

function isSelfSending(value: unknown): value is SelfSending {
  return typeof value === 'object' && value !== null && SENDS in value;
}

function isStream(value: unknown): value is AsyncIterable<string | Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
