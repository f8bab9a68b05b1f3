// What the HTTP servers answer, where it does not depend on how a runtime is asked.

const LARGEST_BODY = 1 << 20;
const PATTERN_PERIOD = 251;

/** Byte i of every body is i % 251: the load generator compares each. */
const pattern = new Uint8Array(LARGEST_BODY).map((_, i) => i % PATTERN_PERIOD);

const STREAM_CHUNKS = 16;
const CHUNK_BYTES = 1_024;

/** For POST /upload: more is refused. */
export const UPLOAD_BYTES_MAX = 2 << 20;

/** GET /hello/:name */
export function greeting(name) {
  return `Hello, ${name}!`;
}

/** GET /users/:user/posts/:post */
export function postOf(user, post) {
  return { user, post };
}

/** POST /json: what came, with one field changed. */
export function counted(value) {
  value.count++;
  return value;
}

/** GET /bytes/:length */
export function bytes(length) {
  return pattern.subarray(0, Math.min(Number(length), LARGEST_BODY));
}

/** GET /stream, a piece at a time. */
export async function* pieces() {
  for (let k = 0; k < STREAM_CHUNKS; k++) yield pattern.subarray(k * CHUNK_BYTES, (k + 1) * CHUNK_BYTES);
}

/** The same for runtimes that take a stream of the web. */
export function streamOfPieces() {
  let k = 0;
  return new ReadableStream({
    pull(controller) {
      if (k === STREAM_CHUNKS) return controller.close();
      controller.enqueue(pattern.subarray(k * CHUNK_BYTES, (k + 1) * CHUNK_BYTES));
      k++;
    },
  });
}

const POST_PATH = /^\/users\/([^/]+)\/posts\/([^/]+)$/;

/** [user, post] of such a path; null for another. */
export function postPath(path) {
  const match = POST_PATH.exec(path);
  return match === null ? null : [match[1], match[2]];
}

export const STATIC_TEXT = 'Hello, World!';
export const IDLE_SECONDS = 65;
