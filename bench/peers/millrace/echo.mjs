// Two echo servers: with handlers, and with `for await` and `await write` in a task for each connection.
import { metrics, spawn } from 'millrace';
import { listen } from 'millrace/net';
import { standardInputClosed } from '../javascript/measure.mjs';

async function serveUntilClosed(server) {
  process.stdout.write(`${server.port}\n`);
  await standardInputClosed();
  // How the border was used, for the report: ticks, and the events that they brought.
  process.stdout.write(`${JSON.stringify(metrics())}\n`, () => process.exit(0));
}

export async function serveHandlers() {
  const server = await listen({
    host: '127.0.0.1',
    port: 0,
    data(socket, chunk) {
      socket.write(chunk);
    },
  });
  await serveUntilClosed(server);
}

export async function serveStreams() {
  const server = await listen({
    host: '127.0.0.1',
    port: 0,
    open(socket) {
      spawn(async () => {
        for await (const chunk of socket) await socket.write(chunk);
      });
    },
  });
  await serveUntilClosed(server);
}
