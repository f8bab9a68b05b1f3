// argv: what is open when nothing is left to do. Prints what was received, and that the process ended by itself.
import { bindUdp, connectUdp } from '../../../../build/test/lib/net/index.js';

const what = process.argv[2];
const server = await bindUdp({
  host: '127.0.0.1',
  message: (socket, datagram) => void socket.send(datagram, datagram),
});
if (what === 'unref') server.unref();
if (what === 'closed') await server.close();
if (what === 'waiting-receive') {
  server.unref();
  const client = await connectUdp({ host: '127.0.0.1', port: server.port });
  client.receive().catch(() => {});
  client.unref();
}
if (what === 'open') {
  // Nothing but the socket keeps the process alive until the last answer.
  const client = await connectUdp({ host: '127.0.0.1', port: server.port });
  server.unref();
  for (let i = 0; i < 5; i++) {
    client.send(String(i));
    console.log(String(await client.receive()));
  }
  await client.close();
}
if (what === 'sent-at-exit') {
  // What an unreferenced socket sent last leaves all the same.
  const from = await connectUdp({ host: '127.0.0.1', port: server.port });
  const at = await bindUdp({
    host: '127.0.0.1',
    message(socket, datagram) {
      console.log(String(datagram));
      socket.close();
    },
  });
  from.connect(at.localAddress);
  from.unref();
  server.unref();
  from.send('last');
}
process.on('exit', () => console.log('end'));
