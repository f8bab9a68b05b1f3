// A TCP proxy: backpressure both ways, half-closed connections stay half-closed. Run: node examples/tcp-proxy.mjs 7001 7000
import { connect, listen } from 'millrace/net';

const [port = 7001, target = 7000] = process.argv.slice(2).map(Number);

// The same for both ends of a connection; `socket.data` is the other end.
const ends = {
  allowHalfOpen: true,
  data(socket, chunk) {
    const other = socket.data;
    if (!other.open) return;
    other.write(chunk);
    // Whoever is not read from as fast as we read is what slows down the other side.
    if (other.bytesQueued > other.highWaterMark) socket.pause();
  },
  drain(socket) {
    socket.data.resume();
  },
  end(socket) {
    socket.data.shutdown();
  },
  error(socket, error) {
    console.error(error.message);
    socket.data?.destroy();
  },
  close(socket) {
    socket.data?.close();
  },
};

const listener = await listen({
  ...ends,
  host: '127.0.0.1',
  port,
  async open(client) {
    // What the client sends waits in the kernel until there is somebody to send it to.
    client.pause();
    try {
      const server = await connect({ ...ends, host: '127.0.0.1', port: target, connectTimeout: 5000 });
      client.data = server;
      server.data = client;
      if (client.open) client.resume();
      else server.destroy();
    } catch (error) {
      console.error(error.message);
      client.destroy();
    }
  },
});
console.log(`listening on ${listener.address.address}:${listener.port}, for ${target}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    const destroyed = await listener.close({ drainMs: 1000 });
    console.log(`${signal}: closed, ${destroyed} connections were not done`);
  });
}
