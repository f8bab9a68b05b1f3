// Whatever the codec tells of some bytes, as plain objects.
import { Buffer } from 'node:buffer';
import { type CodecLimits, eventWords, openCodec } from '../../lib/http/codec.js';
import {
  HTTP_ABSOLUTE_FORM,
  HTTP_ASTERISK_FORM,
  HTTP_AUTHORITY_FORM,
  HTTP_BODY_LENGTH,
  HTTP_BODY_OFFSET,
  HTTP_CHUNKED,
  HTTP_DOT_IN_PATH,
  HTTP_END_FIELDS,
  HTTP_END_LENGTH,
  HTTP_END_OFFSET,
  HTTP_END_WORDS,
  HTTP_ERROR_REASON,
  HTTP_EVENT_BODY,
  HTTP_EVENT_END,
  HTTP_EVENT_HEAD,
  HTTP_EXPECT_CONTINUE,
  HTTP_EXPECT_OTHER,
  HTTP_FIELD_KNOWN,
  HTTP_FIELD_NAME,
  HTTP_FIELD_NAME_NAMES,
  HTTP_FIELD_VALUE,
  HTTP_FIELD_WORDS,
  HTTP_HAS_BODY,
  HTTP_HAS_LENGTH,
  HTTP_HAS_QUERY,
  HTTP_HEAD_AUTHORITY,
  HTTP_HEAD_CONTENT_LENGTH_HIGH,
  HTTP_HEAD_CONTENT_LENGTH_LOW,
  HTTP_HEAD_FIELDS,
  HTTP_HEAD_LENGTH,
  HTTP_HEAD_METHOD,
  HTTP_HEAD_OFFSET,
  HTTP_HEAD_PATH,
  HTTP_HEAD_TARGET,
  HTTP_HEAD_WORDS,
  HTTP_HTTP10,
  HTTP_IN_SCRATCH,
  HTTP_KEEP_ALIVE,
  HTTP_METHOD_NAMES,
  HTTP_PERCENT_IN_PATH,
  HTTP_REASON_NAMES,
  HTTP_STOP_END,
  HTTP_STOP_ERROR,
  HTTP_STOP_TABLE,
  HTTP_STOP_UPGRADE,
  HTTP_UPGRADE,
  HTTP_WORD_EVENTS,
} from '../../lib/internal/http-layout.js';

export const LIMITS: CodecLimits = {
  requestLineBytes: 8 * 1024,
  headBytes: 16 * 1024,
  fields: 100,
  chunkExtensionBytes: 16 * 1024,
  trailerBytes: 16 * 1024,
};

const FLAGS: Readonly<Record<string, number>> = {
  http10: HTTP_HTTP10,
  keepAlive: HTTP_KEEP_ALIVE,
  hasLength: HTTP_HAS_LENGTH,
  chunked: HTTP_CHUNKED,
  expectContinue: HTTP_EXPECT_CONTINUE,
  expectOther: HTTP_EXPECT_OTHER,
  upgrade: HTTP_UPGRADE,
  absoluteForm: HTTP_ABSOLUTE_FORM,
  asteriskForm: HTTP_ASTERISK_FORM,
  authorityForm: HTTP_AUTHORITY_FORM,
  percentInPath: HTTP_PERCENT_IN_PATH,
  dotInPath: HTTP_DOT_IN_PATH,
  hasQuery: HTTP_HAS_QUERY,
  hasBody: HTTP_HAS_BODY,
};

export interface Field {
  readonly name: string;
  readonly value: string;
  readonly known: string;
}

export interface Head {
  readonly method: string;
  /** '' of a method without a number. */
  readonly methodName: string;
  readonly target: string;
  readonly path: string;
  readonly authority: string;
  readonly flags: readonly string[];
  readonly fields: readonly Field[];
  readonly contentLength: number;
  readonly host: string | null;
  /** Static route, or -1. */
  readonly route: number;
}

export interface Request {
  readonly head: Head;
  body: string;
  /** How many Body events. */
  pieces: number;
  trailers: readonly Field[] | null;
}

export interface Outcome {
  readonly requests: Request[];
  error: { status: number; reason: string } | null;
  /** Of one piece: where it is refused, at the begin of a head or at the byte of a body. */
  errorAt?: number;
}

function word(at: number): number {
  return openCodec().table[at] as number;
}

function latin1(memory: Uint8Array, from: number, to: number): string {
  return Buffer.from(memory.buffer, memory.byteOffset, memory.length).toString('latin1', from, to);
}

function text(memory: Uint8Array, begin: number, span: number): string {
  const from = begin + (span & 0xffff);
  return latin1(memory, from, from + (span >>> 16));
}

