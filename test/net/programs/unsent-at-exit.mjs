// An unreferenced socket with megabytes to send, and a child that reads them: the process must stay until they have left.
import { spawn } from 'node:child_process';
import { connect } from '../../../build/test/lib/net/index.js';

const server = `
  const server = require('node:net').createServer((socket) => {
    server.close();
    let received = 0;
    socket.on('data', (chunk) => (received += chunk.length));
    socket.on('error', () => {});
    socket.on('close', () => require('node:fs').writeSync(1, JSON.stringify({ received }) + '\\n'));
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));`;
const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
const port = await new Promise((resolve) => child.once('message', resolve));
child.disconnect();
child.unref();
const socket = await connect({ host: '127.0.0.1', port, data() {} });
socket.write(Buffer.alloc(8_000_000));
socket.unref();
