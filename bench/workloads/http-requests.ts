// What HTTP servers are asked, and the exact replies: bench/peers/README.md has the same as a table.

export interface HttpAsked {
  readonly request: string;
  readonly contentType?: string;
  /** A text, or so many bytes of the load generator's pattern. */
  readonly body?: string | number;
  readonly reply: string | number;
}

const JSON_BYTES = 1_024;
const BINARY = 'application/octet-stream';

/** A document of exactly 1 KiB. */
function document(count: number): string {
  const open = `{"id":4711,"name":"Millrace","count":${count},"tags":["async","http","uring"],"text":"`;
  const close = '"}';
  const filler = 'The mill turns while the water runs. ';
  return `${open}${filler.repeat(JSON_BYTES).slice(0, JSON_BYTES - open.length - close.length)}${close}`;
}

export const HELLO: HttpAsked = { request: 'GET /hello/World', reply: 'Hello, World!' };
export const STATIC: HttpAsked = { request: 'GET /hello.txt', reply: 'Hello, World!' };
export const PARAMETERS: HttpAsked = { request: 'GET /users/42/posts/7', reply: '{"user":"42","post":"7"}' };
export const JSON_ECHO: HttpAsked = {
  request: 'POST /json',
  contentType: 'application/json',
  body: document(41),
  reply: document(42),
};
export const STREAM: HttpAsked = { request: 'GET /stream', reply: 16 * 1_024 };

export function download(bytes: number): HttpAsked {
  return { request: `GET /bytes/${bytes}`, reply: bytes };
}

export function upload(bytes: number): HttpAsked {
  return { request: 'POST /upload', contentType: BINARY, body: bytes, reply: String(bytes) };
}

/** The load generator's words for them (bench/load/README.md). */
export function requestWords(asked: readonly HttpAsked[]): string[] {
  return asked.flatMap(({ request, contentType, body, reply }) => [
    ...['--request', request],
    ...(contentType === undefined ? [] : ['--header', `Content-Type: ${contentType}`]),
    ...(body === undefined ? [] : [typeof body === 'string' ? '--body' : '--body-bytes', String(body)]),
    ...[typeof reply === 'string' ? '--expect' : '--expect-bytes', String(reply)],
  ]);
}
