// argv: what is open when nothing is left to do. The process must end by itself.
import { connect, listen } from '../../../build/test/lib/net/index.js';

const what = process.argv[2];
const listener = await listen({ host: '127.0.0.1', ...(what === 'cancelled-accept' ? {} : { data() {} }) });
if (what === 'unref-listener') listener.unref();
if (what === 'unref-then-ref-then-unref') listener.unref().ref().unref();
if (what === 'unref-socket') {
  const accepted = [];
  const other = await listen({ host: '127.0.0.1', open: (socket) => accepted.push(socket.unref()), data() {} });
  const socket = await connect({ host: '127.0.0.1', port: other.port, data() {} });
  socket.unref();
  other.unref();
  listener.unref();
}
if (what === 'closed') {
  const socket = await connect({ host: '127.0.0.1', port: listener.port });
  await socket.close();
  await listener.close();
}
if (what === 'cancelled-accept') {
  const accept = listener.accept();
  accept.cancel();
  await accept.catch(() => {});
  listener.unref();
}
process.on('exit', () => console.log('end'));
