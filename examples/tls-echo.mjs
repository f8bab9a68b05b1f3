// A TLS echo server whose certificate is read again on SIGHUP: connections go on, new ones get the new certificate.
// Run: node examples/tls-echo.mjs key.pem cert.pem 7443
import { readFile } from 'node:fs/promises';
import { all, runtimeInfo } from 'millrace';
import { listen } from 'millrace/tls';

const [keyFile = 'key.pem', certFile = 'cert.pem', port = '7443'] = process.argv.slice(2);

async function certificate() {
  return { key: await readFile(keyFile), cert: await readFile(certFile) };
}

const listener = await listen({
  host: '127.0.0.1',
  port: Number(port),
  ...(await certificate()),
  alpnProtocols: ['echo'],
  data(socket, chunk) {
    socket.write(chunk);
    // A peer that sends and does not read must not fill our memory.
    if (socket.bytesQueued > socket.highWaterMark) socket.pause();
  },
  drain(socket) {
    socket.resume();
  },
  error(_socket, error) {
    console.error(error.message);
  },
  handshakeError(error) {
    console.error(`handshake: ${error.message}`);
  },
});

console.log(`listening on ${listener.address.address}:${listener.port} (${runtimeInfo().backend})`);

process.on('SIGHUP', async () => {
  try {
    listener.setSecureContext(await certificate());
    console.log('certificate read again');
  } catch (error) {
    console.error(`the old certificate stays: ${error.message}`);
  }
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    const sockets = listener.sockets();
    console.log(`${signal}: closing ${sockets.length} connections`);
    await listener.close();
    await all(sockets.map((socket) => socket.close()));
    console.log('closed');
    process.exitCode = 0;
    process.removeAllListeners('SIGHUP');
  });
}
