// Nothing but a listener holds this process; the client is a process of its own, which starts later.
import { spawn } from 'node:child_process';
import { listen } from '../../../build/test/lib/net/index.js';

let served = 0;
const listener = await listen({
  host: '127.0.0.1',
  data(socket, chunk) {
    socket.write(chunk);
    if (++served === 5) listener.close();
  },
});
const client = `
  const socket = require('node:net').connect(${listener.port}, '127.0.0.1');
  let left = 5;
  socket.on('connect', () => socket.write('x'));
  socket.on('data', () => (--left > 0 ? socket.write('x') : socket.end()));`;
spawn(process.execPath, ['-e', client], { stdio: 'ignore' }).unref();
process.on('exit', () => console.log(JSON.stringify({ served })));
