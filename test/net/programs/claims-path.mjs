// Several threads claim the path that a dead server has left, at the same moment, again and again: one of them gets it.
import { linkSync, readdirSync, utimesSync } from 'node:fs';
import { createServer } from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { connect, listen } from '../../../build/test/lib/net/index.js';

const THREADS = 4;
const ROUNDS = 25;

/** A socket's file without a server: one more name of it, that the server does not know. */
async function leaveStale(path) {
  const server = createServer();
  await new Promise((resolve) => server.listen(`${path}-alive`, resolve));
  linkSync(`${path}-alive`, path);
  await new Promise((resolve) => server.close(resolve));
  // Long ago: one that was made just now might be somebody's who is about to listen.
  utimesSync(path, 1, 1);
}

async function claim(path, gate) {
  Atomics.add(gate, 0, 1);
  while (Atomics.load(gate, 0) < THREADS);
  try {
    return await listen({ path, open: (socket) => void socket.close() });
  } catch (error) {
    return error.code;
  }
}

if (isMainThread) {
  const folder = process.argv[2];
  const workers = Array.from({ length: THREADS }, () => new Worker(new URL(import.meta.url)));
  const answer = (worker) => new Promise((resolve) => worker.once('message', resolve));
  const codes = {};
  let winners = 0;
  let served = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const path = `${folder}/${round}`;
    await leaveStale(path);
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const answers = workers.map(answer);
    for (const worker of workers) worker.postMessage({ path, gate });
    const outcomes = await Promise.all(answers);
    const won = outcomes.filter((outcome) => outcome === 'listens').length;
    if (won === 1) winners++;
    for (const outcome of outcomes) codes[outcome] = (codes[outcome] ?? 0) + 1;
    const socket = await connect({ path });
    if ((await socket.read()) === null) served++;
    await socket.close();
    const ended = workers.map(answer);
    for (const worker of workers) worker.postMessage({ end: true });
    await Promise.all(ended);
  }
  for (const worker of workers) await worker.terminate();
  console.log(JSON.stringify({ rounds: ROUNDS, winners, served, codes, left: readdirSync(folder) }));
} else {
  let listener = null;
  parentPort.on('message', async ({ path, gate, end }) => {
    if (end) {
      if (typeof listener !== 'string') await listener.close();
      parentPort.postMessage('ended');
    } else {
      listener = await claim(path, gate);
      parentPort.postMessage(typeof listener === 'string' ? listener : 'listens');
    }
  });
}
