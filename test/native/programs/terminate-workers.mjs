// Starts `count` workers (argv), terminates each amid timers and I/O, and then checks that this thread still works.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { RawBorder } from '../raw-border.mjs';

const openDescriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
const count = Number(process.argv[2]);
const border = new RawBorder();
let before = 0;
for (let i = 0; i < count; i++) {
  const worker = new Worker(new URL('./terminated-worker.mjs', import.meta.url));
  await once(worker, 'message');
  await worker.terminate();
  if (i === 3) before = openDescriptors();
}
border.onRecord = () => {
  console.log(JSON.stringify({ terminated: count, leakedDescriptors: openDescriptors() - before }));
};
border.arm(0, border.addon.clock() + 1);