function fieldsAt(memory: Uint8Array, begin: number, at: number, count: number): Field[] {
  return Array.from({ length: count }, (_, i) => {
    const field = at + i * HTTP_FIELD_WORDS;
    return {
      name: text(memory, begin, word(field + HTTP_FIELD_NAME)),
      value: text(memory, begin, word(field + HTTP_FIELD_VALUE)),
      known: HTTP_FIELD_NAME_NAMES[word(field + HTTP_FIELD_KNOWN)] as string,
    };
  });
}

function headAt(input: Uint8Array, at: number): Head {
  const kind = word(at);
  const memory = (kind & HTTP_IN_SCRATCH) !== 0 ? openCodec().scratch : input;
  const begin = word(at + HTTP_HEAD_OFFSET);
  const fields = fieldsAt(memory, begin, at + HTTP_HEAD_WORDS, word(at + HTTP_HEAD_FIELDS) & 0xffff);
  const method = word(at + HTTP_HEAD_METHOD);
  const number = (kind >>> 8) & 0xff;
  const host = method >>> 16;
  if (latin1(memory, begin, begin + word(at + HTTP_HEAD_LENGTH)).slice(-4) !== '\r\n\r\n') {
    throw new Error('the head does not end with an empty line');
  }
  return {
    method: text(memory, begin, (method & 0xffff) << 16),
    methodName: number === 0 ? '' : (HTTP_METHOD_NAMES[number] as string),
    target: text(memory, begin, word(at + HTTP_HEAD_TARGET)),
    path: text(memory, begin, word(at + HTTP_HEAD_PATH)),
    authority: text(memory, begin, word(at + HTTP_HEAD_AUTHORITY)),
    flags: Object.keys(FLAGS).filter((name) => (kind & (FLAGS[name] as number)) !== 0),
    fields,
    contentLength: word(at + HTTP_HEAD_CONTENT_LENGTH_HIGH) * 2 ** 32 + word(at + HTTP_HEAD_CONTENT_LENGTH_LOW),
    host: host === 0 ? null : (fields[host - 1]?.value ?? null),
    route: (word(at + HTTP_HEAD_FIELDS) >>> 16) - 1,
  };
}

/** Adds the events of the last call, which was given `input`. */
export function readEvents(input: Uint8Array, events: number, outcome: Outcome): void {
  const { scratch, table } = openCodec();
  let at = HTTP_WORD_EVENTS;
  for (let left = events; left > 0; left--) {
    const kind = word(at);
    const request = outcome.requests.at(-1);
    switch (kind & 0xff) {
      case HTTP_EVENT_HEAD:
        if (request !== undefined && request.trailers === null) throw new Error('a Head before the End');
        outcome.requests.push({ head: headAt(input, at), body: '', pieces: 0, trailers: null });
        break;
      case HTTP_EVENT_BODY: {
        if (request === undefined || request.trailers !== null) throw new Error('a Body without its Head');
        const offset = word(at + HTTP_BODY_OFFSET);
        request.body += latin1(input, offset, offset + word(at + HTTP_BODY_LENGTH));
        request.pieces++;
        break;
      }
      case HTTP_EVENT_END: {
        if (request === undefined || request.trailers !== null) throw new Error('an End without its Head');
        const memory = (kind & HTTP_IN_SCRATCH) !== 0 ? scratch : input;
        const begin = word(at + HTTP_END_OFFSET);
        if (begin + word(at + HTTP_END_LENGTH) > memory.length) throw new Error('trailers outside of their memory');
        request.trailers = fieldsAt(memory, begin, at + HTTP_END_WORDS, word(at + HTTP_END_FIELDS));
        break;
      }
      default:
        outcome.error = { status: kind >>> 16, reason: HTTP_REASON_NAMES[word(at + HTTP_ERROR_REASON)] as string };
    }
    at += eventWords(table, at);
  }
}

/** The outcome of bytes that come in the given pieces, on a connection of its own. */
export function decode(pieces: readonly (string | Uint8Array)[], limits: CodecLimits = LIMITS): Outcome {
  const codec = openCodec();
  const server = codec.server(limits);
  const connection = codec.attach(server);
  const outcome: Outcome = { requests: [], error: null };
  try {
    for (const piece of pieces) {
      const input = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
      for (let at = 0; at < input.length; ) {
        const events = codec.parse(connection, input, at, input.length - at, 0xffffffff);
        readEvents(input, events, outcome);
        at += codec.consumed;
        if (codec.stop === HTTP_STOP_ERROR) return pieces.length === 1 ? { ...outcome, errorAt: at } : outcome;
        if (codec.stop === HTTP_STOP_END && at !== input.length) throw new Error('bytes were left without a reason');
        if (codec.stop !== HTTP_STOP_END && codec.stop !== HTTP_STOP_UPGRADE && codec.stop !== HTTP_STOP_TABLE) {
          throw new Error(`stopped: ${codec.stop}`);
        }
      }
    }
    return outcome;
  } finally {
    codec.detach(connection);
    codec.dropServer(server);
  }
}
