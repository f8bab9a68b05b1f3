// Two echo servers: with handlers, and with `for await` and `await write` in a task for each connection.
import { spawn } from 'millrace';
import { listen } from 'millrace/net';
import { standardInputClosed } from '../javascript/measure.mjs';

async function serveUntilClosed(server) {
  process.stdout.write(`${server.port}\n`);
  await standardInputClosed();
  process.stdout.write(`${JSON.stringify(await borderCounters())}\n`, () => process.exit(0));
}

/** How often C++ called JavaScript: the addon's own count, which no public interface needs to carry. */
async function borderCounters() {
  const { border } = await import('../../../dist/lib/internal/border.js');
  const { calls, loopTurns } = border.open().counters();
  return { callsPerTick: calls / loopTurns, eventsPerCall: border.events / calls };
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
  const server = await listen({ host: '127.0.0.1', port: 0 });
  spawn(async () => {
    for await (const socket of server) spawn(() => echo(socket));
  });
  await serveUntilClosed(server);
}

async function echo(socket) {
  try {
    for await (const chunk of socket) await socket.write(chunk);
  } catch {
    // The peer has reset the connection: that ends this connection and nothing else.
  }
}
