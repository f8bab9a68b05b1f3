// Serves a port, hands it over to a successor at SIGUSR2, and ends when its connections have.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { listen } from '../../../build/test/lib/net/index.js';

const successor = fileURLToPath(new URL('./successor.mjs', import.meta.url));
const listener = await listen({
  host: '127.0.0.1',
  data: (socket, chunk) => void socket.write(chunk),
  end: (socket) => void socket.close(),
});

process.once('SIGUSR2', () => {
  const child = spawn(process.execPath, [successor], { stdio: ['ignore', 'inherit', 'inherit', listener.fd, 'ipc'] });
  child.once('message', async () => {
    child.disconnect();
    child.unref();
    const destroyed = await listener.close({ drainMs: 30_000 });
    console.log(JSON.stringify({ who: 'predecessor', accepted: listener.accepted, destroyed, heirPid: child.pid }));
  });
});
console.log(listener.port);
