// Routes that C++ answers by itself: those of a fixed path that lead to a reply whose body is there.
//
// Only where nothing could go before it: with tables for hosts, a route of every host may be one that a host has another
// handler for, so only those of a named host are taken then.
import { Buffer } from 'node:buffer';
import { prepare } from './answer.js';
import type { StaticReply, StaticRoute } from './codec.js';
import { methodNumber } from './codec.js';
import { httpDate } from './date.js';
import type { RouteValue } from './dispatch.js';
import { Reply } from './reply.js';
import { TEXT_FIELDS } from './reply-head.js';
import { allowOf, type RouteTable } from './routing/index.js';
import { reasonPhrase, statusLine } from './status.js';

const BYTES_FIELDS = 'Content-Type: application/octet-stream\r\n';
/** What is copied with others into one piece of the send arena; larger ones JavaScript sends. */
const REPLY_BYTES_MAX = 16 * 1024;
const NO_BODY = Buffer.alloc(0);

/** What C++ can answer of `table`. @param lengthMax of a body, in bytes: what is longer may have to be compressed. */
export function staticRoutes(table: RouteTable<RouteValue>, lengthMax = REPLY_BYTES_MAX): StaticRoute[] {
  const entries = table.entries();
  const withHosts = entries.some(({ host }) => host !== '');
  const routes: StaticRoute[] = [];
  for (const { host, path, handlers } of entries) {
    if (path === null || host.startsWith('*.') || (withHosts && host === '')) continue;
    // Whoever answers HEAD in another way than GET is asked.
    if (handlers.get('HEAD') !== handlers.get('GET')) continue;
    const replies = new Map<string, StaticReply>();
    for (const [method, value] of handlers) {
      const reply = bodyLength(value) > lengthMax ? null : replyOf(value);
      if (reply === null || reply.bytes.length > REPLY_BYTES_MAX) continue;
      // HEAD is answered with the head of GET.
      if (method === 'HEAD') continue;
      if (method === '*' || methodNumber(method) !== 0) replies.set(method, reply);
    }
    if (replies.size === 0) continue;
    addRefusals(replies, handlers);
    routes.push({ host: host === '' ? null : host, path, replies });
  }
  return routes;
}

/** OPTIONS, and 405 for what is not there, where no handler of JavaScript's could be asked. */
function addRefusals(replies: Map<string, StaticReply>, handlers: ReadonlyMap<string, RouteValue>): void {
  const heads = handlers.has('HEAD') ? 1 : 0;
  if (replies.size + heads !== handlers.size || handlers.has('*')) return;
  const allow = `Allow: ${allowOf(new Set([...handlers.keys(), 'OPTIONS']))}\r\n`;
  if (!handlers.has('OPTIONS')) replies.set('OPTIONS', whole(204, allow, null, false));
  const text = Buffer.from(`${reasonPhrase(405)}\n`);
  replies.set('*', whole(405, `${allow}${TEXT_FIELDS}`, text, false));
}

function bodyLength(value: RouteValue): number {
  const body = value instanceof Reply ? value.body : value;
  return typeof body === 'string' ? Buffer.byteLength(body) : body instanceof Uint8Array ? body.length : 0;
}

function replyOf(value: RouteValue): StaticReply | null {
  if (typeof value === 'string') return whole(200, TEXT_FIELDS, Buffer.from(value), false);
  if (value instanceof Uint8Array) return whole(200, BYTES_FIELDS, value, false);
  if (!(value instanceof Reply)) return null;
  const { status, body, headers } = value;
  const head = prepare(headers);
  if (head.closes) return null;
  if (body === null) return whole(status, head.fields, status === 204 || status === 304 ? null : NO_BODY, head.dated);
  if (typeof body === 'string') {
    const typed = headers.has('content-type');
    return whole(status, typed ? head.fields : head.fields + TEXT_FIELDS, Buffer.from(body), head.dated);
  }
  return body instanceof Uint8Array ? whole(status, head.fields, body, head.dated) : null;
}

/** @param body null: neither a body nor its length. */
function whole(status: number, fields: string, body: Uint8Array | null, dated: boolean): StaticReply {
  const start = `${statusLine(status)}${fields}`;
  const date = dated ? '' : `Date: ${httpDate()}\r\n`;
  const length = body === null ? '' : `Content-Length: ${body.length}\r\n`;
  const head = Buffer.from(`${start}${date}${length}\r\n`, 'latin1');
  return {
    bytes: body === null ? head : Buffer.concat([head, body]),
    dateOffset: dated ? null : start.length + 'Date: '.length,
  };
}
