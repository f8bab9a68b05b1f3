// Four threads serve one port. Clients come and go all the time; one thread is terminated in the middle of it.
//
// What was accepted by the terminated thread, or waited in its backlog, is reset; nothing else may fail.
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

const THREADS = 4;
const CLIENTS = 40;
const served = new SharedArrayBuffer(4 * THREADS);
const counts = new Int32Array(served);
let port = 0;

async function start(index) {
  const worker = new Worker(new URL('./shares-port.mjs', import.meta.url), { workerData: { served, port, index } });
  const [started] = await once(worker, 'message');
  port = started.port;
  return worker;
}

function once(emitter, event) {
  return new Promise((resolve, reject) => {
    emitter.once(event, (...args) => resolve(args));
    emitter.once('error', reject);
  });
}

/** One request on a connection of its own: 'served', or the code of what went wrong. */
function request() {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('hello'));
    let outcome = 'closed';
    socket.on('data', () => {
      outcome = 'served';
      socket.end();
    });
    socket.on('error', (error) => (outcome = error.code));
    socket.on('close', () => resolve(outcome));
  });
}

const workers = [];
for (let i = 0; i < THREADS; i++) workers.push(await start(i));

const outcomes = { before: {}, during: {}, after: {} };
let phase = 'before';
let going = true;
const clients = Array.from({ length: CLIENTS }, async () => {
  while (going) {
    const at = phase;
    const outcome = await request();
    const where = outcomes[at === phase ? at : 'during'];
    where[outcome] = (where[outcome] ?? 0) + 1;
  }
});

const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
};
await until(() => counts.every((count) => count > 50));
phase = 'during';
await workers[0].terminate();
// Every client has had a connection that began after the termination.
const before = Atomics.load(counts, 1);
await until(() => Atomics.load(counts, 1) > before + 50);
phase = 'after';
const last = [...counts];
await until(() => counts.slice(1).every((count, i) => count > last[i + 1] + 50));
going = false;
await Promise.all(clients);

const ends = workers.slice(1).map((worker) => Promise.all([once(worker, 'message'), once(worker, 'exit')]));
for (const worker of workers.slice(1)) worker.postMessage('end');
const destroyed = (await Promise.all(ends)).map(([[message]]) => message.destroyed);
console.log(JSON.stringify({ ...outcomes, byThread: [...counts], destroyed }));
