// Server-sent events (WHATWG HTML, 9.2).
import { checkInteger, checkObject, invalidType } from '../internal/errors.js';
import { invalidField } from './http-errors.js';

/** One event; with nothing but a comment, or `retry`, no event is seen by the client. */
export interface ServerSentEvent {
  /** What the client hears; its lines, ended by CR, LF or both, become lines of the event. */
  readonly data?: string;
  /** The event's name. Default: `message`. */
  readonly event?: string;
  /** What the client sends as Last-Event-ID when it connects anew; '' takes it back. */
  readonly id?: string;
  /** Milliseconds for which the client waits before it connects anew. 0 to 2^31 - 1. */
  readonly retry?: number;
  /** What nobody sees: to keep a connection alive. */
  readonly comment?: string;
}

/** Content-Type of a stream of events. */
export const EVENT_STREAM_TYPE = 'text/event-stream';

const LINE_END = /\r\n|\r|\n/;
const RETRY_MAX = 2 ** 31 - 1;

/**
 * An event as it is sent. Strings have to be sent as UTF-8.
 *
 * @example
 * ```ts
 * console.log(JSON.stringify(encodeEvent({ event: 'tick', id: '7', data: 'one\ntwo' })));
 * // "event: tick\nid: 7\ndata: one\ndata: two\n\n"
 * ```
 * @throws TypeError `ERR_MILLRACE_HTTP_FIELD` for CR, LF or NUL in `id`, or CR or LF in `event`: they would end the line, or make
 * clients drop the id. `ERR_INVALID_ARG_TYPE` for a wrong type. RangeError (`ERR_OUT_OF_RANGE`) for a wrong `retry`.
 */
export function encodeEvent(event: ServerSentEvent): string {
  checkObject(event, 'event');
  const { data, event: name, id, retry, comment } = event;
  let text = '';
  if (comment !== undefined) text += lines('', comment, 'event.comment');
  if (name !== undefined) text += `event: ${oneLine(name, 'event.event', /[\r\n]/)}\n`;
  if (id !== undefined) text += `id: ${oneLine(id, 'event.id', /[\r\n\0]/)}\n`;
  if (retry !== undefined) {
    checkInteger(retry, 'event.retry', 0, RETRY_MAX);
    text += `retry: ${retry}\n`;
  }
  if (data !== undefined) text += lines('data', data, 'event.data');
  return `${text}\n`;
}

function lines(field: string, text: string, name: string): string {
  if (typeof text !== 'string') throw invalidType(name, 'a string', text);
  return text
    .split(LINE_END)
    .map((line) => `${field}: ${line}\n`)
    .join('');
}

function oneLine(text: string, name: string, forbidden: RegExp): string {
  if (typeof text !== 'string') throw invalidType(name, 'a string', text);
  const at = text.search(forbidden);
  if (at >= 0) throw invalidField(`${name} must not contain CR, LF or NUL; there is one at index ${at}`);
  return text;
}
