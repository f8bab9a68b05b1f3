// The Bun peer: promises and timers; Bun.listen, Bun.udpSocket and Bun.serve for the servers.
import { runPeer, servePort } from '../javascript/measure.mjs';
import { workloads } from '../javascript/promises.mjs';
import { httpServer } from './http.mjs';

const REQUEST_BYTES = 64;

async function listen(socket) {
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, backlog: 4096, socket });
  await servePort(server.port, collect);
  process.exit(0);
}

function collect() {
  Bun.gc(true);
}

function echo() {
  return listen({
    open(socket) {
      socket.data = { unsent: null };
      socket.setNoDelay(true);
    },
    data(socket, chunk) {
      const { data } = socket;
      if (data.unsent !== null) {
        data.unsent = Buffer.concat([data.unsent, chunk]);
        return;
      }
      const written = socket.write(chunk);
      // The chunk's memory is Bun's after this call: what is left must be copied.
      if (written < chunk.length) data.unsent = Buffer.from(chunk.subarray(Math.max(0, written)));
    },
    drain(socket) {
      const { data } = socket;
      if (data.unsent === null) return;
      const written = socket.write(data.unsent);
      data.unsent = written < data.unsent.length ? data.unsent.subarray(Math.max(0, written)) : null;
    },
    error(socket) {
      socket.end();
    },
  });
}

/** Reads one request, answers it, and closes. */
function churn() {
  return listen({
    data(socket, chunk) {
      // It comes in one piece, as good as always.
      const request = socket.data === undefined ? chunk : Buffer.concat([socket.data, chunk]);
      if (request.length >= REQUEST_BYTES) socket.end(request);
      else socket.data = Buffer.from(request);
    },
    error(socket) {
      socket.end();
    },
  });
}

async function udp() {
  const server = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket, datagram, port, address) {
        socket.send(datagram, port, address);
      },
    },
  });
  await servePort(server.port, collect);
  process.exit(0);
}

async function http() {
  const server = httpServer();
  await servePort(server.port, collect);
  process.exit(0);
}

await runPeer(process.argv.slice(2), workloads, { echo, churn, udp, http, 'http-routes': http });
