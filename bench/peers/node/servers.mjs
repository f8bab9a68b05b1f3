import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { servePort } from '../javascript/measure.mjs';

const REQUEST_BYTES = 64;

async function listen(handle) {
  const server = createServer({ noDelay: true }, handle);
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  await servePort(server.address().port);
  process.exit(0);
}

export function echo() {
  return listen((socket) => {
    socket.on('data', (chunk) => {
      if (!socket.write(chunk)) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    });
    socket.on('error', () => socket.destroy());
  });
}

/** Reads one request, answers it, and closes. */
export function churn() {
  return listen((socket) => {
    let request = null;
    socket.on('data', (chunk) => {
      // It comes in one piece, as good as always.
      request = request === null ? chunk : Buffer.concat([request, chunk]);
      if (request.length >= REQUEST_BYTES) socket.end(request);
    });
    socket.on('error', () => socket.destroy());
  });
}

export async function udp() {
  const socket = createSocket({ type: 'udp4' });
  socket.on('message', (message, from) => socket.send(message, from.port, from.address));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.bind({ port: 0, address: '127.0.0.1' }, resolve));
  await servePort(socket.address().port);
  process.exit(0);
}
