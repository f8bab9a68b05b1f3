// A worker with timers pending and sockets amid I/O. It says when it is in the middle of it, and never ends by itself.
import { parentPort } from 'node:worker_threads';
import { RawBorder, RUNNABLE } from '../raw-border.mjs';

const SEND = 4;
const DATA = 4;
const CONNECT = 3;
const border = new RawBorder();
const { addon } = border;
for (let slot = 0; slot < 1000; slot++) border.arm(slot, addon.clock() + (slot % 100));
const io = addon.openIo();
const listener = addon.listen('127.0.0.1', 0, 64, 0, 0);
let events = 0;
if (listener >= 0) {
  const { port } = addon.name(listener, false);
  for (let i = 0; i < 8; i++) addon.connect('127.0.0.1', port, 0, '', 0);
}
new Uint8Array(io.sendArena).fill(65);
border.onRecord = (kind, handle, a) => {
  if (kind === 1) border.arm(handle, addon.clock() + 1);
  else if (kind === CONNECT && a === 0) border.submit(SEND, handle, 0, 16_384);
  else if (kind === DATA) border.submit(SEND, handle, 0, 16_384);
  if (++events === 2000) parentPort.postMessage('busy');
  border.control[RUNNABLE] = 1;
};
