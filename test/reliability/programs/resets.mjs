// argv: connections. Each is reset by one of its ends at some moment: at once, amid an echo, amid a large write.
import { readdirSync } from 'node:fs';
import { loadAddon } from '../../../build/test/lib/internal/binding.js';
import { connect, listen } from '../../../build/test/lib/net/index.js';

const connections = Number(process.argv[2]);
const WIDTH = 100;
let state = 7;
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
const large = Buffer.alloc(300_000);
let served = 0;
const listener = await listen({
  host: '127.0.0.1',
  backlog: 1024,
  open(socket) {
    served++;
    if (random(10) === 0) socket.destroy();
  },
  data(socket, chunk) {
    const what = random(20);
    if (what === 0) socket.destroy();
    else if (what === 1) void socket.close();
    else if (what === 2) void socket.write(large);
    else void socket.write(chunk);
  },
  error() {},
});

function disturb() {
  return new Promise((resolve) => {
    const left = random(6);
    let answers = 0;
    connect({
      host: '127.0.0.1',
      port: listener.port,
      open(socket) {
        void socket.write(random(3) === 0 ? large : 'x');
        if (random(5) === 0) socket.destroy();
      },
      data(socket) {
        if (answers++ >= left) socket.destroy();
        else void socket.write('y');
      },
      error() {},
      close: resolve,
    }).catch(resolve);
  });
}

const openDescriptors = () => readdirSync('/proc/self/fd').length;
const idle = async () => {
  while (loadAddon().counters().socketsOpen > 1) await new Promise((resolve) => setTimeout(resolve, 1));
};
await disturb();
await idle();
const before = openDescriptors();
let started = 1;
await Promise.all(
  Array.from({ length: WIDTH }, async () => {
    while (started < connections) {
      started++;
      await disturb();
    }
  }),
);
await idle();
const leakedDescriptors = openDescriptors() - before;
let echo = '';
while (echo !== 'alive') {
  const socket = await connect({ host: '127.0.0.1', port: listener.port }).catch(() => null);
  try {
    await socket.write('alive');
    echo = String(await socket.read());
  } catch {}
  await socket?.close();
}
await listener.close();
await idle();
while (loadAddon().counters().socketsOpen > 0) await new Promise((resolve) => setTimeout(resolve, 1));
const { socketsOpen, receiveBuffersInUse, faults } = loadAddon().counters();
console.log(
  JSON.stringify({ connections: started, leakedDescriptors, socketsOpen, receiveBuffersInUse, faults, echo, served }),
);
