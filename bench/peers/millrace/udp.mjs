// UDP echo servers: with a handler for each datagram, and with a task that receives what has come.
import { spawn } from 'millrace';
import { bindUdp } from 'millrace/net';
import { serveUntilClosed } from './counters.mjs';

const where = { host: '127.0.0.1', port: 0 };

export async function handlers() {
  const socket = await bindUdp({
    ...where,
    message(socket, datagram) {
      socket.send(datagram, datagram);
    },
  });
  await serveUntilClosed(socket);
}

export async function streams() {
  const socket = await bindUdp(where);
  spawn(async () => {
    for (let datagrams = await socket.receiveMany(); datagrams !== null; datagrams = await socket.receiveMany()) {
      for (const datagram of datagrams) await socket.send(datagram, datagram);
    }
  });
  await serveUntilClosed(socket);
}
