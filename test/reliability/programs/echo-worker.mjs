// An echo between sockets of one thread that never comes to an end by itself, or, as 'natural', does.
import { parentPort, workerData } from 'node:worker_threads';
import { connect, listen } from '../../../build/test/lib/net/index.js';

let echoes = 0;
const sockets = [];
const listener = await listen({
  host: '127.0.0.1',
  data(socket, chunk) {
    socket.write(chunk);
    if (++echoes !== 500) return;
    if (workerData === 'natural') {
      for (const each of sockets) each.destroy();
      listener.close();
    }
    parentPort.postMessage('busy');
  },
});
for (let i = 0; i < 8; i++) {
  const socket = await connect({
    host: '127.0.0.1',
    port: listener.port,
    data: (each, chunk) => void each.write(chunk),
  });
  sockets.push(socket);
  socket.write(Buffer.alloc(i % 2 === 0 ? 64 : 100_000));
}
