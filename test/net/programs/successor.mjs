// Goes on with the listener that it has inherited as descriptor 3, until SIGTERM.
import { listen } from '../../../build/test/lib/net/index.js';

const listener = await listen({
  fd: 3,
  data: (socket, chunk) => void socket.write(chunk),
  end: (socket) => void socket.close(),
});

process.once('SIGTERM', async () => {
  const destroyed = await listener.close({ drainMs: 30_000 });
  console.log(JSON.stringify({ who: 'successor', accepted: listener.accepted, destroyed }));
});
process.send('ready');
