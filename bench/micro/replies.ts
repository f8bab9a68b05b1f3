import { HttpConnection } from '../../lib/http/connection.js';
import type { HttpServer } from '../../lib/http/index.js';
import { limitsOf } from '../../lib/http/limits.js';
import { type Handler, ServerCore } from '../../lib/http/server-core.js';
import { border } from '../../lib/internal/border.js';
import { openArenas } from '../../lib/net/arenas.js';
import { Chunk } from '../../lib/net/chunk.js';
import { Socket } from '../../lib/net/socket.js';

const CONNECTIONS = 64;
const BUFFER_BYTES = 16 * 1024;
const PREFIX = '/hello/';

/** What the handler below is asked for by a client that says little. */
export const HELLO = `GET ${PREFIX}World HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n`;

const greet: Handler = ({ method, path }) =>
  method === 'GET' && path.startsWith(PREFIX) ? `Hello, ${path.slice(PREFIX.length)}!` : 'no';

/** No kernel stands behind it: what is written has left. C++ refuses the submissions, since the handle is none. */
class Unconnected extends Socket {
  override get bytesLeft(): number {
    return this.submitted;
  }
}

/**
 * From a chunk of `requests` pipelined ones to their replies in the send arena: parsing, the handler, the reply; with the
 * rings, without a kernel. One operation is a chunk; connections take turns.
 */
export function answerRequests(request: string, requests: number): () => void {
  border.open();
  const memory = openArenas().received;
  const length = memory.write(request.repeat(requests), 0, 'latin1');
  // Only adapters and errors look at the server itself.
  const core = new ServerCore(limitsOf(undefined), 'http', greet, {} as HttpServer);
  const connections = Array.from({ length: CONNECTIONS }, (_, i) => {
    memory.copy(memory, i * BUFFER_BYTES, 0, length);
    return new HttpConnection(core, new Unconnected(i + 1, { data: () => {} }, null));
  });
  let next = 0;
  return () => {
    const at = next;
    next = (next + 1) % CONNECTIONS;
    (connections[at] as HttpConnection).data(new Chunk(memory, at * BUFFER_BYTES, length));
    if (core.counters.bytesOut === 0) throw new Error('nothing was answered');
  };
}
