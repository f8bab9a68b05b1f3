// The Bun peer: promises and timers, Bun.listen for the echo.
import { runPeer, standardInputClosed } from '../javascript/measure.mjs';
import { workloads } from '../javascript/promises.mjs';

async function echo() {
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = { unsent: null };
        socket.setNoDelay(true);
      },
      data(socket, chunk) {
        const { data } = socket;
        if (data.unsent !== null) {
          data.unsent = Buffer.concat([data.unsent, chunk]);
          return;
        }
        const written = socket.write(chunk);
        // The chunk's memory is Bun's after this call: what is left must be copied.
        if (written < chunk.length) data.unsent = Buffer.from(chunk.subarray(Math.max(0, written)));
      },
      drain(socket) {
        const { data } = socket;
        if (data.unsent === null) return;
        const written = socket.write(data.unsent);
        data.unsent = written < data.unsent.length ? data.unsent.subarray(Math.max(0, written)) : null;
      },
      error(socket) {
        socket.end();
      },
    },
  });
  process.stdout.write(`${server.port}\n`);
  await standardInputClosed();
  process.exit(0);
}

await runPeer(process.argv.slice(2), workloads, echo);
