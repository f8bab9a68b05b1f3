// Few descriptors (ulimit -n, see the test): files take them all, clients connect, accept fails, is told, and goes on when
// the files are closed. argv: 'warn' for a listener without listenError.
import { closeSync, openSync } from 'node:fs';
import { loadAddon } from '../../../build/test/lib/internal/binding.js';
import { connect, listen } from '../../../build/test/lib/net/index.js';

const ROUNDS = 3;
const errors = [];
let woken = () => {};
const tell = (error) => {
  errors.push(error);
  woken();
};
const listener = await listen({
  host: '127.0.0.1',
  data: (socket, chunk) => void socket.write(chunk),
  ...(process.argv[2] === 'warn' ? {} : { listenError: tell }),
});
if (process.argv[2] === 'warn') process.on('warning', tell);

async function echo() {
  const socket = await connect({ host: '127.0.0.1', port: listener.port });
  socket.write('x');
  const served = String(await socket.read()) === 'x';
  await socket.close();
  return served;
}

const servedBefore = await echo();
for (let round = 0; round < ROUNDS; round++) {
  // The server's end of the last connection has to be gone: its descriptor would serve the next one.
  while (loadAddon().counters().socketsOpen > 1) await new Promise((resolve) => setTimeout(resolve, 1));
  const files = [];
  try {
    for (;;) files.push(openSync('/dev/null'));
  } catch (error) {
    if (error.code !== 'EMFILE') throw error;
  }
  closeSync(files.pop());
  const told = new Promise((resolve) => (woken = resolve));
  const socket = await connect({ host: '127.0.0.1', port: listener.port });
  socket.write('x');
  await told;
  for (const file of files) closeSync(file);
  if (String(await socket.read()) !== 'x') throw new Error('not served after descriptors came back');
  await socket.close();
}
const servedAfter = await echo();
await listener.close();
const { code, syscall } = errors[0];
console.log(JSON.stringify({ code, syscall, told: errors.length, rounds: ROUNDS, servedBefore, servedAfter }));
