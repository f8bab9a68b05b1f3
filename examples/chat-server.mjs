// A chat server: everybody gets what anybody says. Run: node examples/chat-server.mjs 7000, then: nc 127.0.0.1 7000
import { scope, spawn } from 'millrace';
import { listen, ReadLimitError } from 'millrace/net';

const LINE_BYTES_MAX = 1000;
const BEHIND_BYTES_MAX = 256 * 1024;
const members = new Map();

function say(text, except) {
  for (const [socket, name] of members) {
    if (socket === except || !socket.open) continue;
    // Nobody waits for a member that does not read; one that is too far behind has to go.
    if (socket.bytesQueued > BEHIND_BYTES_MAX) {
      console.log(`${name} is too slow`);
      socket.destroy();
    } else {
      socket.write(`${text}\n`);
    }
  }
}

function* readLine(socket) {
  const line = yield* socket.readUntil('\n', LINE_BYTES_MAX);
  return line === null ? null : line.toString('utf8').trim();
}

function* talk(socket) {
  let name = null;
  try {
    yield* socket.write('Your name?\n');
    name = yield* readLine(socket);
    if (name === null) return;
    members.set(socket, name);
    say(`* ${name} is here`, socket);
    for (let line = yield* readLine(socket); line !== null; line = yield* readLine(socket)) {
      say(`${name}: ${line}`, socket);
    }
  } catch (error) {
    if (error instanceof ReadLimitError) socket.write(`At most ${LINE_BYTES_MAX} bytes a line.\n`);
    // A scope is cancelled by its first failure; a peer's reset is not one for the others.
    else if (error.syscall === undefined && error.code !== 'ERR_MILLRACE_SOCKET_CLOSED') throw error;
  } finally {
    if (members.delete(socket)) say(`* ${name} has gone`, null);
    socket.close();
  }
}

const listener = await listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 7000), maxConnections: 1000 });
console.log(`listening on ${listener.address.address}:${listener.port}`);

function* serve(talks) {
  for (let socket = yield* listener.accept(); socket !== null; socket = yield* listener.accept()) {
    talks.spawn(talk(socket));
  }
  talks.cancel('the server is stopping');
}

const server = spawn(() => scope(serve));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => listener.close());
await server.catch((error) => console.log(`ended: ${error.cause}`));
