// Starts workers (argv: how many), waits until each is amid an echo, and terminates it, or with 'natural' lets it end.
// Then this thread must still be able to echo.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { connect, listen } from '../../../build/test/lib/net/index.js';

const [, , count, how] = process.argv;
const openDescriptors = () => readdirSync('/proc/self/fd').length;
const listener = await listen({ host: '127.0.0.1', data: (socket, chunk) => void socket.write(chunk) });
let before = 0;
for (let i = 0; i < Number(count); i++) {
  const worker = new Worker(new URL('./echo-worker.mjs', import.meta.url), { workerData: how });
  worker.on('error', (error) => {
    throw error;
  });
  const ended = once(worker, 'exit');
  await once(worker, 'message');
  if (how !== 'natural') await worker.terminate();
  await ended;
  if (i === 3) before = openDescriptors();
}
const leakedDescriptors = openDescriptors() - before;
const socket = await connect({ host: '127.0.0.1', port: listener.port });
socket.write('alive');
const echo = String(await socket.read());
await socket.close();
await listener.close();
console.log(JSON.stringify({ terminated: Number(count), leakedDescriptors, echo }));
