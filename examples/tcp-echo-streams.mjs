// A TCP echo server with a task for each connection, all of them in one scope. Run: node examples/tcp-echo-streams.mjs 7000
import { scope, spawn } from 'millrace';
import { listen } from 'millrace/net';

const listener = await listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 7000) });
console.log(`listening on ${listener.address.address}:${listener.port}`);

function* echo(socket) {
  try {
    for (let bytes = yield* socket.read(); bytes !== null; bytes = yield* socket.read()) {
      // Waits while too much is unsent: a peer that does not read is not read from either.
      yield* socket.write(bytes);
    }
    yield* socket.close();
  } catch (error) {
    // A scope is cancelled by its first failure; a peer's reset is not one for the other connections.
    if (error.syscall === undefined) throw error;
    console.error(error.message);
  } finally {
    // When the task is cancelled. On a socket that is closed it does nothing.
    socket.destroy();
  }
}

function* serve(connections) {
  for (let socket = yield* listener.accept(); socket !== null; socket = yield* listener.accept()) {
    connections.spawn(echo(socket), { name: `${socket.remoteAddress.address}:${socket.remoteAddress.port}` });
  }
  console.log(`no longer accepting; ${connections.size - 1} connections are cancelled`);
  connections.cancel('the server is stopping');
}

const server = spawn(() => scope(serve));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => listener.close());

try {
  await server;
} catch (error) {
  console.log(`ended: ${error.cause}`);
}
