// A TCP echo server with handlers, the fastest way. Run: node examples/tcp-echo.mjs 7000
import { all, runtimeInfo } from 'millrace';
import { listen } from 'millrace/net';

const HIGH_WATER_MARK = 64 * 1024;
const sockets = new Set();

const listener = await listen({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 7000),
  highWaterMark: HIGH_WATER_MARK,
  open(socket) {
    sockets.add(socket);
  },
  data(socket, chunk) {
    // The bytes leave from the memory that they were received in: no copy.
    socket.write(chunk);
    // A peer that sends and does not read must not fill our memory.
    if (socket.bytesQueued > HIGH_WATER_MARK) socket.pause();
  },
  drain(socket) {
    socket.resume();
  },
  error(_socket, error) {
    console.error(error.message);
  },
  close(socket) {
    sockets.delete(socket);
  },
});

console.log(`listening on ${listener.address.address}:${listener.port} (${runtimeInfo().backend})`);

async function stop(signal) {
  console.log(`${signal}: closing ${sockets.size} connections`);
  await listener.close();
  await all([...sockets].map((socket) => socket.close()));
  // Nothing is open any more, so the process ends by itself.
  console.log('closed');
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
