// argv: connections. Each is reset by one of its ends at some moment: at once, amid an echo, amid a large write.
import { connect, listen } from '../../../build/test/lib/net/index.js';
import { idle, leftInAddon, seededRandom, storm } from './storm.mjs';

const connections = Number(process.argv[2]);
const random = seededRandom(7);
const large = Buffer.alloc(300_000);
let visits = 0;
const listener = await listen({
  host: '127.0.0.1',
  backlog: 1024,
  open(socket) {
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
  visits++;
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

const { leakedDescriptors } = await storm(connections, 100, disturb);
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
await idle(0);
console.log(JSON.stringify({ connections: visits, leakedDescriptors, ...leftInAddon(), echo }));
