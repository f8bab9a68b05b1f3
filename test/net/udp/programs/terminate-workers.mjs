// Workers that receive and send as fast as they can are terminated at any moment; the process goes on.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { bindUdp, connectUdp } from '../../../../build/test/lib/net/index.js';

if (!isMainThread) {
  const server = await bindUdp({
    host: '127.0.0.1',
    message: (socket, datagram) => void socket.send(datagram, datagram),
  });
  for (let i = 0; i < 8; i++) {
    const echo = (socket, datagram) => void socket.send(datagram);
    const client = await connectUdp({ host: '127.0.0.1', port: server.port, message: echo });
    client.sendMany(Array.from({ length: 16 }, () => 'x'.repeat(64)));
  }
  const reader = await bindUdp({ host: '127.0.0.1' });
  void reader
    .receive()
    .promise()
    .catch(() => {});
  parentPort.postMessage('running');
} else {
  let ended = 0;
  for (let round = 0; round < 12; round++) {
    const worker = new Worker(new URL(import.meta.url));
    await new Promise((resolve) => worker.once('message', resolve));
    for (let i = 0; i < round; i++) await new Promise((resolve) => setImmediate(resolve));
    await worker.terminate();
    ended++;
  }
  console.log(JSON.stringify({ ended }));
}
