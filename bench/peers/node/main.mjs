// The Node peer: promises and timers, node:net for the echo.
import { createServer } from 'node:net';
import { runPeer, standardInputClosed } from '../javascript/measure.mjs';
import { workloads } from '../javascript/promises.mjs';

async function echo() {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', (chunk) => {
      if (!socket.write(chunk)) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    });
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
  await standardInputClosed();
  process.exit(0);
}

await runPeer(process.argv.slice(2), workloads, echo);
