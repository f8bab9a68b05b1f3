// A worker that serves a port which others serve too: it answers each connection with its number, and counts.
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { listen } from '../../../build/test/lib/net/index.js';

const served = new Int32Array(workerData.served);
const listener = await listen({
  host: '127.0.0.1',
  port: workerData.port,
  reusePort: true,
  data(socket, chunk) {
    Atomics.add(served, workerData.index, 1);
    socket.write(chunk);
  },
});
parentPort.postMessage({ port: listener.port, threadId });
parentPort.on('message', async () => {
  parentPort.postMessage({ destroyed: await listener.close({ drainMs: 30_000 }) });
  parentPort.close();
});
