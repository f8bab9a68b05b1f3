// TCP servers with handlers, and with `for await` and `await write` in a task for each connection.
import { spawn } from 'millrace';
import { listen } from 'millrace/net';
import { serveUntilClosed } from './counters.mjs';

const REQUEST_BYTES = 64;
const where = { host: '127.0.0.1', port: 0, backlog: 4096 };

export async function echoHandlers() {
  const server = await listen({
    ...where,
    data(socket, chunk) {
      if (socket.write(chunk).queued) socket.pause();
    },
    drain(socket) {
      socket.resume();
    },
  });
  await serveUntilClosed(server);
}

export function echoStreams() {
  return serveStreams(async (socket) => {
    for await (const chunk of socket) await socket.write(chunk);
  });
}

/** Reads one request, answers it, and closes. */
export async function churnHandlers() {
  const server = await listen({
    ...where,
    data(socket, chunk) {
      socket.write(chunk);
      if (socket.bytesRead >= REQUEST_BYTES) socket.close();
    },
  });
  await serveUntilClosed(server);
}

export function churnStreams() {
  return serveStreams(async (socket) => {
    await socket.write(await socket.readExact(REQUEST_BYTES));
    await socket.close();
  });
}

async function serveStreams(handle) {
  const server = await listen(where);
  spawn(async () => {
    for await (const socket of server) spawn(() => handle(socket).catch(reset));
  });
  await serveUntilClosed(server);
}

/** The peer has reset the connection: that ends this connection and nothing else. */
function reset() {}
