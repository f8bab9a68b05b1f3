// argv: cycles. Many at a time, so that slots are used again in every order.
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { spawn } from '../../../build/test/lib/index.js';
import { loadAddon } from '../../../build/test/lib/internal/binding.js';
import { connect, listen } from '../../../build/test/lib/net/index.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const cycles = Number(process.argv[2]);
const WIDTH = 32;
const listener = await listen({ host: '127.0.0.1', backlog: 1024, data: (socket, chunk) => void socket.write(chunk) });
const { port } = listener;
const message = Buffer.alloc(64, 'x');

async function serve(count) {
  for (let i = 0; i < count; i++) {
    const socket = await connect({ host: '127.0.0.1', port });
    void socket.write(message);
    if (((await socket.read()) ?? '').length !== 64) throw new Error('no echo');
    // With a reset no port is left in TIME_WAIT: a million would not do without.
    if (i % 8 === 0) await socket.close();
    else socket.destroy();
  }
}
const round = (count) => Promise.all(Array.from({ length: WIDTH }, () => spawn(() => serve(count / WIDTH))));

async function measure() {
  while (loadAddon().counters().socketsOpen > 1) await new Promise((resolve) => setTimeout(resolve, 1));
  collect();
  return {
    heap: process.memoryUsage().heapUsed,
    resident: process.memoryUsage().rss,
    open: readdirSync('/proc/self/fd').length,
  };
}

const warm = Math.min(6400, cycles);
await round(warm);
const before = await measure();
await round(cycles - warm);
const after = await measure();
await listener.close();
const { socketsOpen, receiveBuffersInUse, faults } = loadAddon().counters();
console.log(
  JSON.stringify({
    cycles: listener.accepted,
    grownHeapBytes: after.heap - before.heap,
    grownResidentBytes: after.resident - before.resident,
    leakedDescriptors: after.open - before.open,
    socketsOpen,
    receiveBuffersInUse,
    faults,
  }),
);
