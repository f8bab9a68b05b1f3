// The head of a response, to the byte as node:http writes it (OutgoingMessage._storeHeader). Names and values that were
// sent before are known to be right; whatever is out of the ordinary is left to Node, which also finds the errors.
import { dateField } from '../date.js';
import {
  CONNECTION,
  CONTENT_LENGTH,
  DATE,
  FieldName,
  KEEP_ALIVE,
  TRAILER,
  TRANSFER_ENCODING,
} from '../fields/field-name.js';
import type { ResponseInternals } from './native.js';

type Response = ResponseInternals & {
  readonly statusCode: number;
  shouldKeepAlive: boolean;
  readonly useChunkedEncodingByDefault: boolean;
  readonly sendDate: boolean;
};

type Headers = Readonly<Record<string, unknown>>;

const CLOSE = /(?:^|\W)close(?:$|\W)/i;
const CHUNKED = /(?:^|\W)chunked(?:$|\W)/i;
const FRAMING = CONNECTION | CONTENT_LENGTH | DATE | KEEP_ALIVE | TRAILER | TRANSFER_ENCODING;
const CONTENT_DISPOSITION_LENGTH = 'content-disposition'.length;

/** Which of the fields that matter were there. */
let known = 0;

/**
 * Makes `response._header`.
 * @param set the headers were set one by one: by name in small letters, name and value.
 * @returns false when Node has to do it; nothing was made then.
 */
export function storeHead(response: Response, firstLine: string, headers: Headers | undefined, set: boolean): boolean {
  const fields = headers === undefined ? '' : fieldsOf(response, headers, set);
  if (fields === null) return false;
  const found = headers === undefined ? 0 : known;
  let head = firstLine + fields;
  if (response.sendDate && (found & DATE) === 0) head += dateField();
  if (response.chunkedEncoding && (response.statusCode === 204 || response.statusCode === 304)) {
    response.chunkedEncoding = false;
    response.shouldKeepAlive = false;
  }
  if (response._removedConnection) response._last = !response.shouldKeepAlive;
  else if ((found & CONNECTION) === 0) head += connectionOf(response, (found & CONTENT_LENGTH) !== 0);
  if ((found & (CONTENT_LENGTH | TRANSFER_ENCODING)) === 0) head += framingOf(response, (found & TRAILER) !== 0);
  // It would be an error, and is Node's to find.
  if (!response.chunkedEncoding && (found & TRAILER) !== 0) return false;
  response._header = `${head}\r\n`;
  response._headerSent = false;
  return true;
}

/** The lines of the fields; null for what is out of the ordinary. */
function fieldsOf(response: Response, headers: Headers, set: boolean): string | null {
  let lines = '';
  known = 0;
  try {
    for (const key in headers) {
      const entry = headers[key];
      const name = set ? (entry as [string, unknown])[0] : key;
      const value = set ? (entry as [string, unknown])[1] : entry;
      const field = FieldName.of(name);
      // With a length known, Node takes what stands there for bytes.
      if (field.lower.length === CONTENT_DISPOSITION_LENGTH) return null;
      if (typeof value === 'string' || typeof value === 'number') {
        const text = field.check(value);
        lines += `${field.prefix}${text}\r\n`;
        if ((field.bit & FRAMING) !== 0) note(response, field.bit, text);
      } else if (Array.isArray(value) && (field.bit & FRAMING) === 0 && field.lower !== 'cookie') {
        for (const each of value) lines += `${field.prefix}${field.check(each)}\r\n`;
      } else {
        return null;
      }
    }
  } catch {
    return null;
  }
  return lines;
}

/** What a field says of the framing: as OutgoingMessage's matchHeader has it. */
function note(response: Response, bit: number, value: string): void {
  known |= bit;
  if (bit === CONTENT_LENGTH) {
    response._contentLength = +value;
    response._removedContLen = false;
  } else if (bit === CONNECTION) {
    response._removedConnection = false;
    if (CLOSE.test(value)) response._last = true;
    else response.shouldKeepAlive = true;
  } else if (bit === TRANSFER_ENCODING) {
    response._removedTE = false;
    if (CHUNKED.test(value)) response.chunkedEncoding = true;
  } else if (bit === KEEP_ALIVE) {
    response._defaultKeepAlive = false;
  }
}

let lastTimeoutMs = -1;
let lastKeepAlive = '';

function connectionOf(response: Response, hasLength: boolean): string {
  if (!response.shouldKeepAlive || !(hasLength || response.useChunkedEncodingByDefault)) {
    response._last = true;
    return 'Connection: close\r\n';
  }
  if (response.maxRequestsOnConnectionReached) return 'Connection: close\r\n';
  const timeoutMs = response._keepAliveTimeout;
  if (!timeoutMs || !response._defaultKeepAlive) return 'Connection: keep-alive\r\n';
  if (timeoutMs !== lastTimeoutMs) {
    lastTimeoutMs = timeoutMs;
    lastKeepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(timeoutMs / 1000)}\r\n`;
  }
  return lastKeepAlive;
}

function framingOf(response: Response, hasTrailer: boolean): string {
  if (!response._hasBody) {
    response.chunkedEncoding = false;
  } else if (!response.useChunkedEncodingByDefault) {
    response._last = true;
  } else if (!hasTrailer && !response._removedContLen && typeof response._contentLength === 'number') {
    return `Content-Length: ${response._contentLength}\r\n`;
  } else if (!response._removedTE) {
    response.chunkedEncoding = true;
    return 'Transfer-Encoding: chunked\r\n';
  } else {
    response._last = true;
  }
  return '';
}
