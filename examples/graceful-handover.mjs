// A server that is replaced without one connection refused: at SIGUSR2 a successor inherits the listening socket, and this
// process ends when its own connections have. Run: node examples/graceful-handover.mjs 7000, then: kill -USR2 PID
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { listen } from 'millrace/net';

/** The number that an inherited listener has; the first after stdin, stdout and stderr. */
const INHERITED = 3;
const isSuccessor = process.env.INHERITED_LISTENER === 'yes';

const listener = await listen({
  ...(isSuccessor ? { fd: INHERITED } : { host: '127.0.0.1', port: Number(process.argv[2] ?? 7000) }),
  data(socket, chunk) {
    socket.write(`${process.pid}: ${chunk}`);
    // Who goes on asking on one connection is told to come again: to the successor.
    if (listener.closing) socket.close();
  },
});
console.log(`${process.pid} listens on ${listener.address.address}:${listener.port}`);
if (isSuccessor) process.send('listening');

function handOver() {
  const successor = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url)], {
    stdio: ['ignore', 'inherit', 'inherit', listener.fd, 'ipc'],
    env: { ...process.env, INHERITED_LISTENER: 'yes' },
  });
  // From here on both accept. Only when the successor does so for certain, this one stops.
  successor.once('message', () => {
    successor.disconnect();
    successor.unref();
    end('handed over');
  });
  successor.once('exit', (code) => console.error(`the successor ended with ${code}; this one goes on`));
}

async function end(why) {
  const destroyed = await listener.close({ drainMs: 10_000 });
  console.log(`${process.pid} ${why}, ${destroyed} connections were cut off`);
}

process.once('SIGUSR2', handOver);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end('ended'));
